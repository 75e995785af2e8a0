// SPDX-License-Identifier: BSD-3-Clause
#include "tools/verify_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

#include "format/pcap_records.hpp"
#include "format/pcapng.hpp"
#include "format/record_scanner.hpp"
#include "read/index_store.hpp"
#include "storage/prefetcher.hpp"
#include "tools/index_check.hpp"
#include "tools/source_check.hpp"
#include "wirespool/spool_file.hpp"

namespace wirespool::tools {

using format::Decoded;
using format::PcapDecoder;
using storage::IoError;
using storage::Prefetcher;

namespace {

// One pass over the records of a file, as a Prefetcher delivers it. `Decoder`: for pcap or pcapng.
template <class Decoder>
class FilePass {
 public:
  static constexpr bool is_pcap = std::is_same_v<Decoder, PcapDecoder>;

  FilePass(Prefetcher& source, Decoder decoder, std::uint32_t snaplen, std::optional<format::Index> index)
      : source_(source), decoder_(std::move(decoder)), records_(snaplen), index_(std::move(index)) {}

  // To the end of the file, or to `damage` in it.
  std::expected<void, IoError> run(std::span<const std::byte> first) {
    auto window = first;
    std::size_t at = is_pcap ? format::PcapRecords::file_header_bytes : 0;
    if (is_pcap) index_.head(window.first(at));
    while (true) {
      const auto begin = at;
      at = take_records(window, at);
      look_at_bytes(window, begin, at);
      if (!damage_.empty()) {
        if (is_pcap || records_.packets > 0) sum_rest(window, at);
        return {};
      }
      const auto left = window.size() - at;
      offset_ += at;
      const auto next = source_.next(left);
      if (!next) return std::unexpected(next.error());
      if (next->size() == left) {
        end_with(*next);
        if (is_pcap || records_.packets > 0) sum_rest(*next, 0);
        return {};
      }
      window = *next;
      at = 0;
    }
  }

  const RecordCheck& records() const { return records_; }
  IndexCheck& index() { return index_; }
  const SourceCheck& sources() const { return sources_; }
  const std::string& damage() const { return damage_; }
  std::uint64_t end() const { return offset_; }  // of the last whole record, if there is no damage

 private:
  // Sums the bytes from `at` on, where no record begins: Blocks after damage still have their checksums. Read errors
  // there are reported when the file is salvaged.
  void sum_rest(std::span<const std::byte> window, std::size_t at) {
    if (!index_.compares()) return;
    for (auto offset = offset_ + at; at < window.size();) {
      index_.bytes(offset, window.subspan(at));
      offset += window.size() - at;
      const auto next = source_.next(0);
      if (!next) return;
      window = *next;
      at = 0;
    }
  }
  // Longer than any record or block that wirespool writes; the most that is kept from one window to the next.
  static constexpr std::uint64_t longest = 400 << 10;

  // Returns where the first record that is not whole in the window begins.
  std::size_t take_records(std::span<const std::byte> window, std::size_t at) {
    while (true) {
      const auto rest = window.subspan(at);
      const auto decoded = decoder_.next(rest);
      const bool whole = decoded.kind == Decoded::Kind::packet || decoded.kind == Decoded::Kind::other;
      if (decoded.kind == Decoded::Kind::damaged) damage_ = fmt::format("at byte {} {}", offset_ + at, decoded.why);
      if (decoded.kind != Decoded::Kind::packet && decoded.bytes > longest)
        damage_ = fmt::format("at byte {} a block is longer than any that wirespool writes", offset_ + at);
      if (!whole || decoded.bytes > rest.size() || !damage_.empty()) return at;
      if (decoded.kind == Decoded::Kind::packet)
        take_packet(rest, at, decoded);
      else
        sources_.other(rest.first(decoded.bytes));
      at += decoded.bytes;
    }
  }

