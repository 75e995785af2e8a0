// SPDX-License-Identifier: BSD-3-Clause
//
// The flow table beside rte_hash: flow_hash_bench [--json] [EAL's options]
// Packets of 1 k, 100 k and 1 M flows, drawn at random, looked up in Bursts of 64 and counted in records of two cache
// lines: by rte_hash (bulk look-up with the hash given, its data the record's number) and by our table, both in EAL's
// memory, which is hugepages (700 MiB) unless --no-huge is given. Neither ages here.
#include <rte_eal.h>
#include <rte_hash.h>
#include <rte_malloc.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "contest/contest.hpp"
#include "flow/flow_table.hpp"

namespace {

using namespace wirespool;

constexpr std::size_t burst = flow::FlowTable::most_packets;

void start_eal(std::vector<std::string> words) {
  words.insert(words.begin(),
               {"flow_hash_bench", "--no-pci", "-m", "700", "--in-memory", "-l", "0", "--log-level", "3"});
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) throw std::runtime_error("EAL does not start");
}

std::span<std::byte> take(std::size_t bytes) {
  auto* const memory = static_cast<std::byte*>(rte_zmalloc("bench", bytes, 64));
  if (!memory) throw std::runtime_error("no memory");
  return {memory, bytes};
}

class Packets {
 public:
  explicit Packets(std::uint64_t flows) : flows_(flows) {}

  void fill(std::uint64_t number, flow::FlowPacket& packet) {
    packet.key.low = {number, 1};
    packet.key.high = {number, 2};
    packet.key.protocol = 17;
    packet.time_ns = now_ += 100;
    packet.ip_bytes = packet.wirelen = 60;
  }
  std::span<flow::FlowPacket> next() {
    for (auto& packet : packets_) {
      state_ = state_ * 6364136223846793005 + 1442695040888963407;
      fill((state_ >> 32) * flows_ >> 32, packet);
    }
    return packets_;
  }

 private:
  std::uint64_t flows_, state_ = 1, now_ = 1'000'000'000;
  std::array<flow::FlowPacket, burst> packets_{};
};

// Made, looked up and counted in as a capture would with rte_hash.
class RteHash {
 public:
  explicit RteHash(std::uint64_t flows)
      : packets_(flows), flows_(reinterpret_cast<flow::Flow*>(take(flows * sizeof(flow::Flow)).data())) {
    const auto name = "flows_" + std::to_string(flows);
    rte_hash_parameters parameters{};
    parameters.name = name.c_str();
    parameters.entries = static_cast<std::uint32_t>(flows + flows / 2);
    parameters.key_len = sizeof(flow::FlowKey);
    parameters.hash_func = [](const void*, std::uint32_t, std::uint32_t) { return 0u; };  // it is always given
    hash_ = rte_hash_create(&parameters);
    if (!hash_) throw std::runtime_error("rte_hash_create");
    flow::FlowPacket packet;
    for (std::uint64_t i = 0; i < flows; ++i) {
      packets_.fill(i, packet);
      if (rte_hash_add_key_with_hash_data(hash_, &packet.key, hash_of(packet), reinterpret_cast<void*>(i)) < 0)
        throw std::runtime_error("rte_hash is full");
    }
  }
  RteHash(const RteHash&) = delete;
  ~RteHash() {
    rte_hash_free(hash_);
    rte_free(flows_);
  }

  void look(std::uint64_t times) {
    for (std::uint64_t done = 0; done < times; done += burst) look(packets_.next());
  }

 private:
  static std::uint32_t hash_of(const flow::FlowPacket& packet) {
    return static_cast<std::uint32_t>(packet.key.hash(0));
  }

  void look(std::span<flow::FlowPacket> packets) {
    std::array<const void*, burst> keys;
    std::array<std::uint32_t, burst> hashes;
    std::array<void*, burst> numbers;
    std::uint64_t hits = 0;
    for (std::size_t i = 0; i < burst; ++i) {
      keys[i] = &packets[i].key;
      hashes[i] = hash_of(packets[i]);
    }
    rte_hash_lookup_with_hash_bulk_data(hash_, keys.data(), hashes.data(), burst, &hits, numbers.data());
    for (auto* number : numbers) __builtin_prefetch(&flows_[reinterpret_cast<std::uintptr_t>(number)].packets, 1);
    for (std::size_t i = 0; i < burst; ++i) {
      auto& flow = flows_[reinterpret_cast<std::uintptr_t>(numbers[i])];
      packets[i].before = flow.frame_bytes;
      flow.frame_bytes += packets[i].wirelen;
      flow.last_ns = packets[i].time_ns;
      ++flow.packets[0];
      flow.bytes[0] += packets[i].ip_bytes;
      flow.tcp_flags[0] |= packets[i].tcp_flags;
    }
  }

  Packets packets_;
  flow::Flow* flows_;
  rte_hash* hash_ = nullptr;
};

class Ours {
 public:
  explicit Ours(std::uint64_t flows)
      : packets_(flows),
        memory_(take(flow::FlowTable::bytes_needed(flows))),
        table_(memory_, {.flows = flows}, nullptr) {
    flow::FlowPacket packet;
    for (std::uint64_t i = 0; i < flows; ++i) {
      packets_.fill(i, packet);
      table_.look({&packet, 1});
    }
  }
  Ours(const Ours&) = delete;
  ~Ours() { rte_free(memory_.data()); }

  void look(std::uint64_t times) {
    for (std::uint64_t done = 0; done < times; done += burst) table_.look(packets_.next());
  }

 private:
  Packets packets_;
  std::span<std::byte> memory_;
  flow::FlowTable table_;
};

}  // namespace

int main(int argc, char** argv) {
  const bool json = bench::wants_json({argv + 1, argv + argc});
  std::vector<std::string> words(argv + 1, argv + argc);
  std::erase(words, "--json");
  start_eal(words);
  for (const auto& [flows, name] :
       {std::pair{1'000u, "1 k flows"}, {100'000u, "100 k flows"}, {1'000'000u, "1 M flows"}}) {
    RteHash theirs(flows);
    Ours ours(flows);
    bench::Contest contest(name, {.json = json});
    contest.add("rte_hash", [&](auto times) { theirs.look(times); });
    contest.add("our table", [&](auto times) { ours.look(times); });
    contest.run();
  }
  rte_eal_cleanup();
}
