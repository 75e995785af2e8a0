// SPDX-License-Identifier: BSD-3-Clause
//
// What copying frames costs, and nothing else: frame_copy [--mbufs N] [--block-size BYTES] [--blocks N] [--seconds S]
// TRACE.pcap
//
// The frames of the trace lie one to a buffer in N buffers that are as far apart as mbufs in a DPDK pool, each behind
// as much headroom, in hugepages if there are any; frame i of the trace is in buffers i, i + packets, ... They are
// copied in that order, round and round, each by one memcpy(3) of its own length, back to back into Blocks of the given
// size: one Block, as
// `--until block` uses (a dropped Block is the next one taken), or --blocks of them. No record headers, no stamps, no
// rings, no freeing. Prints JSON lines: one at the start, one at the end with frames per second and the CPU time of
// this thread.
#include <fmt/core.h>
#include <sys/mman.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/trace.hpp"

namespace {

using namespace wirespool;
using Clock = std::chrono::steady_clock;

constexpr std::size_t object_bytes =
    2368;  // rte_mempool object: header 64, rte_mbuf 128, data room 2048 + 128 headroom
constexpr std::size_t data_at = 64 + 128 + 128;
constexpr std::size_t huge_page = 2 << 20;

struct Job {
  std::string trace;
  std::size_t mbufs = 8192;
  std::size_t block_bytes = 1 << 20;
  std::size_t blocks = 1;
  double seconds = 2;
};

struct Frame {
  const std::byte* data;
  std::size_t bytes;
};

struct Memory {
  std::span<std::byte> bytes;
  bool huge = false;
};

Job parse(int argc, char** argv) {
  Job job;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (!word.starts_with("--")) {
      job.trace = word;
      continue;
    }
    if (++i == argc) throw std::invalid_argument(word + " needs a value");
    if (word == "--mbufs")
      job.mbufs = std::stoul(argv[i]);
    else if (word == "--block-size")
      job.block_bytes = std::stoul(argv[i]);
    else if (word == "--blocks")
      job.blocks = std::stoul(argv[i]);
    else if (word == "--seconds")
      job.seconds = std::stod(argv[i]);
    else
      throw std::invalid_argument("no option " + word);
  }
  if (job.trace.empty()) throw std::invalid_argument("a trace is needed");
  if (job.mbufs == 0 || job.blocks == 0 || job.block_bytes < object_bytes)
    throw std::invalid_argument("too little memory");
  return job;
}

Memory take_memory(std::size_t bytes) {
  const std::size_t rounded = (bytes + huge_page - 1) / huge_page * huge_page;
  const auto map = [&](int flags) {
    return ::mmap(nullptr, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | flags, -1, 0);
  };
  void* memory = map(MAP_HUGETLB);
  const bool huge = memory != MAP_FAILED;
  if (!huge) memory = map(0);
  if (memory == MAP_FAILED) throw std::runtime_error("no memory");
  return {{static_cast<std::byte*>(memory), rounded}, huge};
}

std::vector<Frame> lay_out(const test::Trace& trace, std::span<std::byte> pool, std::size_t mbufs) {
  std::vector<Frame> frames;
  for (std::size_t i = 0; i < mbufs; ++i) {
    const auto packet = trace[i % trace.size()];
    if (packet.bytes.size() > object_bytes - data_at) throw std::runtime_error("a frame is longer than a buffer");
    std::byte* const data = pool.data() + i * object_bytes + data_at;
    std::memcpy(data, packet.bytes.data(), packet.bytes.size());
    frames.push_back({data, packet.bytes.size()});
  }
  return frames;
}

// Where the next frame goes: Block after Block, round and round.
struct Target {
  std::span<std::byte> memory;
  std::size_t block_bytes;
  std::byte* to = memory.data();
  const std::byte* block_end = to + block_bytes;

  void next_block() noexcept {
    const auto end = static_cast<std::size_t>(block_end - memory.data());
    to = memory.data() + (end == memory.size() ? 0 : end);
    block_end = to + block_bytes;
  }
};

void copy_all(const std::vector<Frame>& frames, Target& shared) noexcept {
  Target target = shared;  // a local: what is written through std::byte* may be anything else
  for (const auto& frame : frames) {
    if (frame.bytes > static_cast<std::size_t>(target.block_end - target.to)) target.next_block();
    std::memcpy(target.to, frame.data, frame.bytes);
    target.to += frame.bytes;
  }
  shared = target;
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double thread_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

void run(const Job& job) {
  const auto trace = test::read_pcap(job.trace);
  if (trace.size() == 0) throw std::runtime_error("the trace is empty");
  const auto pool = take_memory(job.mbufs * object_bytes);
  const auto blocks = take_memory(job.blocks * job.block_bytes);
  Target target{blocks.bytes.first(job.blocks * job.block_bytes), job.block_bytes};
  const auto frames = lay_out(trace, pool.bytes, job.mbufs);
  copy_all(frames, target);
  fmt::print("{{\"memory\": \"{}\"}}\n", pool.huge && blocks.huge ? "hugepages" : "4 KiB pages");
  std::fflush(stdout);
  std::uint64_t copied = 0;
  const auto start = Clock::now();
  const double cpu_start = thread_seconds();
  while (seconds_since(start) < job.seconds) {
    copy_all(frames, target);
    copied += frames.size();
  }
  const double wall = seconds_since(start);
  fmt::print("{{\"mpps\": {:.4f}, \"wall_s\": {:.4f}, \"cpu_s\": {:.4f}}}\n", static_cast<double>(copied) / wall / 1e6,
             wall, thread_seconds() - cpu_start);
}

}  // namespace

int main(int argc, char** argv) try {
  run(parse(argc, argv));
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "frame_copy: {}\n", error.what());
  return 1;
}
