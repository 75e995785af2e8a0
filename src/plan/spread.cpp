// SPDX-License-Identifier: BSD-3-Clause
#include "plan/plan_steps.hpp"

#include <algorithm>

namespace wirespool::plan {
namespace {

class Spreading {
 public:
  Spreading(std::span<const int> item_nodes, std::span<const int> holder_nodes)
      : item_nodes_(item_nodes), holder_nodes_(holder_nodes), placed_(item_nodes.size()), held_(holder_nodes.size()) {}

  // Gives each unplaced item to the holder that has the fewest, if that is fewer than `limit`.
  void place(std::size_t limit, bool own_node_only) {
    for (std::size_t item = 0; item < item_nodes_.size(); ++item) {
      if (placed_[item]) continue;
      const auto holder = emptiest(own_node_only ? item_nodes_[item] : -1, own_node_only);
      if (holder == held_.size() || held_[holder].size() >= limit) continue;
      held_[holder].push_back(item);
      placed_[item] = true;
    }
  }

  std::vector<std::vector<std::size_t>> result() {
    for (auto& items : held_) std::ranges::sort(items);
    return std::move(held_);
  }

 private:
  std::size_t emptiest(int node, bool own_node_only) const {
    std::size_t best = held_.size();
    for (std::size_t holder = 0; holder < held_.size(); ++holder) {
      if (own_node_only && (node < 0 || holder_nodes_[holder] != node)) continue;
      if (best == held_.size() || held_[holder].size() < held_[best].size()) best = holder;
    }
    return best;
  }

  std::span<const int> item_nodes_, holder_nodes_;
  std::vector<bool> placed_;
  std::vector<std::vector<std::size_t>> held_;
};

}  // namespace

std::vector<std::vector<std::size_t>> spread(std::span<const int> item_nodes, std::span<const int> holder_nodes) {
  Spreading spreading(item_nodes, holder_nodes);
  const auto each = item_nodes.size() / holder_nodes.size();
  // First the share every holder gets, then the few that are left over; own node first each time.
  for (const auto limit : {each, each + 1}) {
    spreading.place(limit, true);
    spreading.place(limit, false);
  }
  return spreading.result();
}

}  // namespace wirespool::plan
