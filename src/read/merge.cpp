// SPDX-License-Identifier: BSD-3-Clause
#include "wirespool/merge.hpp"

#include <utility>

#include "read/merge_heap.hpp"

namespace wirespool {

class Merge::Heap : public read::MergeHeap {
 public:
  using MergeHeap::MergeHeap;
};

Merge::Merge(const Spool& spool, Query query) : Merge(spool.files(), std::move(query)) {}
Merge::Merge(std::vector<SpoolEntry> files, Query query)
    : heap_(std::make_unique<Heap>(std::move(files), std::move(query))) {}
Merge::Merge(Merge&&) noexcept = default;
Merge& Merge::operator=(Merge&&) noexcept = default;
Merge::~Merge() = default;

const StoredPacket* Merge::next() { return heap_->next(); }
Merge::Iterator& Merge::Iterator::operator++() {
  packet_ = heap_->next();
  return *this;
}
Merge::Iterator Merge::begin() { return {heap_.get(), heap_->next()}; }
PacketRun Merge::run(std::uint64_t packets) { return heap_->run(packets); }
const std::vector<Error>& Merge::problems() const& { return heap_->problems; }
const std::vector<std::string>& Merge::notices() const& { return heap_->notices; }
Merge::Progress Merge::progress() const { return heap_->progress(); }

std::expected<void, Error> Merge::outcome() const {
  if (heap_->problems.empty()) return {};
  auto error = heap_->problems.front();
  if (const auto others = heap_->problems.size() - 1; others > 0)
    error.why += " (and " + std::to_string(others) + " more)";
  return std::unexpected(std::move(error));
}

}  // namespace wirespool
