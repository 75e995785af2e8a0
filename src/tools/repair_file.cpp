// SPDX-License-Identifier: BSD-3-Clause
//
// How a hidden file becomes a sealed one. A capture writes the Blocks of a file side by side, so that a crash leaves
// whole Blocks, Blocks that never came (holes: the file was allocated beforehand), and a torn last one.
//
//  1. Leave the file alone if a capture or another repair holds its lock, or if it was made a moment ago.
//  2. Take its lock, and make sure that it still has its hidden name, and no other: its capture may just have sealed
//  it.
//     From here on the file is read through the descriptor opened then.
//  3. Ask the file system which parts were ever written. Only these are looked at.
//  4. Read what is in front of the first record. If the first Block never came, or is damaged there, take what the
//  capture writes (in pcapng: what another file of the capture has there, or else as many interfaces as its packets
//  use), and count all records as after a gap.
//  5. Go from record to record. A record counts if all of it lies in a written part, and if the next one is plausible
//     (its lengths agree, its time is not before the one in front of it) or only zeros follow. The present time plays
//     no part: the clock may be wrong, or have been wrong while the file was written.
//  6. Where no record can begin, look for the next offset from which a chain of plausible records leads to the end of
//     the written part, or goes on for longer than a frame can be; see format/record_scanner.hpp. Times that fit the
//     capture's name and ledger are tried first. Everything in between is skipped, counted and reported.
//  7. Records from the front of the file up to the first gap stay where they are. Those after it are copied to a second
//  hidden file (".rescue" at the end); what was skipped, unless it is zeros, to a third, at its old offsets. Both are
//  synced and get their names first: the second is named by its first packet, the third like the repaired file with
//  ".cut" added. If a file of that name is there already, it must be the same, byte for byte: an earlier repair got
//  this far.
//  8. Cut the file after the last record in front of the gap, sync it, rename it to its final name. If there is no
//     record in front, remove it. From here on a second repair finds nothing to do.
//  9. Write the index of each. A crash before that leaves a whole file without an index.
//
// If the capture had a command for sealed files (--on-seal), a marker is put beside each before it gets its name.
//
// Nothing is cut or removed before all records after that place are safe under a final name. A file that holds data,
// but no whole record, is left for people to look at. Until step 8 a failure leaves the hidden file as it was; if the
// drive is full, what was allocated after its last byte is freed for the copies.
#include "tools/repair_file.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>

#include "format/bytes.hpp"
#include "format/pcap_decoder.hpp"
#include "format/pcap_records.hpp"
#include "format/pcapng_records.hpp"
#include "format/record_scanner.hpp"
#include "read/file_mark.hpp"
#include "read/salvager.hpp"
#include "storage/direct_file.hpp"
#include "storage/read_file.hpp"
#include "storage/side_file.hpp"
#include "storage/small_file.hpp"
#include "tools/repaired_part.hpp"
#include "tools/rescue_file.hpp"

namespace wirespool::tools {

using Outcome = RepairedFile::Outcome;
using read::FileWindow;
using storage::DirectFile;
using storage::HiddenFileUse;
using storage::IoError;
using storage::last_error;
using storage::ReadFile;
using storage::SideFile;

namespace {

constexpr std::uint64_t day_ns = 86'400'000'000'000;
constexpr std::size_t pcap_front_bytes = format::PcapRecords::file_header_bytes;

// The hidden name ".w-...-000017.pcap.open" with another ending.
std::string beside(const std::string& hidden_name, const char* ending) {
  return hidden_name.substr(0, hidden_name.rfind('.')) + ending;
}

class Repair {
 public:
  Repair(const RepairContext& context, std::string hidden_name, const format::FileName& name)
      : context_(context),
        name_(name),
        path_(context.directory.path_of(hidden_name)),
        front_(context),
        behind_(context),
        rescue_(context.directory, beside(hidden_name, ".rescue")) {
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
    tell_files();
    if (context_.dry_run) return std::move(result_);
    if (const auto sealed = seal(); !sealed) return failed(sealed.error());
    return std::move(result_);
  }

  // After a failure: frees what was allocated for records that never came. false: nothing was freed.
  bool gave_room_back() {
    if (failure_ != ENOSPC || !file_ || written_.empty() || written_.back().end >= file_bytes_) return false;
    const bool done = file_->truncate(written_.back().end).has_value();
    file_.reset();
    return done;
  }

 private:
  RepairedFile failed(const IoError& error) {
    result_.outcome = Outcome::failed;
    result_.why = error.message();
    result_.files.clear();
    result_.kept_in.clear();
    failure_ = error.code;
    return std::move(result_);
  }

