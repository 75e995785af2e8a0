// SPDX-License-Identifier: BSD-3-Clause
// Traces through net_pcap: what goes in comes out, byte for byte and in order.
#include "bench.hpp"
#include "books.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"

using namespace wirespool::test;

namespace {

struct Replay {
  const char* kind;
  std::uint64_t packets;
  unsigned drives, writers;
  const char* io;
  const char* block_size;
  std::uint32_t snaplen = 262144;
};

std::ostream& operator<<(std::ostream& out, const Replay& replay) {
  return out << replay.packets << " of " << replay.kind << " to " << replay.drives << " drives by " << replay.writers
             << " writers, " << replay.io << ", Blocks of " << replay.block_size << ", snaplen " << replay.snaplen;
}

CaptureCommand capture_of(const Replay& replay, const Bench& bench) {
  CaptureCommand capture{.vdevs = {replay_of({bench.trace()})},
                         .outputs = bench.outputs,
                         .options = until_packets(replay.packets, {"--io", replay.io, "--block-size", replay.block_size,
                                                                   "--snaplen", std::to_string(replay.snaplen)}),
                         .lcores = 2 + replay.writers};
  if (replay.writers == 2) capture.options.insert(capture.options.end(), {"--writer-lcores", "2,3"});
  return capture;
}

}  // namespace

TEST_CASE("a trace comes back complete, in order and with its own bytes") {
  const auto replay = GENERATE(values<Replay>({
      {"60", 100'000, 1, 1, "uring", "1MiB"},
      {"60", 100'000, 3, 2, "uring", "64KiB"},
      {"1514", 100'000, 2, 1, "uring", "1MiB"},
      {"mixed", 100'000, 2, 2, "uring", "64KiB"},
      {"mixed", 100'000, 3, 1, "pwrite", "64KiB"},
      {"mixed", 100'000, 1, 2, "pwrite", "1MiB"},
      {"mixed", 100'000, 3, 2, "uring", "64KiB", 96},
      {"jumbo", 100'000, 3, 2, "uring", "1MiB"},
      {"jumbo", 10'000, 2, 1, "uring", "4KiB"},  // a record over four Blocks
      {"jumbo", 10'000, 2, 1, "pwrite", "64KiB", 4000},
      {"vlan", 30'000, 2, 1, "uring", "64KiB"},
      {"qinq", 30'000, 1, 2, "uring", "64KiB"},
      {"empty", 30'000, 2, 1, "pwrite", "64KiB"},
      {"lengths", 30'000, 3, 1, "uring", "64KiB"},
      {"non-ip", 30'000, 1, 1, "uring", "64KiB"},
      {"ipv6", 30'000, 2, 2, "pwrite", "64KiB"},
  }));
  CAPTURE(replay);
  const Bench bench(replay.drives);
  write_trace({.kind = replay.kind, .packets = replay.packets}, bench.trace());
  const auto result = run_capture(capture_of(replay, bench));
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.total("received") == replay.packets);
  CHECK(compare_spool_in_order(bench.trace(), bench.outputs, replay.snaplen) == "");
  CHECK(compare_each_file(bench.trace(), bench.outputs, replay.snaplen) == "");
}

// net_pcap tells a frame's whole length and chains fewer bytes, for it counts them in 16 bits.
TEST_CASE("a frame over 64 KiB is stored as far as its mbufs hold it, without anything that lay in memory") {
  const auto handoff = GENERATE(values({"packets", "blocks"}));
  const auto block_size = GENERATE(values({"64KiB", "1MiB"}));
  CAPTURE(handoff, block_size);
  const Bench bench;
  Trace sent;
  for (int round = 0; round < 3; ++round)
    for (const std::uint32_t bytes : {65'535u, 65'536u, 65'550u, 100'000u, 131'072u, 200'000u, 262'144u})
      sent.append({1'767'225'600'000'000'000 + sent.size()},
                  std::vector(bytes, static_cast<std::byte>('A' + sent.size())), bytes);
  write_pcap(sent, bench.trace());
  const auto result = run_capture(
      {.vdevs = {replay_of({bench.trace()})},
       .outputs = bench.outputs,
       .options = until_packets(sent.size(), {"--handoff", handoff, "--block-size", block_size, "--blocks", "32"})});
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  SpoolStream stored(bench.outputs);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const auto packet = stored.next();
    REQUIRE(packet);
    CHECK(packet->wirelen == sent[i].wirelen);
    CHECK(packet->bytes.size() >= (sent[i].wirelen < 65'536 ? sent[i].wirelen : 0));
    REQUIRE(packet->bytes.size() <= sent[i].bytes.size());
    CHECK(std::ranges::equal(packet->bytes, sent[i].bytes.first(packet->bytes.size())));
  }
}

TEST_CASE("every packet is as long as tshark says it was sent") {
  const Bench bench(2);
  write_trace({.kind = "mixed", .packets = 5'000}, bench.trace());
  const auto result = run_capture({.vdevs = {replay_of({bench.trace()})},
                                   .outputs = bench.outputs,
                                   .options = until_packets(5'000, {"--block-size", "64KiB", "--snaplen", "80"})});
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(ask_outside(bench.outputs, true) == "");
  const auto lengths_of = [](const std::filesystem::path& file) {
    return run_process({"tshark", "-n", "-r", file, "-T", "fields", "-e", "frame.len"}).out;
  };
  const auto merged = bench.base / "merged.pcapng";
  Command merge{"mergecap", "-w", merged};
  for (const auto& output : bench.outputs)
    for (const auto& entry : std::filesystem::directory_iterator(output))
      if (entry.path().extension() == ".pcap") merge.push_back(entry.path());
  REQUIRE(run_process(merge).ok());
  CHECK(lengths_of(merged) == lengths_of(bench.trace()));
}
