// SPDX-License-Identifier: BSD-3-Clause
//
// How a hidden file becomes a sealed one. A capture writes the Blocks of a file side by side, so that a crash leaves
// whole Blocks, Blocks that never came (holes: the file was allocated beforehand), and a torn last one.
//
//  1. Leave the file alone if a capture or another repair holds its lock, or if it was made a moment ago.
//  2. Take its lock, and make sure that it still has its hidden name: its capture may just have sealed it.
//  3. Ask the file system which parts were ever written. Only these are looked at.
//  4. Read the file header. If the first Block never came, the header is what wirespool always writes.
//  5. Go from record to record. A record counts if all of it lies in a written part and the next one is plausible or
//     nothing but zeros follow: lengths that agree, a time that is not before the record in front of it, nor a day
//     before the capture began, nor a day after now.
//  6. Where no record can begin, look for the next offset from which a chain of plausible records leads to the end of
//     the written part, or goes on for longer than a frame can be; see format/record_scanner.hpp. All in between is
//     skipped, counted and told.
//  7. Records from the front of the file up to the first gap stay where they are. Those behind it are copied to a
//     second hidden file (".rescue" at the end), which is synced and sealed first, under its own first packet's time.
//     If a file of that name is there already, it must be the same, byte for byte: an earlier repair got this far.
//  8. Cut the file behind the last record in front of the gap, sync it, rename it to its final name. If no record is in
//     front, remove it. From here on a second repair finds nothing to do.
//  9. Write the index of each. A crash before that leaves a file without one, which is whole all the same.
//
// If the capture had a command for sealed files (--on-seal), a marker is put beside each before it gets its name.
//
// Nothing is cut or removed before all records behind that place are safe under a final name. A file that holds
// something, but no whole record, is left for people to look at.
#include "tools/repair_file.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>

#include "format/pcap_decoder.hpp"
#include "format/record_scanner.hpp"
#include "spool/salvager.hpp"
#include "storage/direct_file.hpp"
#include "storage/hidden_file.hpp"
#include "storage/marker.hpp"
#include "storage/read_file.hpp"
#include "storage/small_file.hpp"
#include "tools/repaired_part.hpp"
#include "tools/rescue_file.hpp"

namespace wirespool::tools {

using Outcome = RepairedFile::Outcome;
using storage::DirectFile;
using storage::HiddenFileUse;
using storage::IoError;

namespace {

constexpr std::uint64_t day_ns = 86'400'000'000'000;
constexpr std::uint64_t header_bytes = sizeof(format::PcapFileHeader);

class Repair {
 public:
  Repair(const RepairContext& context, std::string hidden_name, const format::FileName& name)
      : context_(context),
        name_(name),
        path_(context.directory.path_of(hidden_name)),
        front_(context),
        behind_(context),
        rescue_(context.directory, hidden_name.substr(0, hidden_name.rfind('.')) + ".rescue") {
    result_.hidden_name = std::move(hidden_name);
  }

  RepairedFile run() {
    if (!take_lock()) return std::move(result_);
    const auto read = go_through();
    if (!read) return failed(read.error());
    if (front_.empty() && behind_.empty() && result_.skipped_bytes > 0) {
      result_.outcome = Outcome::unreadable;
      return std::move(result_);
    }
    result_.outcome = front_.empty() && behind_.empty() ? Outcome::removed : Outcome::sealed;
    for (const auto* part : {&front_, &behind_}) {
      if (!part->empty()) result_.files.push_back(part->told(name_));
    }
    if (context_.dry_run) return std::move(result_);
    if (const auto sealed = seal(); !sealed) return failed(sealed.error());
    return std::move(result_);
  }

 private:
  RepairedFile failed(const IoError& error) {
    result_.outcome = Outcome::failed;
    result_.why = error.message();
    return std::move(result_);
  }

