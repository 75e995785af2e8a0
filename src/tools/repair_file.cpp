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
//  the
//     written part, or goes on for longer than a frame can be; see format/record_scanner.hpp. All in between is
//     skipped, counted and told.
//  7. Records from the front of the file up to the first gap stay where they are. Those behind it are copied to a
//  second
//     hidden file (".rescue" at the end), which is synced and sealed first, under its own first packet's time. If a
//     file of that name is there already, it must be the same, byte for byte: an earlier repair got this far.
//  8. Cut the file behind the last record in front of the gap, sync it, rename it to its final name. If no record is in
//     front, remove it. From here on a second repair finds nothing to do.
//  9. Write the index of each. A crash before that leaves a file without one, which is whole all the same.
//
// Nothing is cut or removed before all records behind that place are safe under a final name. A file that holds
// something, but no whole record, is left for people to look at.
#include "tools/repair_file.hpp"

#include <cerrno>
#include <cstring>
#include <optional>
#include <span>

#include "format/pcap_decoder.hpp"
#include "format/record_scanner.hpp"
#include "spool/index_builder.hpp"
#include "spool/salvager.hpp"
#include "storage/direct_file.hpp"
#include "storage/hidden_file.hpp"
#include "storage/output_file.hpp"
#include "storage/read_file.hpp"
#include "storage/small_file.hpp"

namespace wirespool::tools {

using Outcome = RepairedFile::Outcome;
using storage::DirectFile;
using storage::HiddenFileUse;
using storage::IoError;

namespace {

constexpr std::uint64_t day_ns = 86'400'000'000'000;
constexpr std::uint64_t header_bytes = sizeof(format::PcapFileHeader);
constexpr std::size_t copy_buffer_bytes = 1 << 20;

// One of the files that come out: its packets are counted and indexed as they are found.
class Part {
 public:
  explicit Part(std::uint32_t block_bytes) : index_({format::IndexLevel::time, block_bytes, true}) {}

  void add(const StoredPacket& packet) {
    if (empty()) end_ = header_bytes;
    index_.add(packet, packet.offset - end_);
    end_ += packet.record.size();
  }

  bool empty() const { return index_.header().packets == 0; }
  std::uint64_t end() const { return end_; }  // of the file
  std::vector<std::byte> index() { return index_.finish(end_); }

  RescuedFile told(const format::FileName& hidden) const {
    const auto& header = index_.header();
    return {format::format_file_name({hidden.stem, header.first, hidden.writer, hidden.sequence}), header.packets,
            header.bytes, header.first, header.last};
  }

 private:
  spool::IndexBuilder index_;
  std::uint64_t end_ = header_bytes;
};

// The second hidden file, made when its first record comes.
class Rescue {
 public:
  Rescue(const storage::Directory& directory, std::string name) : directory_(directory), name_(std::move(name)) {}

  std::expected<void, IoError> append(std::span<const std::byte> record) {
    if (!output_) {
      auto output = storage::OutputFile::create(directory_.path_of(name_), {});
      if (!output) return std::unexpected(output.error());
      output_ = std::move(*output);
      const format::PcapFileHeader header;
      put(std::as_bytes(std::span{&header, 1}));
    }
    if (buffer_.size() + record.size() > copy_buffer_bytes) {
      if (auto written = flush(); !written) return written;
    }
    put(record);
    return {};
  }

  // Under its final name, unless the same file has it already.
  std::expected<void, IoError> seal(std::uint64_t length, const std::string& final_name) {
    if (auto written = flush(); !written) return written;
    output_.reset();
    auto file = DirectFile::adopt(directory_, name_);
    if (!file) return std::unexpected(file.error());
    auto sealed = file->seal(length, final_name);
    if (sealed || sealed.error().code != EEXIST) return sealed;
    const auto same = same_content(directory_.path_of(name_), directory_.path_of(final_name));
    if (!same) return std::unexpected(same.error());
    if (!*same) return sealed;
    return file->discard();
  }

 private:
  void put(std::span<const std::byte> bytes) { buffer_.insert(buffer_.end(), bytes.begin(), bytes.end()); }
  std::expected<void, IoError> flush() {
    auto written = output_->write(buffer_);
    buffer_.clear();
    return written;
  }

  static std::expected<bool, IoError> same_content(const std::string& a, const std::string& b) {
    const auto first = storage::ReadFile::open(a), second = storage::ReadFile::open(b);
    if (!first) return std::unexpected(first.error());
    if (!second) return std::unexpected(second.error());
    if (first->size() != second->size()) return false;
    std::vector<std::byte> ours(copy_buffer_bytes), theirs(copy_buffer_bytes);
    for (std::uint64_t at = 0; at < first->size(); at += ours.size()) {
      const auto got = first->read(at, ours);
      const auto other = second->read(at, theirs);
      if (!got) return std::unexpected(got.error());
      if (!other) return std::unexpected(other.error());
      if (*got != *other || std::memcmp(ours.data(), theirs.data(), *got) != 0) return false;
    }
    return true;
  }

  const storage::Directory& directory_;
  std::string name_;
  std::optional<storage::OutputFile> output_;
  std::vector<std::byte> buffer_;
};

class Repair {
 public:
  Repair(const RepairContext& context, std::string hidden_name, const format::FileName& name)
      : context_(context),
        name_(name),
        path_(context.directory.path_of(hidden_name)),
        front_(context.block_bytes),
        behind_(context.block_bytes),
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
      if (auto sealed = rescue_.seal(behind_.end(), told.name); !sealed) return sealed;
      write_index(behind_, told.name);
    }
    if (front_.empty()) return file_->discard();
    const auto told = front_.told(name_);
    if (auto sealed = file_->seal(front_.end(), told.name); !sealed) return sealed;
    write_index(front_, told.name);
    return {};
  }

  void write_index(Part& part, const std::string& name) {
    const auto written = storage::write_small_file(context_.directory, format::index_file_name(name), part.index());
    if (!written) result_.index_problem = written.error().message();
  }

  const RepairContext& context_;
  format::FileName name_;
  std::string path_;
  Part front_, behind_;
  Rescue rescue_;
  std::optional<DirectFile> file_;
  RepairedFile result_;
};

}  // namespace

RepairedFile repair_file(const RepairContext& context, const std::string& hidden_name, const format::FileName& name) {
  return Repair(context, hidden_name, name).run();
}

}  // namespace wirespool::tools
