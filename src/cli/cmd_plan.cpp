// SPDX-License-Identifier: BSD-3-Clause
#include <fstream>
#include <sstream>

#include "cli/commands.hpp"
#include "cli/errors.hpp"
#include "cli/parse.hpp"
#include "plan/sizing.hpp"
#include "plan/words.hpp"

namespace wirespool::cli {
namespace {

struct Request : plan::Demand {
  Request() : Demand{.mix = *plan::parse_mix("imix")} {}
  plan::StageRates rates = plan::published_rates();
  bool json = false;
};

options::Parsed<plan::StageRates> read_rates_file(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) return std::unexpected("cannot read " + file);
  std::stringstream text;
  text << stream.rdbuf();
  auto rates = plan::read_rates(text.str());
  if (!rates) return std::unexpected(file + ": " + rates.error());
  return rates;
}

options::Page about() {
  return {
      .command = "plan",
      .summary = "Tells how many lcores, queues and drives and how much memory a rate takes.",
      .examples = {{"wirespool plan --rate 100G --mix imix"},
                   {"wirespool plan --rate 40G --mix 64 --handoff blocks --drive-speed 3.2G"},
                   {"wirespool plan --rate 40G --mix 64 --nic xl710", "the NIC is the limit, and by whose word"},
                   {"wirespool plan --rate 200G --ports 2 --mix caida --rates build-bench/reports/TIME/results.json"}}};
}

options::Choices<const plan::NicFamily*> nics() {
  options::Choices<const plan::NicFamily*> names;
  for (const auto& family : plan::nic_families()) names.emplace_back(family.name, &family);
  return names;
}

// All names in one word would be longer than a line.
void add_nic(options::Table<Request>& table) {
  const auto names = nics();
  std::string list;
  for (const auto& [name, family] : names) list += (list.empty() ? "" : ", ") + name;
  table.choice("--nic", &Request::nic, names, "whose published limits count where they are smaller: " + list)
      .without("not said: no limit of it is known")
      .takes = "NIC";
}

void add_what_is_on(options::Table<Request>& table) {
  table.choice("--idle", &Request::idle, plan::words_of(plan::Idle{}), "lcores with nothing to do: poll on, or sleep");
  table.whole("--rx-desc", &Request::rx_desc, "descriptors of each queue: how long lcores may sleep")
      .without("planned");
  table.choice("--index", &Request::index, plan::words_of(plan::IndexLevel{}), "what the index knows");
  table.on_off("--checksum", &Request::checksum, "a CRC-32C of every Block");
  table.choice("--format", &Request::format, plan::words_of(plan::FileFormat{}), "of the files");
  table.flag("--filter", &Request::filter, "with a filter, by librte_bpf; planned as if all packets matched");
  table.flag("--slice", &Request::slice, "headers of each packet alone; --snaplen says how long they are");
  table.flag("--flows", &Request::flows, "with flow records");
}

options::Table<Request> make_table() {
  options::Table<Request> table(about());
  table.rate("--rate", &Request::bits_per_s, "bits per second of all ports together, as 40G").needed();
  table
      .parsed("--mix", "MIX", &Request::mix, plan::parse_mix,
              "imix, caida, a frame length with FCS, or lengths with weights, as 64:7,594:4,1518:1")
      .without(Request().mix.name);
  table.whole("--ports", &Request::ports, "how many share the rate");
  table.choice("--handoff", &Request::handoff, plan::words_of(plan::HandoffKind{}),
               "what crosses from RX to writer lcores");
  table.whole("--snaplen", &Request::snaplen, "bytes kept of each packet");
  table.rate("--drive-speed", &Request::drive_bytes_per_s, "bytes per second that one drive takes for hours");
  table.whole("--spare-drives", &Request::spare_drives, "drives that may fail");
  table.time("--stall", &Request::stall_ns, "how long all drives may pause without loss");
  table.whole("--load", &Request::load_percent, "percent of what an lcore can do to plan with");
  add_what_is_on(table);
  add_nic(table);
  table.whole("--cards", &Request::cards, "such cards that share the ports");
  table.parsed("--pcie", "GENxLANES", &Request::pcie, plan::parse_pcie, "the slot of each card, as 3x8")
      .without("the NIC's own");
  table
      .rate("--memory-speed", &Request::memory_bytes_per_s,
            "bytes per second that the machine's memory moves, reading and writing together")
      .without("not known");
  table
      .parsed("--rates", "FILE", &Request::rates, read_rates_file, "results.json of bench/run.sh on such a machine",
              options::Offers::files)
      .without("the project's own");
  table.flag("--json", &Request::json, "one JSON object");
  return table;
}

int run(const Request& request) {
  const auto sizing = plan::size_capture(request, request.rates);
  if (!sizing) return print_errors(sizing.error());
  return print(request.json ? to_json(request, request.rates, *sizing) : describe(request, request.rates, *sizing));
}

}  // namespace

std::vector<options::Page> plan_pages() { return {make_table().page()}; }

int cmd_plan(const Args& args) { return with_args(make_table(), args, run); }

}  // namespace wirespool::cli
