// SPDX-License-Identifier: BSD-3-Clause
#include "tools/bench_drive.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <random>
#include <thread>

namespace wirespool::tools {
namespace {

// So that a drive gains nothing by compressing or by finding equal blocks.
void fill_with_noise(std::byte* memory, std::size_t bytes, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (std::size_t at = 0; at + 8 <= bytes; at += 8) {
    const auto word = random();
    std::memcpy(memory + at, &word, 8);
  }
}

}  // namespace

std::uint64_t monotonic_ns() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

void BenchDrive::FreeBuffers::operator()(std::byte* buffers) const { std::free(buffers); }

BenchDrive::BenchDrive(std::string directory, const DiskBenchOptions& options, bool direct)
    : directory_(std::move(directory)), options_(options), direct_(direct), submitted_at_(options.depth) {
  latencies_.reserve(options.blocks * options.runs);
}

std::expected<BenchDrive, storage::IoError> BenchDrive::open(const std::string& directory,
                                                             const DiskBenchOptions& options, bool direct) {
  BenchDrive drive(directory, options, direct);
  const auto bytes = options.depth * options.block_bytes;
  drive.buffers_.reset(static_cast<std::byte*>(std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096)));
  if (!drive.buffers_) return std::unexpected(storage::IoError{"buffers for " + directory, ENOMEM});
  fill_with_noise(drive.buffers_.get(), bytes, 0x5eed);
  if (auto opened = drive.open_queue(); !opened) return std::unexpected(opened.error());
  return drive;
}

std::expected<void, storage::IoError> BenchDrive::open_queue() {
  const storage::IoQueueOptions options{options_.depth, {buffers_.get(), options_.depth * options_.block_bytes}, -1};
  if (!options_.uring) {
    queue_ = storage::make_pwrite_queue(options);
    return {};
  }
  auto queue = storage::make_uring_queue(options);
  if (!queue) return std::unexpected(queue.error());
  queue_ = std::move(*queue);
  notice_ = queue_->notice();
  return {};
}

std::expected<void, storage::IoError> BenchDrive::prepare() {
  file_.clear();
  const auto mode = direct_ ? storage::ScratchFile::Mode::direct : storage::ScratchFile::Mode::buffered;
  auto file = storage::ScratchFile::create(directory_, mode);
  if (!file) return std::unexpected(file.error());
  // Where fallocate(2) is not supported, writes extend the file, as a capture's would.
  const auto allocated = file->preallocate(options_.blocks * options_.block_bytes);
  if (!allocated && allocated.error().code != EOPNOTSUPP) return allocated;
  file_.push_back(std::move(*file));
  free_buffers_.clear();
  for (std::uint32_t buffer = 0; buffer < options_.depth; ++buffer) free_buffers_.push_back(buffer);
  next_block_ = done_blocks_ = 0;
  failure_ = 0;
  latencies_before_ = latencies_.size();
  return {};
}

bool BenchDrive::submit_next(std::uint64_t now) {
  if (next_block_ == options_.blocks || free_buffers_.empty() || failure_ != 0) return false;
  const auto buffer = free_buffers_.back();
  submitted_at_[buffer] = now;  // before submit(), because a pwrite is over when that returns
  if (!queue_->submit({file_.front().fd(), buffers_.get() + buffer * options_.block_bytes,
                       static_cast<std::uint32_t>(options_.block_bytes), next_block_ * options_.block_bytes, buffer})) {
    return false;
  }
  free_buffers_.pop_back();
  ++next_block_;
  return true;
}

void BenchDrive::take(const storage::WriteResult& result, std::uint64_t now) {
  const auto buffer = static_cast<std::uint32_t>(result.tag);
  free_buffers_.push_back(buffer);
  if (result.result < 0) {
    failure_ = -result.result;
  } else if (static_cast<std::uint64_t>(result.result) != options_.block_bytes) {
    failure_ = EIO;  // a short write into allocated room
  } else {
    latencies_.push_back(now - submitted_at_[buffer]);
    last_done_at_ = now;
    ++done_blocks_;
  }
}

std::size_t BenchDrive::reap() {
  std::array<storage::WriteResult, 64> results;
  const auto count = queue_->reap(results);
  const auto now = monotonic_ns();
  for (std::size_t i = 0; i < count; ++i) take(results[i], now);
  return count;
}

std::expected<void, storage::IoError> BenchDrive::outcome() const {
  if (failure_ == 0) return {};
  return std::unexpected(storage::IoError{"writing in " + directory_, failure_});
}

std::expected<DriveRun, storage::IoError> BenchDrive::run(const std::atomic<bool>& stop) {
  constexpr unsigned patience = 200;  // looks before a sleep: small blocks finish at once, large ones take milliseconds
  const auto began = last_done_at_ = monotonic_ns();
  unsigned idle = 0;
  while (true) {
    bool moved = false;
    const bool going = !stop.load(std::memory_order_relaxed);
    // one at a time, so that a queue that writes in submit() is reaped, and its latency measured, after each
    if (going) moved = submit_next(monotonic_ns());
    moved = reap() != 0 || moved;
    const bool in_flight = free_buffers_.size() < options_.depth;
    if (!in_flight && (!going || failure_ != 0 || next_block_ == options_.blocks)) break;
    idle = moved ? 0 : idle + 1;
    if (idle > patience) std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
  if (auto result = outcome(); !result) return std::unexpected(result.error());
  DriveRun run{done_blocks_ * options_.block_bytes, last_done_at_ - began, 0};
  const auto sync_began = monotonic_ns();
  if (auto synced = file_.front().sync(); !synced) return std::unexpected(synced.error());
  run.sync_ns = monotonic_ns() - sync_began;
  file_.clear();
  return run;
}

}  // namespace wirespool::tools
