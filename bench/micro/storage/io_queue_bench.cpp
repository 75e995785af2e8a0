// SPDX-License-Identifier: BSD-3-Clause
//
// How fast one thread gets Blocks onto a drive through each IoQueue:
//   io_queue_bench [--json] DIR [MIB] [DEPTH] [BLOCK_KIB]
// It polls, as a writer lcore does, and counts from the first submit() to the last result; three times in turns, the
// median counts. Beside it, on the same machine:
//   fio --name=x --filename=DIR/x --direct=1 --ioengine=io_uring --iodepth=8 --bs=1M --rw=write --size=1G --unlink=1
// fio sleeps while it waits; a polling thread that shares its CPU is stopped instead, so it needs a CPU of its own.
#include <fmt/core.h>
#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "storage/direct_file.hpp"
#include "storage/drive.hpp"
#include "storage/io_queue.hpp"

namespace {

using namespace wirespool::storage;
using Clock = std::chrono::steady_clock;

constexpr unsigned turns = 3;

struct Job {
  std::string directory;
  bool json = false;
  std::uint64_t bytes = std::uint64_t{1024} << 20;
  unsigned depth = 8;
  std::uint32_t block_bytes = 1U << 20;
};

struct Speed {
  double gigabytes_per_s = 0;         // 10^9 bytes
  double synced_gigabytes_per_s = 0;  // with fdatasync(2) inside
  double busy = 0;                    // CPU time of this thread as a share of wall time
};

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "io_queue_bench: {}\n", why);
  std::exit(1);
}

std::span<std::byte> block_memory(std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) give_up("no memory for the Blocks");
  std::memset(memory, 0x5a, bytes);
  return {static_cast<std::byte*>(memory), bytes};
}

double thread_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Keeps `depth` Blocks in flight until all are written; the tag is the Block's place in memory.
void write_all(IoQueue& queue, int fd, const Job& job, std::span<std::byte> memory) {
  std::vector<unsigned> idle(job.depth);
  for (unsigned i = 0; i < job.depth; ++i) idle[i] = i;
  std::uint64_t offset = 0;
  std::vector<WriteResult> results(job.depth);
  while (offset < job.bytes || idle.size() < job.depth) {
    while (offset < job.bytes && !idle.empty()) {
      const std::byte* data = memory.data() + std::size_t{idle.back()} * job.block_bytes;
      if (!queue.submit({fd, data, job.block_bytes, offset, idle.back()})) break;
      idle.pop_back();
      offset += job.block_bytes;
    }
    const std::size_t taken = queue.reap(results);
    for (std::size_t i = 0; i < taken; ++i) {
      if (results[i].result != static_cast<std::int32_t>(job.block_bytes))
        give_up(fmt::format("a write returned {}", results[i].result));
      idle.push_back(static_cast<unsigned>(results[i].tag));
    }
  }
}

Speed measure(IoQueue& queue, const Job& job, bool preallocated, std::span<std::byte> memory) {
  const auto directory = Directory::open(job.directory);
  if (!directory) give_up(directory.error().message());
  auto file = DirectFile::create(*directory, ".io_queue_bench.open", DirectFile::Mode::direct);
  if (!file) give_up(file.error().message());
  if (preallocated)
    if (const auto allocated = file->preallocate(0, job.bytes); !allocated) give_up(allocated.error().message());
  const auto start = Clock::now();
  const double cpu_start = thread_seconds();
  write_all(queue, file->fd(), job, memory);
  const double cpu = thread_seconds() - cpu_start;
  const double written = seconds_since(start);
  const auto synced = file->sync();
  const double total = seconds_since(start);
  if (const auto gone = file->discard(); !gone || !synced) give_up("sync or unlink failed");
  const double gigabytes = static_cast<double>(job.bytes) / 1e9;
  return {gigabytes / written, gigabytes / total, cpu / written};
}

// One way to write, and what it reached.
struct Way {
  std::string name;
  IoQueue* queue;
  bool preallocated;
  std::vector<Speed> speeds = {};
};