  // Steps 1 and 2.
  bool take_lock() {
    const auto use = storage::use_of_hidden_file(context_.directory.path(), result_.hidden_name, name_.stem);
    if (use == HiddenFileUse::in_use) result_.outcome = Outcome::in_use;
    if (use == HiddenFileUse::in_use || context_.dry_run) return use != HiddenFileUse::in_use;
    auto file = DirectFile::adopt(context_.directory, result_.hidden_name);
    if (!file) {
      const bool running = file.error().code == EWOULDBLOCK || file.error().code == ENOENT;
      failed(file.error());
      result_ = {.hidden_name = result_.hidden_name,
                 .outcome = running ? Outcome::in_use : Outcome::failed,
                 .why = file.error().message()};
      return false;
    }
    file_ = std::move(*file);
    return true;
  }

  // Step 3, and a window on the file.
  std::expected<FileWindow, IoError> open() {
    auto file = file_ ? ReadFile::of(file_->fd(), path_) : ReadFile::open_in(context_.directory, result_.hidden_name);
    if (!file) return std::unexpected(file.error());
    const auto parts = file->written_parts();
    if (!parts) return std::unexpected(parts.error());
    file_bytes_ = file->size();
    for (const auto& part : *parts) written_.push_back({part.begin, part.end});
    return FileWindow(std::move(*file));
  }

  // Step 4: the form of the records, with a substitute if their front is lost.
  std::expected<format::RecordForm, IoError> read_front(FileWindow& window) {
    auto form = name_.format == format::FileFormat::pcap ? read_pcap_front(window) : read_pcapng_front(window);
    if (!form) return form;
    const auto first_record = form->first_record();
    std::erase_if(written_, [first_record](const auto& part) { return part.end <= first_record; });
    if (!written_.empty()) written_.front().begin = std::max(written_.front().begin, first_record);
    front_.begin_at(first_record);
    behind_.begin_at(first_record);
    return form;
  }

  std::expected<format::RecordForm, IoError> read_pcap_front(FileWindow& window) {
    if (const auto filled = window.fill(pcap_front_bytes); !filled) return std::unexpected(filled.error());
    format::PcapFileHeader header{.snaplen = context_.snaplen};
    const auto own = format::PcapDecoder::recognise(window.bytes());
    header_lost_ = !own || !own->is_native();
    if (!header_lost_) header = format::load<format::PcapFileHeader>(window.bytes());
    const auto bytes = std::as_bytes(std::span{&header, 1});
    rescue_.begin_with(bytes);
    return format::RecordForm(*format::PcapDecoder::recognise(bytes));
  }

  // What stands in front of the packets is the same in all files of a capture.
  std::expected<format::RecordForm, IoError> read_pcapng_front(FileWindow& window) {
    const auto most = std::min<std::uint64_t>(format::longest_pcapng_front, window.size());
    if (const auto filled = window.fill(static_cast<std::size_t>(most)); !filled)
      return std::unexpected(filled.error());
    auto front = format::pcapng_front(window.bytes());
    header_lost_ = !front;
    if (!front) front = context_.front;
    if (!front) {
      auto bare = bare_front(window);
      if (!bare) return std::unexpected(bare.error());
      front = std::move(*bare);
    }
    rescue_.begin_with(front->bytes);
    return format::RecordForm(std::move(*front));
  }

  // Without any other file: as many interfaces as its packets use, of which nothing else is known.
  std::expected<format::PcapngFront, IoError> bare_front(FileWindow& window) {
    constexpr std::uint32_t most_interfaces = 65536;
    auto front = front_of(1);
    front.interfaces = most_interfaces;
    std::uint32_t last = 0;
    read::Salvager salvager(window, {format::RecordForm(front), time_limits()}, written_, context_.holes_known);
    while (true) {
      const auto packet = salvager.next();
      if (!packet) return std::unexpected(packet.error());
      if (!*packet) return front_of(last + 1);
      last = std::max(last, format::PcapngRecords::head_of((*packet)->record)->source);
    }
  }

  format::PcapngFront front_of(std::uint32_t interfaces) const {
    format::PcapngFront front{
        format::pcapng_section_header({.hardware = {}, .os = {}, .application = "wirespool repair"}), interfaces,
        context_.snaplen};
    const auto block = format::pcapng_interface_block({.linktype = format::linktype_ethernet,
                                                       .snaplen = context_.snaplen,
                                                       .comment = "what described it was lost in a crash"});
    for (std::uint32_t i = 0; i < interfaces; ++i) front.bytes.insert(front.bytes.end(), block.begin(), block.end());
    return front;
  }

  format::TimeLimits time_limits() const {
    return {.likely_from = context_.likely_from, .likely_to = context_.likely_to, .may_go_on_ns = day_ns};
  }

  // Steps 3 to 7, up to sealing.
  std::expected<void, IoError> go_through() {
    auto window = open();
    if (!window) return std::unexpected(window.error());
    auto form = read_front(*window);
    if (!form) return std::unexpected(form.error());
    read::Salvager salvager(*window, {std::move(*form), time_limits()}, written_, context_.holes_known);
    while (true) {
      const auto packet = salvager.next();
      if (!packet) return std::unexpected(packet.error());
      if (!*packet) break;
      if (const auto taken = take(**packet); !taken) return taken;
    }
    for (const auto& stretch : salvager.skipped()) result_.skipped_bytes += stretch.end - stretch.begin;
    result_.skipped_places = salvager.skipped().size();
    return context_.dry_run ? std::expected<void, IoError>{} : copy_skipped(*window, salvager.skipped());
  }

