// SPDX-License-Identifier: BSD-3-Clause
// Several ports, RX queues, RX lcores and writers in one capture.
#include "bench.hpp"
#include "books.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"
#include "support/spool_files.hpp"
#include "support/trace_compare.hpp"

using namespace wirespool::test;

namespace {

// Two different traces, and what both hold together.
struct TwoTraces {
  Trace first, second, both;
  Paths paths;

  TwoTraces(const Bench& bench, const std::string& kind, std::uint64_t packets)
      : first(make_trace({.kind = kind, .packets = packets, .seed = 1})),
        second(make_trace({.kind = kind, .packets = packets, .seed = 2, .first_number = packets})),
        paths{bench.trace("first.pcap"), bench.trace("second.pcap")} {
    write_pcap(first, paths[0]);
    write_pcap(second, paths[1]);
    for (const auto* trace : {&first, &second})
      for (std::size_t i = 0; i < trace->size(); ++i) both.append((*trace)[i]);
  }

  // Everything is there once, and each trace is there in its own order.
  std::string compare(const Bench& bench) const {
    const auto stored = read_spool({bench.outputs.begin(), bench.outputs.end()});
    if (auto wrong = compare_as_set(both, stored); !wrong.empty()) return wrong;
    if (auto wrong = compare_as_subsequence(stored, first); !wrong.empty()) return "first trace: " + wrong;
    if (auto wrong = compare_as_subsequence(stored, second); !wrong.empty()) return "second trace: " + wrong;
    return check_times(stored);
  }
};

struct Layout {
  const char* what;
  bool two_ports;  // else one port with two queues
  const char* rx_lcores;
  const char* writer_lcores;
  unsigned lcores, drives;
  const char* handoff;
};

std::ostream& operator<<(std::ostream& out, const Layout& layout) { return out << layout.what; }

std::vector<std::string> vdevs_of(const Layout& layout, const Paths& traces) {
  if (layout.two_ports) return {replay_of({traces[0]}), replay_of({traces[1]})};
  return {replay_of(traces)};
}

}  // namespace

TEST_CASE("two sources in one capture both come back complete and in their own order") {
  const auto layout = GENERATE(values<Layout>({
      {"two ports, one RX lcore, one writer", true, "1", "2", 3, 2, "packets"},
      {"two ports, two RX lcores, two writers", true, "1,3", "2,4", 5, 3, "packets"},
      {"two queues, one RX lcore, one writer", false, "1", "2", 3, 1, "packets"},
      {"two queues, two RX lcores, two writers", false, "1,3", "2,4", 5, 2, "packets"},
      {"two queues, two RX lcores, one writer", false, "1,3", "2", 4, 3, "packets"},
      {"two queues, two RX lcores that build Blocks, two writers", false, "1,3", "2,4", 5, 3, "blocks"},
  }));
  CAPTURE(layout);
  const Bench bench(layout.drives);
  const TwoTraces traces(bench, "imix", 25'000);
  const auto result =
      run_capture({.vdevs = vdevs_of(layout, traces.paths),
                   .outputs = bench.outputs,
                   .options = until_packets(50'000, {"--rx-queues", layout.two_ports ? "1" : "2", "--rx-lcores",
                                                     layout.rx_lcores, "--writer-lcores", layout.writer_lcores,
                                                     "--block-size", "64KiB", "--handoff", layout.handoff}),
                   .lcores = layout.lcores,
                   .megabytes = 256});
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(traces.compare(bench) == "");
  for (const auto& port : result.last().at("ports")) CHECK(port.at("received") == (layout.two_ports ? 25'000 : 50'000));
}

TEST_CASE("two RX lcores never share a file") {
  const Bench bench(2);
  const TwoTraces traces(bench, "60", 20'000);
  const auto result = run_capture(
      {.vdevs = {replay_of(traces.paths)},
       .outputs = bench.outputs,
       .options = until_packets(40'000, {"--rx-queues", "2", "--rx-lcores", "1,3", "--block-size", "64KiB"}),
       .lcores = 5,
       .megabytes = 256});
  CHECK(check_capture(result, bench.outputs) == "");
  for (const auto& file : read_sealed_files({bench.outputs.begin(), bench.outputs.end()})) {
    CAPTURE(file.path);
    const bool of_first = compare_as_subsequence(traces.first, file.packets).empty();
    const bool of_second = compare_as_subsequence(traces.second, file.packets).empty();
    CHECK(of_first != of_second);
  }
}

TEST_CASE("only the ports asked for are captured") {
  const Bench bench;
  const TwoTraces traces(bench, "60", 2'000);
  const auto result = run_capture({.vdevs = {replay_of({traces.paths[0]}), replay_of({traces.paths[1]})},
                                   .outputs = bench.outputs,
                                   .options = until_packets(2'000, {"--port", "1"})});
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.last().at("ports").size() == 1);
  CHECK(compare_spool_in_order(traces.paths[1], bench.outputs) == "");
}
