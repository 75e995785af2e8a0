// SPDX-License-Identifier: BSD-3-Clause
#include "plan/capture_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <set>

#include "format/file_name.hpp"
#include "format/header_end.hpp"
#include "format/pcap.hpp"
#include "plan/listen_address.hpp"
#include "plan/words.hpp"

namespace wirespool::plan {
namespace {

using Config = CaptureConfig;
using Table = options::Table<CaptureConfig>;
using Wrong = std::optional<Error>;
using options::Offers;

constexpr std::uint64_t ms = 1'000'000, hour = 3'600'000 * ms;

Wrong wrong(std::string why, std::string what_to_do) { return Error{"", std::move(why), std::move(what_to_do)}; }

Wrong given_twice(const std::vector<std::string>& words, std::string_view what_to_do) {
  std::set<std::string> seen;
  for (const auto& word : words) {
    if (!seen.insert(word).second) return wrong(fmt::format("{} is given twice", word), std::string(what_to_do));
  }
  return std::nullopt;
}

std::string without_trailing_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

Wrong check_outputs(const Config& config) {
  std::vector<std::string> paths;
  for (const auto& output : config.outputs) paths.push_back(without_trailing_slashes(output));
  if (std::ranges::find(paths, "") != paths.end()) {
    return wrong("an empty name is no directory", "give the directory's path");
  }
  return given_twice(paths, "give each drive once");
}

Wrong check_ports(const Config& config) {
  if (std::ranges::find(config.ports, "") != config.ports.end()) {
    return wrong("an empty name is no port", "give an id, a name or a PCI address");
  }
  return given_twice(config.ports, "give each port once");
}

// Check of one list: each lcore once.
auto each_lcore_once(std::vector<unsigned> Config::*field) {
  return [field](const Config& config) -> Wrong {
    auto lcores = config.*field;
    std::ranges::sort(lcores);
    const auto twice = std::ranges::adjacent_find(lcores);
    if (twice == lcores.end()) return std::nullopt;
    return wrong(fmt::format("lcore {} is listed twice", *twice), "list each lcore once");
  };
}

Wrong check_handoff_size(const Config& config) {
  if (!config.handoff_size || std::has_single_bit(*config.handoff_size)) return std::nullopt;
  return wrong(fmt::format("{} is not a power of two", *config.handoff_size),
               fmt::format("give {}", std::bit_ceil(*config.handoff_size)));
}

Wrong check_name(const Config& config) {
  if (format::valid_stem(config.name)) return std::nullopt;
  return wrong(fmt::format("\"{}\" cannot start a file's name", config.name),
               "use 1 to 64 of A-Z a-z 0-9 _ - and dots, not starting with a dot or dash");
}

Wrong check_block_size(const Config& config) {
  if (config.block_size >= 4096 && config.block_size <= 1u << 30 && config.block_size % 512 == 0) return std::nullopt;
  return wrong(fmt::format("{} is not a multiple of 512 from 4KiB to 1GiB", config.block_size),
               "give a multiple of the drive's block size, as 1MiB");
}

Wrong check_rotate_size(const Config& config) {
  if (config.rotate_size <= 16ull << 40) return std::nullopt;
  return wrong(fmt::format("{} is more than a file can hold", options::format_size(config.rotate_size)),
               "give 16TiB or less");
}

Wrong check_sync_age(const Config& config) {
  if (config.sync_age_ns == 0 || config.sync_age_ns >= 10 * ms) return std::nullopt;
  return wrong(fmt::format("{} is too short", options::format_time(config.sync_age_ns)),
               "give 10ms or more, or 0s for only when a file is sealed");
}

options::Parsed<std::string> parse_expression(const std::string& text) {
  if (text.find_first_not_of(" \t\n") == text.npos) return std::unexpected("an empty expression leaves nothing out");
  return text;
}

options::Parsed<std::string> parse_slice(const std::string& text) {
  if (!format::slice_of(text)) return std::unexpected(fmt::format("l2, l3, l4 or 1 to {} bytes", format::max_snaplen));
  return text;
}

options::Parsed<std::string> parse_command(const std::string& text) {
  if (text.empty()) return std::unexpected("an empty word is no command");
  return text;
}

Wrong check_retain_free(const Config& config) {
  if (!config.retain_free || config.retain_free->percent != 0 || config.retain_free->bytes != 0) return std::nullopt;
  return wrong("0 keeps nothing free", "give a size or a share of the drive, as 10%, or leave it out");
}

Wrong check_retain_size(const Config& config) {
  if (config.retain_size != 0) return std::nullopt;
  return wrong("0 would remove every file at once", "give what two files of each Stream take, or leave it out");
}

Wrong check_archives(const Config& config) {
  std::vector<std::string> paths;
  for (const auto& archive : config.archives) paths.push_back(without_trailing_slashes(archive));
  if (std::ranges::find(paths, "") != paths.end())
    return wrong("an empty name is no directory", "give the directory's path");
  for (const auto& output : config.outputs)
    if (std::ranges::find(paths, without_trailing_slashes(output)) != paths.end())
      return wrong(output + " is an --output as well", "give a directory on another drive");
  return given_twice(paths, "give each archive once");
}

// Check of a limit that ends a capture: not 0.
auto not_at_once(std::optional<std::uint64_t> Config::*field) {
  return [field](const Config& config) -> Wrong {
    if (config.*field != 0) return std::nullopt;
    return wrong("0 would end the capture before it starts", "give 1 or more, or leave it out");
  };
}

options::Page about() {
  return {
      .command = "capture",
      .summary = "Receives from DPDK ports and writes every packet to disk as nanosecond pcap.",
      .examples = {{"wirespool capture -l 0-2 -a 0000:3b:02.0 -- --output /data/nvme0",
                    "one lcore receives, one writes; Ctrl-C drains, seals and ends"},
                   {"wirespool capture -l 0-6 -- --rx-queues 4 --output /data/nvme0 --output /data/nvme1",
                    "four queues; two drives, a writer each"},
                   {"wirespool capture -l 0-1 -- --until rx --duration 10s",
                    "how much can be received, with nothing behind it"},
                   {"wirespool capture --config capture.toml --dry-run",
                    "options from a file (eal = [\"-l\", \"0-2\"]); prints the plan and stops"}},
      .takes_eal = true,
      .signals = {{"SIGINT, SIGTERM, SIGQUIT", "stop: what was received is written, synced and sealed first"},
                  {"SIGHUP", "end all open files and go on with new ones"},
                  {"SIGUSR1", "a ledger line now, besides those of --stats-interval"}},
      .closing = "EAL's options come first, then --, then capture's own.",
  };
}

// Limits are DPDK's (queues: RTE_MAX_QUEUES_PER_PORT, descriptors and MTU: 16 bits, RFC 791 for the least MTU) or wide
// enough for any real machine. Drivers round a burst down to 8 (iavf, i40e, ice with AVX2): for fewer they never return
// anything.
void add_receiving(Table& table) {
  table.group("Receiving");
  table.list("--port", "ID|NAME|PCI", &Config::ports, "ports to capture; commas between several")
      .without("all")
      .check(check_ports);
  table.whole("--rx-queues", &Config::rx_queues, "RX queues of each port").in(1, 1024);
  table.whole("--rx-desc", &Config::rx_desc, "descriptors of each queue")
      .in(1, 65535)
      .without(fmt::format("the device's choice, {} at least", least_nic_rx_desc));
  table.whole("--burst", &Config::burst, "most packets of one receive call").in(8, 1024);
  table.whole("--mbufs", &Config::mbufs, "mbufs in each port's pool").in(64, 1u << 27).without("computed");
  table.whole("--mtu", &Config::mtu, "MTU to set on each port").in(68, 65535).without("left as it is");
  table.on_off("--promiscuous", &Config::promiscuous, "take frames for other addresses too");
  table.choice("--rss", &Config::rss, words_of(Rss{}), "which queue a flow goes to; symmetric: both directions to one");
  table.choice("--timestamp", &Config::timestamp, words_of(TimestampSource{}),
               "the clock that stamps packets; auto: the NIC's if it has one");
  table.choice("--on-port-failure", &Config::on_port_failure, words_of(OnFailure{}),
               "a port of several that is lost: go on with the others, or end the capture");
  table.time("--port-return", &Config::port_return_ns, "how long a port that was reset may take to come back")
      .at_least(10 * ms);
  table.time("--hole", &Config::hole_ns, "tell of longer times in which a port receives nothing")
      .at_least(10'000)
      .without("off");
}

void add_keeping(Table& table) {
  table.group("What is kept");
  table
      .parsed("--filter", "EXPR", &Config::filter, parse_expression,
              "a pcap-filter(7) expression: packets that do not match are counted as filtered")
      .without("none");
  table
      .parsed("--slice", "l2|l3|l4|N", &Config::slice, parse_slice,
              "of each packet only its headers up to that layer, inside tunnels, or N bytes; counted as sliced")
      .without("off");
  table.whole("--snaplen", &Config::snaplen, "bytes kept of each packet").in(1, format::max_snaplen);
}

void add_handing_over(Table& table) {
  table.group("From receiving to writing");
  table.choice("--until", &Config::until, words_of(Until{}), "run up to this stage and drop there, to measure it");
  table.numbers("--rx-lcores", &Config::rx_lcores, "lcores that receive, as 1,3-5")
      .without("planned")
      .check(each_lcore_once(&Config::rx_lcores));
  table.numbers("--writer-lcores", &Config::writer_lcores, "lcores that write")
      .without("planned")
      .check(each_lcore_once(&Config::writer_lcores));
  table.choice(
      "--idle", &Config::idle, words_of(Idle{}),
      "lcores with nothing to do: poll on, or sleep for as long as rings and hand-offs have room at line rate");
  table.choice("--handoff", &Config::handoff, words_of(HandoffKind{}),
               "what crosses to writer lcores: mbufs, or Blocks that RX lcores build");
  table.whole("--handoff-size", &Config::handoff_size, "packets between an RX and a writer lcore, a power of two")
      .in(2, 1u << 18)
      .without(fmt::format("{}; {} where receiving waits", dropping_handoff, waiting_handoff))
      .check(check_handoff_size);
  table
      .choice("--when-full", &Config::when_full, words_of(WhenFull{}),
              "drives slower than the wire: count and drop, stop receiving, or give up payload before packets")
      .without("drop; wait for file-fed ports");
}

void add_writing(Table& table) {
  table.group("Writing");
  table
      .texts("--output", "DIR", &Config::outputs, "a drive to spread Blocks over; repeat for more", Offers::directories)
      .check(check_outputs);
  table.text("--name", "STEM", &Config::name, "how file names start").check(check_name);
  table.size("--rotate-size", &Config::rotate_size, "a new file at this size").check(check_rotate_size);
  table.time("--rotate-age", &Config::rotate_age_ns, "and at this age").at_least(10 * ms);
  table.size("--block-size", &Config::block_size, "bytes of one write").check(check_block_size);
  table.whole("--blocks", &Config::blocks, "Blocks in memory, of all writers").in(1, 1u << 24).without("planned");
  table.choice("--io", &Config::io, words_of(Io{}), "asynchronous writes, or one at a time");
  table.whole("--io-depth", &Config::io_depth, "writes in flight per drive and writer").in(1, 1024);
  table.time("--flush-age", &Config::flush_age_ns, "longest wait of a packet on an idle link").at_least(ms);
  table.time("--sync-age", &Config::sync_age_ns, "how often files are synced while they grow; 0s: only when sealed")
      .check(check_sync_age);
  table.choice("--on-drive-failure", &Config::on_drive_failure, words_of(OnFailure{}),
               "a drive of several that fails: go on with the others and take it back once it works again, or end the "
               "capture");
  table.choice("--format", &Config::format, words_of(FileFormat{}),
               "pcapng says in the file itself where it is from, and where packets are missing");
  table.choice("--index", &Config::index, words_of(IndexLevel{}), "what the file beside each pcap knows");
  table.on_off("--checksum", &Config::checksum,
               "a CRC-32C of every Block in that file, by which verify finds any changed byte");
}

void add_flows(Table& table) {
  table.group("Flows");
  table
      .size("--cutoff", &Config::cutoff,
            "bytes of each flow, both directions together, that are kept whole; TCP's SYN, FIN and RST always are")
      .without("off");
  table.choice("--cutoff-then", &Config::cutoff_then, words_of(CutoffThen{}), "what is kept of a flow after that");
  table
      .text("--flows", "DIR", &Config::flows, "write a record of each flow into files in this directory",
            Offers::directories)
      .without("none");
  table.choice("--flow-format", &Config::flow_format, words_of(FlowFormat{}),
               "IPFIX (RFC 5655), or a line of JSON each");
  table.time("--flow-active", &Config::flow_active_ns, "a flow that lasts longer gets a record each time")
      .in(10 * ms, 24 * hour);
  table.time("--flow-idle", &Config::flow_idle_ns, "a flow that was silent for this long is over")
      .in(10 * ms, 24 * hour);
  table
      .whole("--flow-table", &Config::flow_table,
             "flows remembered at once, of all RX lcores; in a table that is full the longest silent one ends")
      .in(1024, 1u << 28);
}

void add_sealed_files(Table& table) {
  table.group("Sealed files");
  table
      .share("--retain-free", &Config::retain_free,
             "remove the oldest sealed files when less of a drive's file system is free; pinned ones stay")
      .without("off")
      .check(check_retain_free);
  table.size("--retain-size", &Config::retain_size, "and when those of a drive take more than this")
      .without("off")
      .check(check_retain_size);
  table.time("--retain-age", &Config::retain_age_ns, "and when their last packet is older than this").without("off");
  table
      .texts("--archive", "DIR", &Config::archives,
             "move sealed files there while the drives are calm, the oldest first; repeat for more, filled in turn",
             Offers::directories)
      .without("none")
      .check(check_archives);
  table.size("--ledger-size", &Config::ledger_size, "most that a ledger takes; its oldest lines go first")
      .at_least(1 << 20);
  table
      .parsed("--on-seal", "COMMAND", &Config::on_seal, parse_command,
              "a shell command for each sealed file, which is its last word and in $WIRESPOOL_FILE")
      .without("none");
  table.time("--on-seal-timeout", &Config::on_seal_timeout_ns, "longest run of it").at_least(100 * ms);
  table.time("--on-seal-linger", &Config::on_seal_linger_ns, "longest wait for it when the capture ends");
}

void add_rights(Table& table) {
  table.group("Rights");
  table
      .text("--user", "NAME", &Config::user,
            "become this user once everything is open: no capability, no new privileges, fewer system calls")
      .without("stay");
}

void add_ending(Table& table) {
  table.group("Ending");
  table.time("--duration", &Config::duration_ns, "stop after this time")
      .without("never")
      .check(not_at_once(&Config::duration_ns));
  table.whole("--packets", &Config::packets, "stop after this many packets")
      .without("never")
      .check(not_at_once(&Config::packets));
  table.size("--bytes", &Config::bytes, "stop after this many bytes of packets")
      .without("never")
      .check(not_at_once(&Config::bytes));
  table.time("--idle-exit", &Config::idle_exit_ns, "stop when nothing arrived for this long")
      .without("never")
      .check(not_at_once(&Config::idle_exit_ns));
  table
      .time("--stop-timeout", &Config::stop_timeout_ns,
            "longest time a stop takes, whatever hangs; --on-seal-linger comes on top")
      .at_least(100 * ms);
}

void add_reporting(Table& table) {
  table.group("Reporting");
  table.choice(
      "--stats", &Config::stats, words_of(StatsOutput{}),
      "the ledger, each interval and at the end; auto: console on a terminal, else json; console draws on a terminal");
  table.time("--stats-interval", &Config::stats_interval_ns, "time between two").at_least(10 * ms);
  table
      .parsed("--metrics", "ADDR:PORT", &Config::metrics, parse_listen_address,
              "serve metrics (Prometheus, OpenMetrics) and /healthz there by HTTP; :PORT is 127.0.0.1:PORT")
      .without("off");
  table
      .parsed("--serve", "ADDR:PORT", &Config::serve, parse_listen_address,
              "answer queries of what is captured there, as `wirespool serve` does: an address of the loopback")
      .without("off");
  table.flag("--dry-run", &Config::dry_run, "print the plan and stop");
  table.flag("--strict", &Config::strict, "exit with 4 if any packet was lost");
}

Table make_table() {
  Table table(about());
  add_receiving(table);
  add_keeping(table);
  add_handing_over(table);
  add_writing(table);
  add_flows(table);
  add_sealed_files(table);
  add_rights(table);
  add_ending(table);
  add_reporting(table);
  return table;
}

}  // namespace

const Table& capture_table() {
  static const Table table = make_table();
  return table;
}

}  // namespace wirespool::plan
