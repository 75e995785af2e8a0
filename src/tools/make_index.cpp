// SPDX-License-Identifier: BSD-3-Clause
#include "tools/make_index.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "format/pcap_decoder.hpp"
#include "spool/index_builder.hpp"
#include "spool/index_store.hpp"
#include "storage/read_file.hpp"
#include "storage/small_file.hpp"
#include "wirespool/spool_file.hpp"

namespace wirespool::tools {

using format::IndexLevel;
using Outcome = IndexedFile::Outcome;

namespace {

constexpr std::uint32_t usual_block_bytes = 1 << 20;

IndexedFile refused(const std::string& path, const std::string& why) { return {path, Outcome::refused, why, 0, 0}; }

// Entries of the size that the file's Blocks had, if that is still known, and what capture it is of.
spool::IndexBuilder::Options options_for(const SpoolEntry& entry, IndexLevel level) {
  const auto header = spool::load_index_header(entry.path, entry.file_bytes);
  const bool known = header && header->block_bytes > 0;
  return {level, known ? header->block_bytes : usual_block_bytes, true, header ? header->capture_mark : 0};
}

bool is_pcap(const std::string& path) {
  const auto file = storage::ReadFile::open(path);
  std::array<std::byte, sizeof(format::PcapFileHeader)> head{};
  return file && file->read(0, head) && format::PcapDecoder::has_magic(head);
}

IndexedFile store(const SpoolEntry& entry, const std::vector<std::byte>& bytes, std::uint64_t packets) {
  const auto directory = storage::Directory::open(entry.directory);
  if (!directory) return refused(entry.path, directory.error().message());
  const auto name = spool::index_path(entry.path).filename().string();
  if (const auto written = storage::write_small_file(*directory, name, bytes); !written) {
    return refused(entry.path, written.error().message());
  }
  return {entry.path, Outcome::made, "", packets, bytes.size()};
}

IndexedFile make_one(const SpoolEntry& entry, const IndexOptions& options) {
  if (!options.again) {
    const auto index = spool::load_index(entry.path, entry.file_bytes);
    if (index && index->header.level >= options.level) {
      return {entry.path, Outcome::kept, "", index->header.packets, 0};
    }
  }
  auto file = SpoolFile::open(entry.path);
  if (!file) return refused(entry.path, file.error().why);
  if (!is_pcap(entry.path)) return refused(entry.path, "only pcap files have an index");
  spool::IndexBuilder builder(options_for(entry, options.level));
  while (const auto* packet = file->next()) builder.add(*packet);
  if (file->problem()) return refused(entry.path, file->problem()->why);
  const auto packets = builder.header().packets;
  return store(entry, builder.finish(file->size()), packets);
}

}  // namespace

bool IndexReport::complete() const {
  return std::ranges::none_of(files, [](const auto& file) { return file.outcome == Outcome::refused; });
}

std::expected<IndexReport, ToolProblem> make_indices(const IndexOptions& options) {
  const auto spool = Spool::open(options.places);
  if (!spool) return std::unexpected(wrong_use(spool.error()));
  IndexReport report;
  report.notices = spool->notices();
  for (const auto& entry : spool->files()) report.files.push_back(make_one(entry, options));
  return report;
}

std::string render_table(const IndexReport& report) {
  std::string text;
  for (const auto& file : report.files) {
    if (file.outcome == Outcome::made)
      text += fmt::format("{}: {} packets, index of {} bytes\n", file.path, file.packets, file.index_bytes);
    if (file.outcome == Outcome::kept) text += fmt::format("{}: has one already\n", file.path);
    if (file.outcome == Outcome::refused) text += fmt::format("{}: no index: {}\n", file.path, file.why);
  }
  const auto made = std::ranges::count_if(report.files, [](const auto& file) { return file.outcome == Outcome::made; });
  return text + fmt::format("{} files, {} indices made\n", report.files.size(), made);
}

}  // namespace wirespool::tools
