// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "format/index_file.hpp"
#include "storage/read_file.hpp"
#include "wirespool/query.hpp"
#include "wirespool/spool.hpp"

namespace wirespool::read {

// The path of a pcap file's index.
std::filesystem::path index_path(const std::filesystem::path& pcap);

// An index is read as a whole. A longer one than this is not ours: `wirespool index` makes none.
inline constexpr std::uint64_t largest_index = 256 << 20;

// Why no index can be used; empty if there simply is none.
using NoIndex = std::string;

struct FoundHeader {
  format::IndexHeader header;
  bool untouched = false;  // nothing was done to the file since its index was made
};

// The index beside `pcap`, if it is whole and of this file, that is of its length and modification time. An index of
// 0.1.0 does not have the latter, and counts as this file's if it was written after the file.
std::expected<FoundHeader, NoIndex> load_index_header(const storage::ReadFile& pcap);
// The same; unless the file is untouched, its content is compared too.
std::expected<format::Index, NoIndex> load_index(const storage::ReadFile& pcap);
// The index of a file of this length, whatever was done to the file since: for callers that compare all of it anyway.
std::expected<format::Index, NoIndex> load_index_to_check(const storage::ReadFile& pcap);

// Whether the index of a file can leave anything out for a query.
bool index_can_help(const SpoolEntry& entry, const Query& query);

// The parts of a file that can hold packets a query asks for; none: the file need not be opened.
struct Selection {
  std::vector<Stretch> stretches;
  std::uint64_t blocks = 0;  // in these: entries of the index
  std::uint64_t packets = 0;
};

// The error says why the file's index cannot be used.
std::expected<Selection, std::string> select_blocks(const SpoolEntry& entry, const Query& query);

}  // namespace wirespool::read