Job parse(std::vector<std::string> words) {
  const auto json = std::ranges::find(words, "--json");
  Job job;
  job.json = json != words.end();
  if (job.json) words.erase(json);
  if (words.empty() || words.size() > 4) give_up("usage: io_queue_bench [--json] DIR [MIB] [DEPTH] [BLOCK_KIB]");
  const auto number = [&](std::size_t i, unsigned otherwise) {
    const unsigned long value = words.size() > i ? std::strtoul(words[i].c_str(), nullptr, 10) : otherwise;
    if (value == 0 || value > (1U << 20)) give_up(fmt::format("not a number that makes sense: {}", words[i]));
    return static_cast<unsigned>(value);
  };
  job.directory = words[0];
  job.depth = number(2, 8);
  job.block_bytes = number(3, 1024) << 10;
  job.bytes = (std::uint64_t{number(1, 1024)} << 20) / job.block_bytes * job.block_bytes;
  return job;
}

// Only io_uring's thread polls; in pwrite(2) it sleeps.
bool polls(const Way& way) { return way.name.starts_with("uring"); }

void print_text(const std::vector<Way>& ways) {
  fmt::print("{:22} {:>9} {:>14} {:>5}\n", "queue", "GB/s", "GB/s, synced", "CPU");
  for (const auto& way : ways) {
    const Speed& middle = way.speeds[turns / 2];
    const bool shared = polls(way) && middle.busy < 0.98;
    fmt::print("{:22} {:9.2f} {:14.2f} {:5.2f}{}\n", way.name, middle.gigabytes_per_s, middle.synced_gigabytes_per_s,
               middle.busy, shared ? "  inconclusive: not a whole CPU to poll with" : "");
  }
}

// Nanoseconds per write, as the other small programs print them.
void print_json(const std::vector<Way>& ways, const Job& job) {
  const auto ns = [&](const Speed& speed) { return job.block_bytes / speed.gigabytes_per_s; };
  for (const auto& way : ways) {
    const Speed& middle = way.speeds[turns / 2];
    fmt::print(
        "{{\"case\": \"write of {} KiB\", \"name\": \"{}\", \"ns\": {:.0f}, \"low_ns\": {:.0f}, \"high_ns\": {:.0f}, "
        "\"shortfall\": {:.4f}}}\n",
        job.block_bytes >> 10, way.name, ns(middle), ns(way.speeds.back()), ns(way.speeds.front()),
        polls(way) ? 1 - middle.busy : 0.0);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Job job = parse({argv + 1, argv + argc});
  const auto drive = inspect_drive(job.directory);
  if (!drive) give_up(drive.error().message());
  const auto memory = block_memory(std::size_t{job.depth} * job.block_bytes);
  const auto uring = make_uring_queue({.entries = job.depth, .registered = memory});
  const auto pwrite = make_pwrite_queue({.entries = job.depth});
  if (!uring) give_up(uring.error().message());
  if (!(*uring)->notice().empty()) fmt::print(stderr, "{}\n", (*uring)->notice());
  std::vector<Way> ways{{"pwrite, preallocated", pwrite.get(), true},
                        {"uring, preallocated", uring->get(), true},
                        {"pwrite, growing file", pwrite.get(), false},
                        {"uring, growing file", uring->get(), false}};
  for (unsigned turn = 0; turn < turns; ++turn)
    for (auto& way : ways) way.speeds.push_back(measure(*way.queue, job, way.preallocated, memory));
  for (auto& way : ways) std::ranges::sort(way.speeds, {}, &Speed::gigabytes_per_s);
  if (job.json) return print_json(ways, job), 0;
  fmt::print("{} on {} ({}, {} bytes a block, O_DIRECT {}): {} MiB, depth {}, {} KiB a write\n", drive->real_path,
             drive->file_system, drive->device_name, drive->block_bytes, drive->direct_io ? "yes" : "no",
             job.bytes >> 20, job.depth, job.block_bytes >> 10);
  print_text(ways);
}