  // Steps 1 and 2.
  bool take_lock() {
    const auto use = storage::use_of_hidden_file(path_);
    if (use == HiddenFileUse::in_use) result_.outcome = Outcome::in_use;
    if (use == HiddenFileUse::in_use || context_.dry_run) return use != HiddenFileUse::in_use;
    auto file = DirectFile::adopt(context_.directory, result_.hidden_name);
    if (!file) {
      const bool running = file.error().code == EWOULDBLOCK || file.error().code == ENOENT;
      failed(file.error());
      result_ = {
          result_.hidden_name, running ? Outcome::in_use : Outcome::failed, file.error().message(), {}, 0, 0, ""};
      return false;
    }
    file_ = std::move(*file);
    return true;
  }

  // Step 3, without the file header.
  std::expected<std::vector<Stretch>, IoError> written_parts() const {
    const auto file = storage::ReadFile::open(path_);
    if (!file) return std::unexpected(file.error());
    const auto parts = file->written_parts();
    if (!parts) return std::unexpected(parts.error());
    std::vector<Stretch> stretches;
    for (const auto& part : *parts) {
      const auto begin = std::max(part.begin, header_bytes);
      if (begin < part.end) stretches.push_back({begin, part.end});
    }
    return stretches;
  }

  // Step 4.
  static std::expected<format::PcapDecoder, IoError> read_header(spool::FileWindow& window) {
    if (const auto filled = window.fill(header_bytes); !filled) return std::unexpected(filled.error());
    return format::PcapDecoder::recognise(window.bytes()).value_or(format::PcapDecoder::native());
  }

  // Steps 3 to 7, up to sealing.
  std::expected<void, IoError> go_through() {
    const auto parts = written_parts();
    if (!parts) return std::unexpected(parts.error());
    auto window = spool::FileWindow::open(path_, {});
    if (!window) return std::unexpected(window.error());
    const auto decoder = read_header(*window);
    if (!decoder) return std::unexpected(decoder.error());
    format::TimeLimits limits;
    limits.not_before = Timestamp{std::max<std::uint64_t>(name_.first.ns, day_ns + 1) - day_ns};
    limits.not_after = Timestamp{context_.now.ns + day_ns};
    spool::Salvager salvager(*window, format::RecordScanner(*decoder, limits), *parts, context_.holes_known);
    while (true) {
      const auto packet = salvager.next();
      if (!packet) return std::unexpected(packet.error());
      if (!*packet) break;
      if (const auto taken = take(**packet); !taken) return taken;
    }
    for (const auto& stretch : salvager.skipped()) result_.skipped_bytes += stretch.end - stretch.begin;
    result_.skipped_places = salvager.skipped().size();
    return {};
  }

  std::expected<void, IoError> take(const StoredPacket& packet) {
    if (behind_.empty() && packet.offset == front_.end()) {
      front_.add(packet);
      return {};
    }
    behind_.add(packet);
    return context_.dry_run ? std::expected<void, IoError>{} : rescue_.append(packet.record);
  }

  // Steps 7 to 9.
  std::expected<void, IoError> seal() {
    if (!behind_.empty()) {
      const auto told = behind_.told(name_);
      announce(told.name);
      if (auto sealed = rescue_.seal(behind_.end(), told.name); !sealed) return sealed;
      write_index(behind_, told.name);
    }
    if (front_.empty()) return file_->discard();
    const auto told = front_.told(name_);
    announce(told.name);
    if (auto sealed = file_->seal(front_.end(), told.name); !sealed) return sealed;
    write_index(front_, told.name);
    return {};
  }

  void announce(const std::string& name) {
    if (context_.on_seal) (void)storage::put_marker(context_.directory, format::pending_file_name(name));
  }

  void write_index(RepairedPart& part, const std::string& name) {
    const auto written = storage::write_small_file(context_.directory, format::index_file_name(name), part.index());
    if (!written) result_.index_problem = written.error().message();
  }

  const RepairContext& context_;
  format::FileName name_;
  std::string path_;
  RepairedPart front_, behind_;
  RescueFile rescue_;
  std::optional<DirectFile> file_;
  RepairedFile result_;
};

}  // namespace

RepairedFile repair_file(const RepairContext& context, const std::string& hidden_name, const format::FileName& name) {
  return Repair(context, hidden_name, name).run();
}

}  // namespace wirespool::tools
