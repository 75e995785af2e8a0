// SPDX-License-Identifier: BSD-3-Clause
//
// What copying frames costs, and nothing else:
//   frame_copy [--mbufs N] [--block-size BYTES] [--blocks N] [--seconds S] TRACE.pcap
//
// The frames of the trace lie one to a buffer in N buffers that are as far apart as mbufs in a DPDK pool, each behind
// as much headroom, in hugepages if there are any; frame i of the trace is in buffers i, i + packets, ... They are
// copied in that order, round and round, each by one memcpy(3) of its own length, back to back into Blocks of the given
// size: one Block, as `--until block` uses (a dropped Block is the next one taken), or --blocks of them. No record
// headers, no stamps, no rings, no freeing. Prints JSON lines: one at the start, one at the end with frames per second
// and the CPU time of this thread.
#include <fmt/core.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <stdexcept>
#include <string>

#include "contest/frames.hpp"
#include "support/trace.hpp"

namespace {

using namespace wirespool;
using namespace wirespool::bench;
using Clock = std::chrono::steady_clock;

struct Job {
  std::string trace;
  std::size_t mbufs = 8192;
  std::size_t block_bytes = 1 << 20;
  std::size_t blocks = 1;
  double seconds = 2;
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
