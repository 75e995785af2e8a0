// SPDX-License-Identifier: BSD-3-Clause
// A stop at any moment loses nothing that was received.
#include <unistd.h>

#include <random>
#include <thread>

#include "bench.hpp"
#include "books.hpp"
#include "frame_sender.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/skip.hpp"

using namespace wirespool::test;

namespace {

void sleep_ms(unsigned ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

// As fast as they can, each in its own way.
std::vector<std::string> sources(const Bench& bench) {
  write_trace({.kind = "1514", .packets = 1'000}, bench.trace("long.pcap"));
  write_trace({.kind = "imix", .packets = 1'000}, bench.trace("mix.pcap"));
  write_trace({.kind = "mixed", .packets = 200'000}, bench.trace("once.pcap"));
  return {replay_of({bench.trace("long.pcap")}, true), replay_of({bench.trace("mix.pcap")}, true),
          replay_of({bench.trace("once.pcap")})};
}

std::vector<std::string> names_in(const Paths& directories) {
  std::vector<std::string> names;
  for (const auto& directory : directories)
    for (const auto& entry : std::filesystem::directory_iterator(directory)) names.push_back(entry.path().filename());
  return names;
}

void clear(const Paths& directories) {
  for (const auto& directory : directories)
    for (const auto& entry : std::filesystem::directory_iterator(directory)) std::filesystem::remove(entry.path());
}

// Options drawn for one round; capture ends when it is told to.
Command random_options(Random& random) {
  const auto pick = [&](std::initializer_list<const char*> words) {
    return *(words.begin() + random.below(words.size()));
  };
  return {"--block-size",  pick({"64KiB", "256KiB", "1MiB"}),      "--io",        pick({"uring", "uring", "pwrite"}),
          "--handoff",     pick({"packets", "packets", "blocks"}), "--when-full", pick({"wait", "wait", "drop"}),
          "--rotate-size", pick({"1MiB", "8MiB", "4GiB"})};
}

std::string text(const Command& words) {
  std::string line;
  for (const auto& word : words) line += word + " ";
  return line;
}

}  // namespace

TEST_CASE("a stop at a random moment loses nothing that was received") {
  const auto seed = static_cast<std::uint64_t>(std::random_device{}());
  std::printf("stop at random moments: seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  const Bench bench(2);
  const auto vdevs = sources(bench);
  for (int round = 0; round < 20; ++round) {
    const auto vdev = vdevs[random.below(vdevs.size())];
    const auto options = random_options(random);
    const auto signal = random.below(2) ? SIGINT : SIGTERM;
    const auto wait_ms = random.below(120);
    INFO("seed " << seed << " round " << round << ": " << vdev << " " << text(options) << wait_ms << " ms");
    LiveCapture capture({.vdevs = {vdev}, .outputs = bench.outputs, .options = options});
    REQUIRE(capture.wait_until_running());
    sleep_ms(static_cast<unsigned>(wait_ms));
    const auto result = capture.stop(signal);
    REQUIRE(check_capture(result, bench.outputs) == "");
    CHECK(result.ended_by() == (signal == SIGINT ? "SIGINT" : "SIGTERM"));
    clear(bench.outputs);
  }
}

TEST_CASE("a stop before anything runs leaves nothing, or a capture that balances") {
  const auto seed = static_cast<std::uint64_t>(std::random_device{}());
  std::printf("stop while starting: seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  const Bench bench(2);
  const auto vdevs = sources(bench);
  for (int round = 0; round < 10; ++round) {
    const auto wait_ms = static_cast<unsigned>(random.below(400));
    INFO("seed " << seed << " round " << round << ": " << wait_ms << " ms");
    LiveCapture capture({.vdevs = {vdevs[0]}, .outputs = bench.outputs, .options = {"--block-size", "64KiB"}});
    sleep_ms(wait_ms);
    const auto result = capture.stop(SIGINT);
    CAPTURE(result.describe(), names_in(bench.outputs));
    if (result.ledger.empty())
      REQUIRE(names_in(bench.outputs).empty());
    else
      REQUIRE(check_capture(result, bench.outputs) == "");
    clear(bench.outputs);
  }
}

TEST_CASE("more signals while the capture drains change nothing") {
  const Bench bench(2);
  const auto vdevs = sources(bench);
  LiveCapture capture({.vdevs = {vdevs[0]}, .outputs = bench.outputs, .options = {"--block-size", "64KiB"}});
  REQUIRE(capture.wait_for_total("received", 1));
  for (const int signal : {SIGINT, SIGINT, SIGTERM, SIGHUP, SIGINT}) {
    capture.process().send_signal(signal);
    sleep_ms(2);
  }
  const auto result = capture.wait();
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.ended_by() != "");
}

TEST_CASE("a stop on an idle link seals what came before, in the middle of a Block") {
  if (const auto why = why_no_network(); !why.empty()) return skip("net_af_packet", why);
  const auto* const idle = GENERATE("poll", "adaptive");
  CAPTURE(idle);
  const Bench bench(2);
  const NetNamespace where;
  const VethPair veth(&where);
  LiveCapture capture({.vdevs = {"net_af_packet0,iface=" + veth.right()},
                       .outputs = bench.outputs,
                       .options = {"--stats-interval", "10ms", "--idle", idle},
                       .inside = &where});
  REQUIRE(capture.wait_until_running());
  write_trace({.kind = "mixed", .packets = 7}, bench.trace());
  CHECK(send_windowed({&where, veth.left()}, make_trace({.kind = "imix", .packets = 7}), capture));
  const auto result = capture.stop();
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.total("stored") == 7);
}

TEST_CASE("a stop while the link is down ends the capture at once") {
  const Bench bench;
  const auto socket = (bench.base / "vhost").string();
  LiveCapture capture(
      {.vdevs = {"net_vhost0,iface=" + socket}, .outputs = bench.outputs, .options = {"--stats-interval", "10ms"}});
  if (!capture.wait_until_running()) {
    const auto result = capture.stop();
    if (result.process.err.find("no driver found for") == std::string::npos) FAIL(result.describe());
    return skip("net_vhost", "this DPDK is built without it");
  }
  CHECK(capture.process().wait_for_output("link is down", Seconds(20)));
  const auto result = capture.stop(SIGTERM, Seconds(20));
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.total("received") == 0);
}

TEST_CASE("a link that goes down and comes back is waited for") {
  if (const auto why = why_no_network(); !why.empty()) return skip("net_af_packet", why);
  const Bench bench;
  const NetNamespace where;
  const VethPair veth(&where);
  LiveCapture capture({.vdevs = {"net_af_packet0,iface=" + veth.right()},
                       .outputs = bench.outputs,
                       .options = {"--stats-interval", "10ms"},
                       .inside = &where});
  REQUIRE(capture.wait_until_running());
  const auto trace = make_trace({.kind = "imix", .packets = 50});
  CHECK(send_windowed({&where, veth.left()}, trace, capture));
  veth.set_up(veth.left(), false);
  sleep_ms(100);
  veth.set_up(veth.left(), true);
  CHECK(send_windowed({&where, veth.left()}, trace, capture));
  const auto result = capture.stop();
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.total("stored") == 100);
}