  void take_packet(std::span<const std::byte> rest, std::size_t at, const Decoded& decoded) {
    if (records_.packets == 0) first_record_ = offset_ + at;
    index_.record(offset_ + at, decoded.packet);
    if constexpr (is_pcap) {
      records_.record(offset_ + at, decoded.packet, decoder_.record_header(rest).nanoseconds < 1'000'000'000);
    } else {
      sources_.packet(rest.first(decoded.bytes));
      records_.record(offset_ + at, decoded.packet, true);
    }
  }

  // An index has checksums from the first record on.
  void look_at_bytes(std::span<const std::byte> window, std::size_t begin, std::size_t end) {
    if (records_.packets == 0) return;
    if (!is_pcap && offset_ + begin == 0) index_.head(window.first(static_cast<std::size_t>(first_record_)));
    if (first_record_ > offset_ + begin) begin = static_cast<std::size_t>(first_record_ - offset_);
    index_.bytes(offset_ + begin, window.subspan(begin, end - begin));
  }

  void end_with(std::span<const std::byte> left) {
    if (left.empty()) return;
    const bool zeros = format::leading_zeros(left) == left.size();
    damage_ =
        zeros ? fmt::format("at byte {} {} zero bytes follow the last record", offset_, left.size())
              : fmt::format("at byte {} the last record is cut short, {} bytes of it are there", offset_, left.size());
  }

  Prefetcher& source_;
  Decoder decoder_;
  RecordCheck records_;
  IndexCheck index_;
  SourceCheck sources_;
  std::uint64_t first_record_ = 0;
  std::uint64_t offset_ = 0;  // of the window in the file
  std::string damage_;
};

// Reports what can still be read of a damaged file.
void salvage(const std::string& path, FileVerdict& verdict) {
  auto file = SpoolFile::open(path, {SpoolFile::Mode::salvage, 1 << 20, true, {}});
  if (!file) return;
  verdict.packets = verdict.bytes = 0;
  while (const auto* packet = file->next()) {
    if (verdict.packets++ == 0) verdict.first = packet->view.time;
    verdict.last = packet->view.time;
    verdict.bytes += packet->view.caplen();
  }
  if (file->problem()) {
    verdict.notices.push_back(
        fmt::format("{} packets are whole up to where reading ended: {}", verdict.packets, file->problem()->why));
    return;
  }
  std::uint64_t bytes = 0;
  for (const auto& stretch : file->skipped()) bytes += stretch.end - stretch.begin;
  verdict.notices.push_back(fmt::format("{} packets are whole; {} bytes in {} places are not", verdict.packets, bytes,
                                        file->skipped().size()));
}

// For any other file: checks its records as SpoolFile reads them.
void verify_strictly(const std::string& path, const std::atomic<bool>* stop, FileVerdict& verdict) {
  auto file = SpoolFile::open(path);
  if (!file) {
    verdict.problems.push_back(file.error().why);
    return;
  }
  RecordCheck records(format::max_snaplen);
  while (const auto* packet = file->next()) {
    records.record(packet->offset, packet->view, true);
    if (stop && *stop) return;
  }
  verdict.packets = records.packets;
  verdict.bytes = records.bytes;
  verdict.first = records.first;
  verdict.last = records.last;
  verdict.problems = records.problems();
  if (file->problem()) verdict.problems.push_back(file->problem()->why);
}

std::optional<format::Index> index_to_check(const SpoolEntry& entry, FileVerdict& verdict) {
  const auto file = storage::ReadFile::open(entry.path);
  if (!file) return std::nullopt;  // reported when the file is read
  auto index = read::load_index_to_check(*file);
  if (index && !read::load_index_header(*file))
    verdict.notices.push_back(
        "its index is not used, as the file was changed or copied since: `wirespool index` makes a new one");
  if (index) return std::move(*index);
  if (index.error().empty()) {
    verdict.notices.push_back("it has no index: `wirespool index` makes one");
  } else if (index.error().find(format::to_string(format::IndexProblem::newer_version)) != std::string::npos) {
    verdict.notices.push_back("its index is not looked at: " + index.error());
  } else {
    verdict.problems.push_back("its index cannot be used: " + index.error() + ": `wirespool index` makes a new one");
  }
  return std::nullopt;
}

// `whole`: whether all of the file could be read.
template <class Pass>
void take_over(Pass& pass, bool whole, FileVerdict& verdict) {
  const auto& records = pass.records();
  verdict.packets = records.packets;
  verdict.bytes = records.bytes;
  verdict.first = records.first;
  verdict.last = records.last;
  const auto wrong = records.problems();
  verdict.problems.insert(verdict.problems.end(), wrong.begin(), wrong.end());
  verdict.blocks_without_checksum = pass.index().blocks_without_checksum();
  if (!whole) return;
  if (!pass.damage().empty()) {
    verdict.problems.push_back(pass.damage());
    const auto changed = pass.index().changed_blocks();
    verdict.problems.insert(verdict.problems.end(), changed.begin(), changed.end());
    salvage(verdict.path, verdict);
    return;
  }
  if (pass.end() < verdict.file_bytes) {
    verdict.problems.push_back(
        fmt::format("it was cut to {} of {} bytes while it was read", pass.end(), verdict.file_bytes));
    return;
  }
  const auto differs = pass.index().problems(records.packets, records.bytes, records.first, records.last);
  verdict.problems.insert(verdict.problems.end(), differs.begin(), differs.end());
}

void check_name(const SpoolEntry& entry, FileVerdict& verdict) {
  if (entry.named && verdict.packets > 0 && verdict.first != entry.name_time) {
    verdict.problems.push_back("its first packet is of another time than its name");
  }
}

// What a file of a capture says of its interfaces.
void take_over_sources(const SourceCheck& sources, FileVerdict& verdict) {
  const auto wrong = sources.problems();
  verdict.problems.insert(verdict.problems.end(), wrong.begin(), wrong.end());
  verdict.missing = sources.missing();
  verdict.tells_sources = sources.without_statistics() == 0;
  if (!verdict.tells_sources)
    verdict.notices.push_back(
        fmt::format("{} of its packets are of interfaces without statistics at its end: the ledger has the losses",
                    sources.without_statistics()));
}

// `pass`: of either format.
template <class Pass>
void judge(Pass& pass, std::span<const std::byte> first, const SpoolEntry& entry, FileVerdict& verdict) {
  const auto read = pass.run(first);
  if (!read) verdict.problems.push_back(read.error().message());
  take_over(pass, read.has_value(), verdict);
  if (!Pass::is_pcap && read && pass.damage().empty()) take_over_sources(pass.sources(), verdict);
  check_name(entry, verdict);
}

}  // namespace

FileVerdict verify_file(const SpoolEntry& entry, const std::atomic<bool>* stop) {
  FileVerdict verdict;
  verdict.path = entry.path;
  verdict.file_bytes = entry.file_bytes;
  auto source = Prefetcher::start(entry.path, {.stop = stop});
  const auto first = source ? (*source)->next(0) : std::unexpected(source.error());
  if (!first) {
    verdict.problems.push_back(first.error().message());
    return verdict;
  }
  if (entry.named && format::PcapngDecoder::has_magic(*first)) {
    FilePass pass(**source, format::PcapngDecoder(), format::max_snaplen, index_to_check(entry, verdict));
    judge(pass, *first, entry, verdict);
    return verdict;
  }
  if (!PcapDecoder::has_magic(*first)) {
    verify_strictly(entry.path, stop, verdict);
    return verdict;
  }
  const auto decoder = PcapDecoder::recognise(*first);
  if (!decoder) {
    verdict.problems.push_back(decoder.error());
    return verdict;
  }
  FilePass pass(**source, *decoder, decoder->snaplen(), index_to_check(entry, verdict));
  judge(pass, *first, entry, verdict);
  return verdict;
}

std::vector<std::string> RecordCheck::problems() const {
  std::vector<std::string> problems;
  const auto tell = [&problems](const Fault& fault, const char* what) {
    if (fault.count > 0)
      problems.push_back(fmt::format("{} {}, the first at byte {}", fault.count, what, fault.first_offset));
  };
  tell(backwards_, "timestamps go back");
  tell(longer_than_wire_, "packets were captured longer than they were on the wire");
  tell(longer_than_snaplen_, "packets are longer than the file's snaplen");
  tell(odd_nanoseconds_, "timestamps have more than a second in their fraction");
  return problems;
}

}  // namespace wirespool::tools
