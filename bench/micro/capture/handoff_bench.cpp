// SPDX-License-Identifier: BSD-3-Clause
//
// What it costs to get packets from one CPU to another: handoff_bench [--json]
// A producer on the first CPU this process may use, a consumer on the second, Bursts of 64, a ring of 1024. Baseline:
// an rte_ring of pointers that nobody follows. A writer needs the length, the data's address and the stamp of each
// packet: with pointers the consumer reads them from the mbuf, whose header the producer has just written; a Handoff
// carries them.
#include <pthread.h>
#include <rte_eal.h>
#include <rte_pause.h>
#include <sched.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "capture/handoff.hpp"
#include "contest/contest.hpp"
#include "contest/frames.hpp"
#include "dpdk/refer.hpp"
#include "record/packet_ref.hpp"

namespace {

using namespace wirespool;
using namespace wirespool::capture;
using namespace wirespool::dpdk;
using bench::keep;

constexpr unsigned burst = 64;
constexpr unsigned ring_size = 1024;
constexpr std::size_t buffers = 3072;

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}

void stay_on(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

void start_eal(int cpu) {
  static std::vector<std::string> words{"handoff_bench",
                                        "--no-huge",
                                        "--no-pci",
                                        "-m",
                                        "64",
                                        "--no-telemetry",
                                        "--no-shconf",
                                        "--lcores",
                                        "0@" + std::to_string(cpu),
                                        "--log-level",
                                        "error"};
  static std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) throw std::runtime_error("EAL does not start");
}

// mbufs without a pool: only their headers matter here.
class Mbufs {
 public:
  explicit Mbufs(StampField field) : field_(field), memory_(bench::take_memory(buffers * bench::object_bytes).bytes) {
    for (std::size_t i = 0; i < buffers; ++i) {
      auto* mbuf = reinterpret_cast<rte_mbuf*>(memory_.data() + i * bench::object_bytes + 64);
      mbuf->buf_addr = mbuf + 1;
      mbuf->data_off = 128;
      mbuf->nb_segs = 1;
      mbuf->refcnt = 1;
      mbuf->pkt_len = mbuf->data_len = 60;
      all_.push_back(mbuf);
    }
  }

  // What a receive call and the RX lcore leave in the header: written anew each time.
  std::span<rte_mbuf*> receive(unsigned count) {
    if (at_ + count > all_.size()) at_ = 0;
    const auto some = std::span(all_).subspan(at_, count);
    at_ += count;
    for (auto* mbuf : some) {
      mbuf->pkt_len = mbuf->data_len = 60;
      field_.of(mbuf) = ++stamp_;
    }
    return some;
  }
  StampField field() const { return field_; }

 private:
  StampField field_;
  std::span<std::byte> memory_;
  std::vector<rte_mbuf*> all_;
  std::size_t at_ = 0;
  std::uint64_t stamp_ = 0;
};

// The other CPU: polls for work from its construction on, so that no turn pays for starting a thread.
class OtherCpu {
 public:
  using Consume = std::function<unsigned()>;

  explicit OtherCpu(int cpu) : thread_([this, cpu] { poll(cpu); }) {
    while (left_.load() != 0) sched_yield();  // until it is where it belongs
  }
  ~OtherCpu() {
    stop_.store(true);
    thread_.join();
  }

  void begin(std::uint64_t packets, const Consume& consume) {
    consume_ = &consume;
    left_.store(packets, std::memory_order_release);
  }
  void wait() const {
    while (left_.load(std::memory_order_acquire) != 0) rte_pause();
  }

 private:
  void poll(int cpu) {
    stay_on(cpu);
    left_.store(0);
    while (!stop_.load(std::memory_order_relaxed)) {
      const std::uint64_t packets = left_.load(std::memory_order_acquire);
      for (std::uint64_t left = packets; left;) {
        const unsigned taken = (*consume_)();
        left -= taken;
        if (taken == 0) rte_pause();
      }
      if (packets) left_.store(0, std::memory_order_release);
    }
  }

  const Consume* consume_ = nullptr;
  alignas(64) std::atomic<std::uint64_t> left_{1};
  alignas(64) std::atomic<bool> stop_{false};
  std::thread thread_;
};

