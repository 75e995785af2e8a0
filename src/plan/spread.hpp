// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace wirespool::plan {

// Spreads items over holders as evenly as they go, an item to a holder of its own NUMA node where that leaves them
// even. A node of -1 is unknown and matches none. Gives each holder's items, in order. Needs at least one holder.
std::vector<std::vector<std::size_t>> spread(std::span<const int> item_nodes, std::span<const int> holder_nodes);

}  // namespace wirespool::plan
