// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "format/index_file.hpp"
#include "wirespool/query.hpp"
#include "wirespool/spool.hpp"

namespace wirespool::read {

// Whether the index of a file has anything to leave out for a query.
bool index_can_help(const SpoolEntry& entry, const Query& query);

// The parts of a file in which packets can be that a query asks for; none: the file need not be opened. The error says
// why its index cannot be used.
std::expected<std::vector<Stretch>, std::string> select_blocks(const SpoolEntry& entry, const Query& query);

}  // namespace wirespool::read
