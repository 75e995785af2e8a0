// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>

#include "format/index_file.hpp"

namespace wirespool::spool {

// Where the index of a pcap file is.
std::filesystem::path index_path(const std::filesystem::path& pcap);

// Why there is none to be used; empty if there simply is no such file.
using NoIndex = std::string;

// The index that stands beside `pcap`, if it is whole and of a file of this length.
std::expected<format::IndexHeader, NoIndex> load_index_header(const std::filesystem::path& pcap,
                                                              std::uint64_t file_bytes);
std::expected<format::Index, NoIndex> load_index(const std::filesystem::path& pcap, std::uint64_t file_bytes);

}  // namespace wirespool::spool
