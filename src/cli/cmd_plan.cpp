// SPDX-License-Identifier: BSD-3-Clause
#include <fstream>
#include <sstream>

#include "cli/commands.hpp"
#include "cli/errors.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/parse.hpp"
#include "plan/sizing.hpp"

namespace wirespool::cli {
namespace {

plan::TrafficMix usual_mix() { return *plan::parse_mix("imix"); }

Parsed<plan::StageRates> read_rates_file(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) return std::unexpected("cannot read " + file);
  std::stringstream text;
  text << stream.rdbuf();
  auto rates = plan::read_rates(text.str());
  if (!rates) return std::unexpected(file + ": " + rates.error());
  return rates;
}

void add_options(CLI::App& app, plan::Demand& demand, plan::StageRates& rates) {
  add_size(app, "--rate", demand.bits_per_s, "bits per second of all ports together, as 40G")
      ->type_name("RATE")
      ->required();
  add_value(app, "--mix", "MIX", demand.mix, plan::parse_mix,
            "imix, caida, a frame length with FCS, or lengths with weights, as 64:7,594:4,1518:1 [imix]");
  add_whole(app, "--ports", demand.ports, "how many share the rate [1]");
  add_choice(app, "--handoff", demand.handoff,
             Choices<plan::HandoffKind>{{"packets", plan::HandoffKind::packets}, {"blocks", plan::HandoffKind::blocks}},
             "what crosses from RX to writer lcores [packets]");
  add_whole(app, "--snaplen", demand.snaplen, "bytes kept of each packet [262144]");
  add_size(app, "--drive-speed", demand.drive_bytes_per_s, "bytes per second that one drive takes for hours [2G]");
  add_whole(app, "--spare-drives", demand.spare_drives, "drives that may fail [1]");
  add_time(app, "--stall", demand.stall_ns, "how long all drives may pause without loss [250ms]");
  add_whole(app, "--load", demand.load_percent, "percent of what an lcore can do to plan with [80]");
  add_value(app, "--rates", "FILE", rates, read_rates_file,
            "results.json of bench/run.sh on such a machine [the project's own]");
}

}  // namespace

int cmd_plan(const Args& args) {
  CLI::App app;
  set_up(app, "plan", "Tells how many lcores, queues and drives and how much memory a rate takes.",
         "  wirespool plan --rate 100G --mix imix\n"
         "  wirespool plan --rate 40G --mix 64 --handoff blocks --drive-speed 3.2G\n"
         "  wirespool plan --rate 200G --ports 2 --mix caida --rates build-bench/reports/TIME/results.json");
  plan::Demand demand{.mix = usual_mix()};
  auto rates = plan::published_rates();
  bool json = false;
  add_options(app, demand, rates);
  app.add_flag("--json", json, "one JSON object");
  if (const auto stop = parse(app, args)) return finish(*stop);
  const auto sizing = plan::size_capture(demand, rates);
  if (!sizing) return print_problems(sizing.error());
  return print(json ? to_json(demand, rates, *sizing) : describe(demand, rates, *sizing));
}

}  // namespace wirespool::cli