  std::expected<void, IoError> take(const StoredPacket& packet) {
    if (!header_lost_ && behind_.empty() && packet.offset == front_.end()) {
      front_.add(packet);
      return {};
    }
    behind_.add(packet);
    return context_.dry_run ? std::expected<void, IoError>{} : rescue_.append(packet.record);
  }

  // Step 7, for what belongs to no whole record.
  std::expected<void, IoError> copy_skipped(FileWindow& window, const std::vector<Stretch>& skipped) {
    if (skipped.empty() || (front_.empty() && behind_.empty())) return {};
    auto cut = SideFile::create(context_.directory, beside(result_.hidden_name, ".cut"));
    if (!cut) return std::unexpected(cut.error());
    cut_.emplace(std::move(*cut));
    cut_end_ = skipped.back().end;
    for (const auto& stretch : skipped) {
      window.restrict_to(stretch.begin, stretch.end);
      while (window.remaining() > 0) {
        if (const auto filled = window.fill(1); !filled) return std::unexpected(filled.error());
        const auto bytes = window.bytes();
        if (bytes.empty()) break;  // the file was made shorter meanwhile
        if (auto written = cut_->write(window.offset(), bytes); !written) return written;
        window.consume(bytes.size());
      }
    }
    return {};
  }

  void tell_files() {
    for (const auto* part : {&front_, &behind_}) {
      if (!part->empty()) result_.files.push_back(part->told(name_));
    }
    if (result_.skipped_bytes > 0 && !result_.files.empty())
      result_.kept_in = format::cut_file_name(result_.files.front().name);
  }

  // Steps 7 to 9. All that can fail for lack of room comes before the first rename.
  std::expected<void, IoError> seal() {
    if (auto free = front_name_is_free(); !free) return free;
    if (auto written = rescue_.finish(); !written) return written;
    if (auto written = cut_ ? cut_->sync() : std::expected<void, IoError>{}; !written) return written;
    if (auto kept = cut_ ? cut_->keep(cut_end_, result_.kept_in) : std::expected<void, IoError>{}; !kept) return kept;
    if (auto sealed = seal_behind(); !sealed) {
      if (cut_) cut_->take_back();
      return sealed;
    }
    if (front_.empty()) return file_->discard();
    return seal(front_, [this](const auto& name) { return file_->seal(front_.end(), name); });
  }

  std::expected<void, IoError> seal_behind() {
    if (behind_.empty()) return {};
    return seal(behind_, [this](const auto& name) { return rescue_.seal(behind_.end(), name); });
  }

  // Checked before anything is made or cut.
  std::expected<void, IoError> front_name_is_free() const {
    if (front_.empty()) return {};
    const auto name = front_.told(name_).name;
    if (!storage::is_there(context_.directory, name)) return {};
    return std::unexpected(IoError{"sealing " + path_ + ": " + name + " is there already", EEXIST});
  }

  template <typename Rename>
  std::expected<void, IoError> seal(RepairedPart& part, const Rename& rename) {
    const auto name = part.told(name_).name;
    const auto marker = format::pending_file_name(name);
    const bool marked_before = storage::is_there(context_.directory, marker);
    if (context_.on_seal && !storage::put_marker(context_.directory, marker))
      result_.marker_problem = last_error("marking " + context_.directory.path_of(name)).message();
    if (auto sealed = rename(name); !sealed) {
      if (context_.on_seal && !marked_before) storage::remove_marker(context_.directory, marker);
      return sealed;
    }
    if (auto written = write_index(part, name); !written) result_.index_problem = written.error().message();
    return {};
  }

  std::expected<void, IoError> write_index(RepairedPart& part, const std::string& name) const {
    const auto file = ReadFile::open_in(context_.directory, name);
    if (!file) return std::unexpected(file.error());
    std::vector<std::byte> head(part.begin());
    if (const auto got = file->read(0, head); !got) return std::unexpected(got.error());
    const auto index = part.index(head, read::mark_of(context_.directory.path_of(name)));
    return storage::write_small_file(context_.directory, format::index_file_name(name), index);
  }

  const RepairContext& context_;
  format::FileName name_;
  std::string path_;
  std::optional<DirectFile> file_;
  std::uint64_t file_bytes_ = 0;
  bool header_lost_ = false;
  std::vector<Stretch> written_;
  RepairedPart front_, behind_;
  RescueFile rescue_;
  std::optional<SideFile> cut_;
  std::uint64_t cut_end_ = 0;
  int failure_ = 0;
  RepairedFile result_;
};

}  // namespace

RepairedFile repair_file(const RepairContext& context, const std::string& hidden_name, const format::FileName& name) {
  {
    Repair repair(context, hidden_name, name);
    auto result = repair.run();
    if (!repair.gave_room_back()) return result;
  }
  return Repair(context, hidden_name, name).run();
}

}  // namespace wirespool::tools
