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

// Where the index of a pcap file is.
std::filesystem::path index_path(const std::filesystem::path& pcap);

// An index is read as a whole. A longer one is none of ours: `wirespool index` makes none.
inline constexpr std::uint64_t largest_index = 256 << 20;

// Why there is none to be used; empty if there simply is no such file.
using NoIndex = std::string;

struct FoundHeader {
  format::IndexHeader header;
  bool untouched = false;  // nothing was done to the file since its index was made
};

// The index that stands beside `pcap`, if it is whole and of this file: of its length and its time of modification. An
// index of 0.1.0 does not know the latter, and is of this file if it was written after it.
std::expected<FoundHeader, NoIndex> load_index_header(const storage::ReadFile& pcap);
// The same, and content that was not seen to be untouched is compared.
std::expected<format::Index, NoIndex> load_index(const storage::ReadFile& pcap);
// Of a file of this length, whatever was done to it since: for who compares all of it anyhow.
std::expected<format::Index, NoIndex> load_index_to_check(const storage::ReadFile& pcap);

// Whether the index of a file has anything to leave out for a query.
bool index_can_help(const SpoolEntry& entry, const Query& query);

// The parts of a file in which packets can be that a query asks for; none: the file need not be opened. The error says
// why its index cannot be used.
std::expected<std::vector<Stretch>, std::string> select_blocks(const SpoolEntry& entry, const Query& query);

}  // namespace wirespool::read