// Runs both ends until `times` packets have crossed.
template <typename Produce>
void across(OtherCpu& other, std::uint64_t times, Produce produce, const OtherCpu::Consume& consume) {
  other.begin(times, consume);
  for (std::uint64_t left = times; left;) {
    const unsigned given = produce(static_cast<unsigned>(std::min<std::uint64_t>(burst, left)));
    left -= given;
    if (given == 0) rte_pause();
  }
  other.wait();
}

unsigned enqueue(rte_ring* ring, Mbufs& mbufs, unsigned count) {
  const unsigned room = std::min(count, rte_ring_free_count(ring));
  if (room == 0) return 0;
  return rte_ring_sp_enqueue_burst(ring, reinterpret_cast<void**>(mbufs.receive(room).data()), room, nullptr);
}

template <typename Look>
unsigned dequeue(rte_ring* ring, Look look) {
  std::array<void*, burst> taken;
  const unsigned count = rte_ring_sc_dequeue_burst(ring, taken.data(), burst, nullptr);
  for (unsigned i = 0; i < count; ++i) look(static_cast<rte_mbuf*>(taken[i]));
  return count;
}

unsigned hand_over(Handoff& handoff, Mbufs& mbufs, unsigned count) {
  const auto room = handoff.reserve(count);
  const auto got = static_cast<unsigned>(room.first.size() + room.second.size());
  if (got == 0) return 0;
  rte_mbuf* const* mbuf = mbufs.receive(got).data();
  const OwnedRef refer{{mbufs.field(), record::max_snaplen}, nullptr};
  for (auto& ref : room.first) ref = refer(*mbuf++);
  for (auto& ref : room.second) ref = refer(*mbuf++);
  handoff.publish(got);
  return got;
}

unsigned take_over(Handoff& handoff) {
  const auto refs = handoff.peek(burst);
  for (const auto& span : {refs.first, refs.second})
    for (const auto& ref : span) keep(ref.stamp.ns + ref.wirelen + reinterpret_cast<std::uintptr_t>(ref.head));
  const auto count = refs.first.size() + refs.second.size();
  if (count) handoff.consume(count);
  return static_cast<unsigned>(count);
}

void compare(OtherCpu& other, bool json) {
  const auto field = StampField::registered();
  Mbufs mbufs(field);
  rte_ring* ring = rte_ring_create("pointers", ring_size, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
  auto handoff = Handoff::create("handoff", ring_size, SOCKET_ID_ANY);
  if (!ring || !handoff) throw std::runtime_error("no memory for the rings");
  const auto put = [&](unsigned count) { return enqueue(ring, mbufs, count); };
  const auto put_refs = [&](unsigned count) { return hand_over(*handoff, mbufs, count); };
  const OtherCpu::Consume ignore = [&] { return dequeue(ring, [](rte_mbuf* mbuf) { keep(mbuf); }); };
  const OtherCpu::Consume follow = [&] {
    return dequeue(ring, [&](rte_mbuf* mbuf) {
      keep(field.of(mbuf) + mbuf->pkt_len + reinterpret_cast<std::uintptr_t>(rte_pktmbuf_mtod(mbuf, const std::byte*)));
    });
  };
  const OtherCpu::Consume read_refs = [&] { return take_over(*handoff); };

  bench::Contest contest("hand-off", {.json = json, .threads = 2, .slice_s = 0.05});
  contest.add("rte_ring of pointers, not followed", [&](auto times) { across(other, times, put, ignore); });
  contest.add("rte_ring of pointers, mbufs read", [&](auto times) { across(other, times, put, follow); });
  contest.add("Handoff of PacketRefs, read", [&](auto times) { across(other, times, put_refs, read_refs); });
  contest.run();
  rte_ring_free(ring);
}

}  // namespace

int main(int argc, char** argv) try {
  const auto cpus = allowed_cpus();
  if (cpus.size() < 2) throw std::runtime_error("two CPUs are needed");
  start_eal(cpus[0]);
  OtherCpu other(cpus[1]);
  compare(other, bench::wants_json({argv + 1, argv + argc}));
  rte_eal_cleanup();
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "handoff_bench: %s\n", error.what());
  return 1;
}
