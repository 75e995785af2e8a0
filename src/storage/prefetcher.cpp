// SPDX-License-Identifier: BSD-3-Clause
#include "storage/prefetcher.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace wirespool::storage {
namespace {

constexpr std::size_t alignment = 4096;

}  // namespace

Prefetcher::Prefetcher(ReadFile file, PrefetchOptions options)
    : file_(std::move(file)),
      options_(options),
      chunks_of_file_((file_.size() + options.chunk_bytes - 1) / options.chunk_bytes),
      chunks_(static_cast<std::size_t>(std::clamp<std::uint64_t>(chunks_of_file_, 1, options.chunks))) {}

std::expected<std::unique_ptr<Prefetcher>, IoError> Prefetcher::start(const std::string& path,
                                                                      PrefetchOptions options) {
  auto file = ReadFile::open(path, ReadFile::Mode::direct);
  if (!file) return std::unexpected(file.error());
  std::unique_ptr<Prefetcher> prefetcher(new Prefetcher(std::move(*file), options));
  if (!prefetcher->take_memory()) return std::unexpected(IoError{"reading " + path + ": aligned_alloc", ENOMEM});
  prefetcher->begin();
  return prefetcher;
}

bool Prefetcher::take_memory() {
  for (auto& chunk : chunks_) {
    chunk.memory.reset(
        static_cast<std::byte*>(std::aligned_alloc(alignment, options_.headroom_bytes + options_.chunk_bytes)));
    if (!chunk.memory) return false;
  }
  return true;
}

void Prefetcher::begin() {
  const auto threads = std::min<std::uint64_t>(options_.threads, chunks_of_file_);
  for (std::uint64_t i = 0; i < threads; ++i) threads_.emplace_back(&Prefetcher::work, this);
}

Prefetcher::~Prefetcher() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

// Whether the next chunk's place is free: the chunk before it there was given, and is no longer needed.
bool Prefetcher::has_place() const {
  return next_to_read_ < next_to_give_ + chunks_.size() && chunks_[next_to_read_ % chunks_.size()].state == State::free;
}

// Each thread takes the next chunk of the file once there is a place for it.
void Prefetcher::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stop_ || next_to_read_ == chunks_of_file_ || has_place(); });
    if (stop_ || next_to_read_ == chunks_of_file_) return;
    const auto number = next_to_read_++;
    auto& chunk = chunk_of(number);
    lock.unlock();
    const auto got = file_.read(number * options_.chunk_bytes, {data(chunk), options_.chunk_bytes});
    lock.lock();
    chunk.error = got ? std::nullopt : std::optional(got.error());
    chunk.bytes = got.value_or(0);
    chunk.state = State::filled;
    changed_.notify_all();
  }
}

std::expected<std::span<const std::byte>, IoError> Prefetcher::next(std::size_t keep) {
  if (options_.stop && *options_.stop) return refused("reading", file_.path(), "it was stopped", ECANCELED);
  const auto kept = given_.last(keep);
  if (at_end_ || next_to_give_ == chunks_of_file_) {
    given_ = kept;
    return given_;
  }
  {
    std::unique_lock lock(mutex_);
    auto& chunk = chunk_of(next_to_give_);
    changed_.wait(lock, [&chunk] { return chunk.state == State::filled; });
    if (chunk.error) return std::unexpected(*chunk.error);
    if (keep > 0) std::memcpy(data(chunk) - keep, kept.data(), keep);
    given_ = {data(chunk) - keep, keep + chunk.bytes};
    at_end_ = chunk.bytes < options_.chunk_bytes;
    if (next_to_give_ > 0) chunk_of(next_to_give_ - 1).state = State::free;
    ++next_to_give_;
  }
  changed_.notify_all();
  return given_;
}

}  // namespace wirespool::storage
