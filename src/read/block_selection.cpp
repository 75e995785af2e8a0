// SPDX-License-Identifier: BSD-3-Clause
#include "read/index_store.hpp"

#include <array>
#include <optional>
#include <span>

#include "filter/compiled.hpp"
#include "format/key_set.hpp"
#include "format/pcap_decoder.hpp"
#include "format/pcap_records.hpp"
#include "format/pcapng_records.hpp"
#include "storage/read_file.hpp"

namespace wirespool::read {

using format::FlowCondition;
using format::Index;
using format::IndexEntry;

namespace {

constexpr std::size_t filter_line_bytes = sizeof(format::FilterLine);

const FlowCondition& condition_of(const Query& query) {
  static const FlowCondition anything;
  return query.filter ? query.filter->compiled().condition : anything;
}

bool may_matter(const Index& index, std::size_t row, const Query& query) {
  const auto& entry = index.entries[row];
  if (entry.last < query.from || entry.first >= query.to) return false;
  if (index.filter_lines.empty()) return true;
  const auto lines =
      index.filter_bytes().subspan(index.filter_offsets[row], index.filter_lines[row] * filter_line_bytes);
  return format::KeySet(lines).may_match(condition_of(query));
}

std::vector<std::size_t> rows_that_matter(const Index& index, const Query& query) {
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < index.entries.size(); ++row) {
    if (may_matter(index, row, query)) rows.push_back(row);
  }
  return rows;
}

Stretch stretch_of(const Index& index, std::size_t row) {
  const bool last = row + 1 == index.entries.size();
  return {index.entries[row].first_record, last ? index.header.file_bytes : index.entries[row + 1].first_record};
}

std::vector<Stretch> stretches_of(const Index& index, const std::vector<std::size_t>& rows) {
  std::vector<Stretch> stretches;
  for (const auto row : rows) {
    const auto stretch = stretch_of(index, row);
    if (!stretches.empty() && stretches.back().end == stretch.begin) {
      stretches.back().end = stretch.end;
    } else {
      stretches.push_back(stretch);
    }
  }
  return stretches;
}

// The time of the record at the front of `bytes`, in a file that begins with `head`.
std::optional<Timestamp> time_of_record(std::span<const std::byte> head, std::span<const std::byte> bytes) {
  if (format::PcapngDecoder::has_magic(head)) {  // as a capture writes it
    const auto record = format::PcapngRecords::head_of(bytes);
    return record ? std::optional(record->time) : std::nullopt;
  }
  const auto decoder = format::PcapDecoder::recognise(head);
  if (!decoder || bytes.size() < format::PcapRecords::front_bytes) return std::nullopt;
  const auto header = decoder->record_header(bytes);
  return header.caplen <= format::max_snaplen ? std::optional(time_of(header)) : std::nullopt;
}

// Whether a record begins where the entry says, with a time that it allows. An index's own checksums show that it is
// whole; this shows that it belongs to this file.
bool agrees(const storage::ReadFile& file, std::span<const std::byte> head, const IndexEntry& entry) {
  std::array<std::byte, format::PcapngRecords::front_bytes> bytes{};
  const auto got = file.read(entry.first_record, bytes);
  if (!got) return false;
  const auto time = time_of_record(head, std::span(bytes).first(*got));
  return time && *time >= entry.first && *time <= entry.last;
}

bool agrees(const storage::ReadFile& file, const Index& index, const std::vector<std::size_t>& rows) {
  std::array<std::byte, format::PcapRecords::file_header_bytes> head{};
  if (!file.read(0, head)) return false;
  return agrees(file, head, index.entries[rows.front()]) && agrees(file, head, index.entries[rows.back()]);
}

}  // namespace

bool index_can_help(const SpoolEntry& entry, const Query& query) {
  if (!query.use_index || entry.index == SpoolEntry::Index::none) return false;
  const bool flows =
      entry.index == SpoolEntry::Index::flow && condition_of(query).kind != FlowCondition::Kind::anything;
  return flows || entry.first < query.from || entry.last >= query.to;
}

std::expected<Selection, std::string> select_blocks(const SpoolEntry& entry, const Query& query) {
  const auto file = storage::ReadFile::open(entry.path);
  if (!file) return std::unexpected(file.error().message());
  const auto index = load_index(*file);
  if (!index) return std::unexpected(index.error().empty() ? entry.path + ": its index is gone" : index.error());
  const auto rows = rows_that_matter(*index, query);
  if (!rows.empty() && !agrees(*file, *index, rows)) {
    return std::unexpected(index_path(entry.path).string() + ": it does not agree with the file");
  }
  Selection selection{stretches_of(*index, rows), rows.size(), 0};
  for (const auto row : rows) selection.packets += index->entries[row].packets;
  return selection;
}

}  // namespace wirespool::read
