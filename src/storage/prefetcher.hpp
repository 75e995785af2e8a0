// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "storage/io_error.hpp"
#include "storage/read_file.hpp"

namespace wirespool::storage {

struct PrefetchOptions {
  std::size_t chunk_bytes = 2 << 20;        // a multiple of 4096
  std::size_t chunks = 6;                   // in memory at most
  unsigned threads = 2;                     // reads under way at once
  std::size_t headroom_bytes = 512 << 10;   // the most that next() can be asked to keep; a multiple of 4096
  const std::atomic<bool>* stop = nullptr;  // once true, next() is ECANCELED; not owned
};

// Reads a file from front to back, bypassing the page cache, ahead of its user, on threads of its own. Used by one
// thread.
class Prefetcher {
 public:
  static std::expected<std::unique_ptr<Prefetcher>, IoError> start(const std::string& path,
                                                                   PrefetchOptions options = {});
  ~Prefetcher();
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  std::uint64_t size() const { return file_.size(); }
  bool direct() const { return file_.direct(); }

  // The last `keep` bytes of what the previous call gave, followed by the next chunk; at the end of the file, only
  // those bytes. Valid until the next call.
  std::expected<std::span<const std::byte>, IoError> next(std::size_t keep);

 private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  enum class State { free, filled };
  struct Chunk {
    std::unique_ptr<std::byte, Free> memory;  // headroom, then data
    State state = State::free;
    std::size_t bytes = 0;
    std::optional<IoError> error;
  };

  Prefetcher(ReadFile file, PrefetchOptions options);
  bool take_memory();
  void begin();
  void work();
  bool has_place() const;
  std::byte* data(Chunk& chunk) const { return chunk.memory.get() + options_.headroom_bytes; }
  Chunk& chunk_of(std::uint64_t number) { return chunks_[number % chunks_.size()]; }

  ReadFile file_;
  PrefetchOptions options_;
  std::uint64_t chunks_of_file_ = 0;
  std::vector<Chunk> chunks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t next_to_read_ = 0;  // under mutex_
  bool stop_ = false;               // under mutex_
  std::uint64_t next_to_give_ = 0;  // under mutex_, written by the user only
  bool at_end_ = false;
  std::span<const std::byte> given_;
  std::vector<std::thread> threads_;
};

}  // namespace wirespool::storage
