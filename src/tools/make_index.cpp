// SPDX-License-Identifier: BSD-3-Clause
#include "tools/make_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <expected>
#include <filesystem>
#include <thread>
#include <utility>
#include <vector>

#include "format/pcap_decoder.hpp"
#include "format/pcap_records.hpp"
#include "format/pcapng.hpp"
#include "format/printable.hpp"
#include "read/file_mark.hpp"
#include "read/index_builder.hpp"
#include "read/index_store.hpp"
#include "storage/read_file.hpp"
#include "storage/small_file.hpp"
#include "wirespool/spool_file.hpp"

namespace wirespool::tools {

using format::IndexLevel;
using Outcome = IndexedFile::Outcome;

namespace {

constexpr std::uint32_t usual_block_bytes = 1 << 20;

IndexedFile refused(const std::string& path, const std::string& why) { return {path, Outcome::refused, why, 0, 0}; }

// The size of the file's Blocks, which capture it is from and how good its clock was, if an old index has them: they
// hold even if the index no longer fits the file's content.
read::IndexBuilder::Options options_for(const storage::ReadFile& file, IndexLevel level) {
  const auto index = read::load_index_to_check(file);
  const bool known = index && index->header.block_bytes > 0;
  read::IndexBuilder::Options options{.level = level,
                                      .block_bytes = known ? index->header.block_bytes : usual_block_bytes};
  if (!index) return options;
  options.capture_mark = index->header.capture_mark;
  options.clock = index->header.clock;
  return options;
}

// In a capture's own pcapng file, all that describes its packets stands in front of the first; in others it may be
// anywhere, so that reading cannot begin in the middle.
bool can_have_index(const SpoolEntry& entry, const storage::ReadFile& file) {
  std::array<std::byte, format::PcapRecords::file_header_bytes> head{};
  if (!file.read(0, head)) return false;
  return format::PcapDecoder::has_magic(head) || (entry.named && format::PcapngDecoder::has_magic(head));
}

// A file system's clock ticks every few milliseconds: another change within the tick of the last write would not show
// in the file's times.
void wait_for_the_next_tick(const storage::ReadFile& file) {
  constexpr auto longest_tick = std::chrono::milliseconds(20);
  const auto times = file.times();
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto age = now - std::chrono::nanoseconds(times ? times->modified_ns : 0);
  if (age >= std::chrono::nanoseconds(0) && age < longest_tick) std::this_thread::sleep_for(longest_tick);
}

IndexedFile store(const SpoolEntry& entry, const std::vector<std::byte>& bytes, std::uint64_t packets) {
  const auto directory = storage::Directory::open(
      entry.archived ? std::filesystem::path(entry.path).parent_path().string() : entry.directory);
  if (!directory) return refused(entry.path, directory.error().message());
  const auto name = read::index_path(entry.path).filename().string();
  if (const auto written = storage::write_small_file(*directory, name, bytes); !written) {
    return refused(entry.path, written.error().message());
  }
  return {entry.path, Outcome::made, "", packets, bytes.size()};
}

using Bytes = std::vector<std::byte>;

// The bytes between two records, or after the last one.
std::expected<Bytes, std::string> bytes_between(const storage::ReadFile& file, std::uint64_t begin, std::uint64_t end) {
  constexpr std::uint64_t most = 64 << 20;
  if (end - begin > most) return std::unexpected("what lies between two of its packets is too long");
  Bytes bytes(static_cast<std::size_t>(end - begin));
  const auto got = file.read(begin, bytes);
  if (!got) return std::unexpected(got.error().message());
  if (*got != bytes.size()) return std::unexpected("it was cut while it was read");
  return bytes;
}

// Passes a file's records, in order, and what is no record to the index; returns what stands in front of the first, or
// why the file is refused.
std::expected<Bytes, std::string> read_records(const SpoolEntry& entry, const storage::ReadFile& raw,
                                               read::IndexBuilder& builder) {
  auto file = SpoolFile::open(entry.path);
  if (!file) return std::unexpected(file.error().why);
  Bytes head;
  std::uint64_t end = 0;
  const auto take_gap = [&](std::uint64_t begin) -> std::string {
    auto gap = bytes_between(raw, end, begin);
    if (!gap) return gap.error();
    if (builder.header().packets == 0)
      head = std::move(*gap);
    else
      builder.add_other(*gap);
    return {};
  };
  while (const auto* packet = file->next()) {
    if (packet->offset != end)
      if (auto why = take_gap(packet->offset); !why.empty()) return std::unexpected(std::move(why));
    builder.add(*packet);
    end = packet->offset + packet->record.size();
  }
  if (file->problem()) return std::unexpected(file->problem()->why);
  if (end != raw.size())
    if (auto why = take_gap(raw.size()); !why.empty()) return std::unexpected(std::move(why));
  return head;
}

IndexedFile make_one(const SpoolEntry& entry, const IndexOptions& options) {
  const auto file = storage::ReadFile::open(entry.path);
  if (!file) return refused(entry.path, file.error().message());
  if (!options.again) {
    const auto index = read::load_index(*file);
    if (index && index->header.level >= options.level) return {entry.path, Outcome::kept, "", index->header.packets, 0};
  }
  wait_for_the_next_tick(*file);
  const auto before = read::mark_of(*file);
  read::IndexBuilder builder(options_for(*file, options.level));
  const auto head = read_records(entry, *file, builder);
  if (!head) return refused(entry.path, head.error());
  if (!can_have_index(entry, *file))
    return refused(entry.path, "only pcap files have an index, and pcapng files that a capture named");
  const auto after = read::mark_of(*file);
  if (!before || !after || *before != *after) return refused(entry.path, "it was changed while it was read");
  const auto packets = builder.header().packets;
  const auto bytes = builder.finish(*head, file->size(), *after);
  if (bytes.size() > read::largest_index) {
    return refused(entry.path,
                   fmt::format("its index would be longer than {} MiB: try --level time", read::largest_index >> 20));
  }
  return store(entry, bytes, packets);
}

std::vector<std::string> places_of(const Spool& spool) {
  std::vector<std::string> paths;
  for (const auto& entry : spool.files()) paths.push_back(entry.path);
  for (const auto& capture : spool.captures())
    paths.insert(paths.end(), capture.archives.begin(), capture.archives.end());
  return paths;
}

}  // namespace

bool IndexReport::complete() const {
  return std::ranges::none_of(files, [](const auto& file) { return file.outcome == Outcome::refused; });
}

std::expected<IndexReport, Error> make_indices(const IndexOptions& options) {
  const auto spool = Spool::open(options.places);
  if (!spool) return std::unexpected(spool.error());
  if (options.limit_writes) options.limit_writes(places_of(*spool));
  IndexReport report;
  report.notices = spool->notices();
  for (const auto& problem : spool->problems()) report.files.push_back(refused(problem.what, problem.why));
  for (const auto& entry : spool->files()) report.files.push_back(make_one(entry, options));
  return report;
}

std::string render_table(const IndexReport& report) {
  std::string text;
  for (const auto& file : report.files) {
    const auto path = format::printable(file.path);
    if (file.outcome == Outcome::made)
      text += fmt::format("{}: {} packets, index of {} bytes\n", path, file.packets, file.index_bytes);
    if (file.outcome == Outcome::kept) text += fmt::format("{}: has one already\n", path);
    if (file.outcome == Outcome::refused) text += fmt::format("{}: no index: {}\n", path, format::printable(file.why));
  }
  const auto made = std::ranges::count_if(report.files, [](const auto& file) { return file.outcome == Outcome::made; });
  return text + fmt::format("{} files, {} indices made\n", report.files.size(), made);
}

}  // namespace wirespool::tools
