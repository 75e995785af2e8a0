// SPDX-License-Identifier: BSD-3-Clause
#include "cli/capture_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/config_file.hpp"
#include "cli/options.hpp"
#include "plan/usual.hpp"
#include "plan/words.hpp"

namespace wirespool::cli {
namespace {

using plan::CaptureConfig;

constexpr auto summary = "Receives from DPDK ports and writes every packet to disk as nanosecond pcap.";

constexpr auto examples =
    "  wirespool capture -l 0-2 -a 0000:3b:02.0 -- --output /data/nvme0\n"
    "      one lcore receives, one writes; Ctrl-C drains, seals and ends\n"
    "  wirespool capture -l 0-6 -- --rx-queues 4 --output /data/nvme0 --output /data/nvme1\n"
    "      four queues; two drives, a writer each\n"
    "  wirespool capture -l 0-1 -- --until rx --duration 10s\n"
    "      how much can be received, with nothing behind it\n"
    "  wirespool capture --config capture.toml --dry-run\n"
    "      options from a file (eal = [\"-l\", \"0-2\"]); prints the plan and stops\n"
    "EAL's options come first, then --, then capture's own.";

std::string with_default(std::string_view help, std::string_view value) { return fmt::format("{} [{}]", help, value); }

std::string with_default(std::string_view help, unsigned value) { return fmt::format("{} [{}]", help, value); }

// All defaults shown are those of a CaptureConfig nobody touched.
const CaptureConfig& defaults() {
  static const CaptureConfig config;
  return config;
}

template <typename Value>
Choices<Value> choices(std::initializer_list<Value> values) {
  Choices<Value> result;
  for (const auto value : values) result.emplace_back(plan::word(value), value);
  return result;
}

void add_source_options(CLI::App& app, CaptureConfig& config) {
  using plan::OnPortFailure, plan::Rss, plan::TimestampSource;
  add_list(app, "--port", "ID|NAME|PCI", config.ports, with_default("ports to capture; commas between several", "all"));
  add_whole(app, "--rx-queues", config.rx_queues, with_default("RX queues of each port", defaults().rx_queues));
  add_whole(app, "--rx-desc", config.rx_desc,
            with_default("descriptors of each queue",
                         fmt::format("the device's choice, {} at least", plan::least_nic_rx_desc)));
  add_whole(app, "--burst", config.burst, with_default("most packets of one receive call", defaults().burst));
  add_whole(app, "--mbufs", config.mbufs, with_default("mbufs in each port's pool", "computed"));
  add_whole(app, "--mtu", config.mtu, with_default("MTU to set on each port", "left as it is"));
  add_value(app, "--promiscuous", "on|off", config.promiscuous, parse_on_off,
            with_default("take frames for other addresses too", defaults().promiscuous ? "on" : "off"));
  add_choice(app, "--on-port-failure", config.on_port_failure, choices({OnPortFailure::carry_on, OnPortFailure::stop}),
             with_default("a port of several that is lost: go on with the others, or end the capture",
                          word(defaults().on_port_failure)));
  add_time(app, "--port-return", config.port_return_ns,
           with_default("how long a port that was reset may take to come back",
                        plan::format_time(defaults().port_return_ns)));
  add_choice(app, "--rss", config.rss, choices({Rss::symmetric, Rss::device, Rss::off}),
             with_default("which queue a flow goes to; symmetric: both directions to one", word(defaults().rss)));
  add_choice(app, "--timestamp", config.timestamp,
             choices({TimestampSource::automatic, TimestampSource::hw, TimestampSource::tsc}),
             with_default("the clock that stamps packets; auto: the NIC's if it has one", word(defaults().timestamp)));
  add_whole(app, "--snaplen", config.snaplen, with_default("bytes kept of each packet", defaults().snaplen));
}

void add_pipeline_options(CLI::App& app, CaptureConfig& config) {
  using plan::HandoffKind, plan::Until, plan::WhenFull;
  add_choice(app, "--until", config.until, choices({Until::rx, Until::handoff, Until::block, Until::disk}),
             with_default("run up to this stage and drop there, to measure it", word(defaults().until)));
  add_number_list(app, "--rx-lcores", config.rx_lcores, with_default("lcores that receive, as 1,3-5", "planned"));
  add_number_list(app, "--writer-lcores", config.writer_lcores, with_default("lcores that write", "planned"));
  add_choice(
      app, "--handoff", config.handoff, choices({HandoffKind::packets, HandoffKind::blocks}),
      with_default("what crosses to writer lcores: mbufs, or Blocks that RX lcores build", word(defaults().handoff)));
  add_whole(app, "--handoff-size", config.handoff_size,
            with_default("packets between an RX and a writer lcore, a power of two",
                         fmt::format("{}; {} where receiving waits", plan::dropping_handoff, plan::waiting_handoff)));
  add_choice(
      app, "--when-full", config.when_full, choices({WhenFull::drop, WhenFull::wait}),
      with_default("drives slower than the wire: count and drop, or stop receiving", "drop; wait for file-fed ports"));
}

void add_writing_options(CLI::App& app, CaptureConfig& config) {
  using plan::IndexLevel, plan::Io;
  const auto& by_default = defaults();
  add_repeated(app, "--output", "DIR", config.outputs, "a drive to spread Blocks over; repeat for more");
  add_value(
      app, "--name", "STEM", config.name, [](const std::string& text) -> Parsed<std::string> { return text; },
      with_default("how file names start", by_default.name));
  add_size(app, "--rotate-size", config.rotate_size,
           with_default("a new file at this size", plan::format_size(by_default.rotate_size)));
  add_time(app, "--rotate-age", config.rotate_age_ns,
           with_default("and at this age", plan::format_time(by_default.rotate_age_ns)));
  add_size(app, "--block-size", config.block_size,
           with_default("bytes of one write", plan::format_size(by_default.block_size)));
  add_whole(app, "--blocks", config.blocks, with_default("Blocks in memory, of all writers", "planned"));
  add_choice(app, "--io", config.io, choices({Io::uring, Io::pwrite}),
             with_default("asynchronous writes, or one at a time", word(by_default.io)));
  add_whole(app, "--io-depth", config.io_depth,
            with_default("writes in flight per drive and writer", by_default.io_depth));
  add_time(app, "--flush-age", config.flush_age_ns,
           with_default("longest wait of a packet on an idle link", plan::format_time(by_default.flush_age_ns)));
  add_time(app, "--sync-age", config.sync_age_ns,
           with_default("how often files are synced while they grow; 0s: only when sealed",
                        plan::format_time(by_default.sync_age_ns)));
  add_choice(app, "--index", config.index, choices({IndexLevel::off, IndexLevel::time, IndexLevel::flow}),
             with_default("what the file beside each pcap knows", word(by_default.index)));
}

void add_sealing_options(CLI::App& app, CaptureConfig& config) {
  const auto& by_default = defaults();
  add_value(
      app, "--on-seal", "COMMAND", config.on_seal,
      [](const std::string& text) -> Parsed<std::string> {
        if (text.empty()) return std::unexpected("an empty word is no command");
        return text;
      },
      with_default("a shell command for each sealed file, which is its last word and in $WIRESPOOL_FILE", "none"));
  add_time(app, "--on-seal-timeout", config.on_seal_timeout_ns,
           with_default("longest run of it", plan::format_time(by_default.on_seal_timeout_ns)));
  add_time(app, "--on-seal-linger", config.on_seal_linger_ns,
           with_default("longest wait for it when the capture ends", plan::format_time(by_default.on_seal_linger_ns)));
}

void add_ending_options(CLI::App& app, CaptureConfig& config) {
  add_time(app, "--duration", config.duration_ns, with_default("stop after this time", "never"));
  add_whole(app, "--packets", config.packets, with_default("stop after this many packets", "never"));
  add_size(app, "--bytes", config.bytes, with_default("stop after this many bytes of packets", "never"));
  add_time(app, "--idle-exit", config.idle_exit_ns, with_default("stop when nothing arrived for this long", "never"));
  add_time(app, "--stop-timeout", config.stop_timeout_ns,
           with_default("longest time a stop takes, whatever hangs; --on-seal-linger comes on top",
                        plan::format_time(defaults().stop_timeout_ns)));
}

void add_reporting_options(CLI::App& app, CaptureConfig& config) {
  using plan::StatsOutput;
  add_choice(app, "--stats", config.stats, choices({StatsOutput::console, StatsOutput::json, StatsOutput::none}),
             with_default("the ledger, each interval and at the end", "console on a terminal, else json"));
  add_time(app, "--stats-interval", config.stats_interval_ns,
           with_default("time between two", plan::format_time(defaults().stats_interval_ns)));
  app.add_flag("--dry-run", config.dry_run, "print the plan and stop");
  app.add_flag("--strict", config.strict, "exit with 4 if any packet was lost");
}

// Runs `add`, and gives what it added a heading in --help.
template <typename Add>
void add_group(CLI::App& app, const std::string& heading, CaptureConfig& config, Add add) {
  const auto before = app.get_options();
  add(app, config);
  for (auto* option : app.get_options()) {
    if (std::ranges::find(before, option) == before.end()) option->group(heading);
  }
}

void add_options(CLI::App& app, CaptureConfig& config) {
  add_group(app, "Receiving", config, add_source_options);
  add_group(app, "From receiving to writing", config, add_pipeline_options);
  add_group(app, "Writing", config, add_writing_options);
  add_group(app, "Sealed files", config, add_sealing_options);
  add_group(app, "Ending", config, add_ending_options);
  add_group(app, "Reporting", config, add_reporting_options);
}

struct Split {
  plan::EalArgs eal;
  Args own;
};

// EAL's options in front of "--"; without one, all are the command's own.
Split split(const Args& args) {
  const auto dashes = std::ranges::find(args, "--");
  if (dashes == args.end()) return {{}, args};
  return {{args.begin(), dashes}, {std::next(dashes), args.end()}};
}

// An option of ours in front of the "--" would get EAL's pages of help for an answer.
void check_order(const CLI::App& app, const plan::EalArgs& eal) {
  for (const auto& arg : eal) {
    const auto name = arg.substr(0, arg.find('='));
    if (!name.starts_with("--") || app.get_option_no_throw(name) == nullptr) continue;
    throw UsageError{name, "is the capture's own option, not EAL's", "put it behind the --"};
  }
}

// Takes `eal = [...]` out of the file's entries.
void take_eal(std::vector<TomlEntry>& entries, const std::string& path, plan::EalArgs& eal) {
  const auto entry = std::ranges::find(entries, "eal", &TomlEntry::key);
  if (entry == entries.end()) return;
  if (!entry->is_array) {
    throw UsageError{fmt::format("{}:{}", path, entry->line), "eal is an array of words",
                     "write eal = [\"-l\", \"0-2\"]"};
  }
  if (eal.empty()) eal = entry->values;
  entries.erase(entry);
}

std::optional<Stop> read_file(CLI::App& app, const std::string& path, plan::EalArgs& eal) {
  try {
    check_order(app, eal);
    if (path.empty()) return std::nullopt;
    auto entries = read_config_file(path);
    take_eal(entries, path, eal);
    apply_config_file(app, path, entries);
    return std::nullopt;
  } catch (const UsageError& error) {
    return Stop{Exit::wrong_use, "", error_line(error.what, error.why, error.what_to_do)};
  }
}

}  // namespace

std::variant<CaptureRequest, Stop> read_capture_args(const Args& args) {
  CaptureRequest request;
  CLI::App app;
  set_up(app, "capture", summary, examples);
  app.get_formatter()->label("OPTIONS", "EAL OPTIONS --] [OPTIONS");  // CLI11 before 2.3 has no App::usage
  add_options(app, request.config);
  std::string config_file;
  app.add_option("--config", config_file, "TOML whose keys are these options' long names; the command line wins")
      ->type_name("FILE")
      ->configurable(false);
  auto [eal, own] = split(args);
  if (auto stop = parse(app, own, Starts::dpdk)) return *stop;
  if (auto stop = read_file(app, config_file, eal)) return *stop;
  request.eal_args = std::move(eal);
  return request;
}

}  // namespace wirespool::cli
