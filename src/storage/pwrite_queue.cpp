// SPDX-License-Identifier: BSD-3-Clause
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "storage/io_queue.hpp"

namespace wirespool::storage {
namespace {

std::int32_t write_now(const WriteRequest& request) noexcept {
  ssize_t written = 0;
  do {
    written = ::pwrite(request.fd, request.data, request.bytes, static_cast<off_t>(request.offset));
  } while (written < 0 && errno == EINTR);
  return written < 0 ? -errno : static_cast<std::int32_t>(written);  // at most 0x7ffff000: write(2), NOTES
}

// Owned and used by one thread. Results wait in a ring of as many places as writes may be in flight.
class PwriteQueue final : public IoQueue {
 public:
  explicit PwriteQueue(unsigned entries) : waiting_(std::max(entries, 1U)) {}

  bool submit(const WriteRequest& request) noexcept override {
    if (count_ == waiting_.size()) return false;
    waiting_[(first_ + count_) % waiting_.size()] = {request.tag, write_now(request)};
    ++count_;
    return true;
  }

  std::size_t reap(std::span<WriteResult> results) noexcept override {
    const std::size_t taken = std::min(results.size(), count_);
    for (std::size_t i = 0; i < taken; ++i) results[i] = waiting_[(first_ + i) % waiting_.size()];
    first_ = (first_ + taken) % waiting_.size();
    count_ -= taken;
    return taken;
  }

 private:
  std::vector<WriteResult> waiting_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace

std::unique_ptr<IoQueue> make_pwrite_queue(const IoQueueOptions& options) {
  return std::make_unique<PwriteQueue>(options.entries);
}

}  // namespace wirespool::storage
