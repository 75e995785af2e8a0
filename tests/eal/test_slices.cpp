// SPDX-License-Identifier: BSD-3-Clause
// --slice and --when-full trim, through the real program.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <sstream>
#include <thread>

#include "bench.hpp"
#include "books.hpp"
#include "format/header_end.hpp"
#include "frame_sender.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"
#include "support/loop_drive.hpp"
#include "support/skip.hpp"
#include "support/spool_files.hpp"
#include "support/trace.hpp"

using namespace wirespool;
using namespace wirespool::test;

namespace {

constexpr std::uint64_t mib = 1 << 20;
constexpr std::uint32_t udp_headers = 42;

// As `slice` says it.
std::uint32_t kept_of(const PacketView& packet, const std::string& slice) {
  using format::Layer;
  if (slice[0] != 'l') return std::min<std::uint32_t>(packet.caplen(), static_cast<std::uint32_t>(std::stoul(slice)));
  const auto layer = slice == "l2" ? Layer::l2 : slice == "l3" ? Layer::l3 : Layer::l4;
  return format::header_end(packet.bytes, layer);
}

std::string compare_sliced(const Trace& sent, const Paths& outputs, const std::string& slice, std::uint64_t& shorter) {
  SpoolStream stored(outputs);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const auto packet = stored.next();
    const auto where = "packet " + std::to_string(i);
    if (!packet) return where + " is missing";
    const auto kept = kept_of(sent[i], slice);
    shorter += kept < sent[i].caplen();
    if (packet->wirelen != sent[i].wirelen) return where + " is said to be of another length";
    if (packet->bytes.size() != kept) return where + " was cut elsewhere";
    if (!std::ranges::equal(packet->bytes, sent[i].bytes.first(kept))) return where + " has other bytes";
  }
  return stored.next() ? "there are more" : "";
}

}  // namespace

TEST_CASE("a sliced capture keeps of each packet its headers, and how long it was") {
  const std::string slice = GENERATE("l2", "l3", "l4", "50");
  const std::string kind = GENERATE("mixed", "jumbo", "lengths", "qinq");
  const std::string handoff = GENERATE("packets", "blocks");
  CAPTURE(slice, kind, handoff);
  constexpr std::uint64_t packets = 5'000;
  const Bench bench;
  write_trace({.kind = kind, .packets = packets}, bench.trace());
  const auto result = run_capture(
      {.vdevs = {replay_of({bench.trace()})},
       .outputs = bench.outputs,
       .options = until_packets(packets, {"--slice", slice, "--handoff", handoff, "--block-size", "64KiB"})});
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  std::uint64_t shorter = 0;
  CHECK(compare_sliced(read_pcap(bench.trace()), bench.outputs, slice, shorter) == "");
  CHECK(shorter > 0);
  CHECK(result.total("sliced") == shorter);
  CHECK(result.total("stored") == packets);
}

TEST_CASE("every sliced packet is as long as tshark says it was sent") {
  const std::string format = GENERATE("pcap", "pcapng");
  CAPTURE(format);
  const Bench bench;
  write_trace({.kind = "imix", .packets = 3'000}, bench.trace());
  const auto result = run_capture({.vdevs = {replay_of({bench.trace()})},
                                   .outputs = bench.outputs,
                                   .options = until_packets(3'000, {"--slice", "l4", "--format", format})});
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(ask_outside(bench.outputs, true) == "");
  const auto files = sealed_files(bench.outputs);
  REQUIRE(files.size() == 1);
  const auto ask = [](const std::filesystem::path& file, const std::string& field) {
    return run_process({"tshark", "-n", "-r", file, "-T", "fields", "-e", field}).out;
  };
  CHECK(ask(files.front(), "frame.len") == ask(bench.trace(), "frame.len"));
  CHECK(ask(files.front(), "udp.length") == ask(bench.trace(), "udp.length"));
  std::istringstream kept(ask(files.front(), "frame.cap_len"));
  for (std::uint32_t bytes = 0; kept >> bytes;) REQUIRE(bytes == udp_headers);
}

TEST_CASE("a slice where there is nothing to slice is refused") {
  const Bench bench;
  const auto refusal = [&](const Command& options) {
    const auto result = run_capture({.vdevs = {"net_null0"}, .outputs = bench.outputs, .options = options});
    CHECK(result.process.exit_code == 1);
    return result.process.err;
  };
  using Catch::Contains;
  CHECK_THAT(refusal({"--slice", "l5"}), Contains("--slice") && Contains("l2, l3, l4 or"));
  CHECK_THAT(refusal({"--slice", "0"}), Contains("--slice"));
  CHECK_THAT(refusal({"--slice", "l4", "--until", "rx"}), Contains("--slice: --until rx keeps nothing"));
  CHECK_THAT(refusal({"--slice", "l4", "--when-full", "trim"}), Contains("--when-full: --slice l4 leaves no payload"));
  CHECK_THAT(refusal({"--when-full", "trim", "--until", "block"}),
             Contains("--when-full: --until block has no drives"));
}

// 8 MB of frames while the drive takes nothing and there are 4 MiB of Blocks.
TEST_CASE("while a drive is slow payload is missing and no packet is, and then packets are whole again") {
  if (const auto missing = LoopDrive::missing()) return skip("loop drives", *missing);
  if (const auto why = why_no_network(); !why.empty()) return skip("net_af_packet", why);
  const std::string handoff = GENERATE("packets", "blocks");
  CAPTURE(handoff);
  const LoopDrive slow({.file_system = "ext4", .bytes = 128 * mib});
  const VethPair veth;
  constexpr std::size_t before = 300, during = 5'500, after = 1'500, packets = before + during + after;
  const auto trace = make_trace({.kind = "1514", .packets = packets});
  LiveCapture capture({.vdevs = {"net_af_packet0,iface=" + veth.right() + ",blocksz=65536,framesz=2048,framecnt=8192"},
                       .outputs = {slow.path()},
                       .options = {"--handoff", handoff, "--when-full", "trim", "--block-size", "64KiB", "--blocks",
                                   "64", "--flush-age", "10ms", "--stats-interval", "10ms"}});
  REQUIRE(capture.wait_until_running());
  const FrameSender sender(nullptr, veth.left());
  const auto send = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
      sender.send(trace[i]);
      if (i % 10 == 9) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return capture.wait_for_total("received", to);
  };
  CHECK(send(0, before));
  CHECK(capture.wait_for_total("stored", before));
  REQUIRE(run_process({"fsfreeze", "--freeze", slow.path()}).ok());
  const bool received = send(before, before + during);
  REQUIRE(run_process({"fsfreeze", "--unfreeze", slow.path()}).ok());
  CHECK(received);
  CHECK(capture.wait_for_total("stored", before + during - 100));
  CHECK(send(before + during, packets));
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(check_capture(result, {slow.path()}) == "");
  CHECK(result.total("stored") == packets);
  CHECK(result.total("lost") == 0);
  std::uint64_t trimmed = 0;
  SpoolStream stored({slow.path()});
  for (std::size_t i = 0; i < packets; ++i) {
    const auto packet = stored.next();
    REQUIRE(packet);
    REQUIRE(packet->wirelen == 1514);
    const bool whole = packet->bytes.size() == 1514;
    trimmed += !whole;
    REQUIRE((whole || packet->bytes.size() == udp_headers));
    REQUIRE(std::ranges::equal(packet->bytes, trace[i].bytes.first(packet->bytes.size())));
    if (i < before || i >= packets - 500) REQUIRE(whole);
  }
  CHECK(trimmed > 1'000);
  CHECK(result.total("trimmed") == trimmed);
}
