// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "capture/flows.hpp"
#include "capture/lcore_signals.hpp"
#include "capture/limit_outlet.hpp"
#include "capture/outputs.hpp"
#include "capture/port_recovery.hpp"
#include "capture/recording.hpp"
#include "capture/rx_lcore.hpp"
#include "capture/rx_parts.hpp"
#include "capture/writer_lcore.hpp"
#include "dpdk/clock.hpp"
#include "dpdk/packet_filter.hpp"
#include "dpdk/port.hpp"
#include "format/ledger_line.hpp"
#include "machine/thread_limits.hpp"
#include "plan/capture_plan.hpp"
#include "policy/progress.hpp"
#include "stats/clock_bounds.hpp"

namespace wirespool::capture {

// How many packets a port had delivered, and how many of its NIC's stamps were refused, when its clock was last judged.
struct ClockTrial {
  std::uint64_t received = 0, refused = 0;
};

// A CapturePlan made real: ports, Handoffs, lcores. Built and driven by the control thread (the main lcore).
class Pipeline {
 public:
  ~Pipeline();  // ends lcores that still run: they use everything here

  // Takes all memory and configures all ports; nothing runs yet. What is referred to outlives it, but for `notices`.
  // `filter`: of --filter, else nullptr.
  static std::expected<std::unique_ptr<Pipeline>, Error> build(const plan::CapturePlan& plan, Outputs& outputs,
                                                               const dpdk::PacketFilter* filter,
                                                               std::vector<std::string>& notices);

  // Opens the first files and starts ports: all that may take rights which are given up before lcores run.
  std::expected<void, Error> start(std::vector<std::string>& notices);
  // Starts the threads of files, and lcores, which limit themselves first (nullptr: they do not). It outlives this.
  void launch(const machine::ThreadLimits* limits);

  void discipline_clocks();
  // Every few milliseconds: ports that were reset are brought back, their losses read. What happened, a line each.
  std::vector<std::string> tend_ports(std::uint64_t now_ns);
  std::uint64_t received() const;
  bool waiting() const;  // an RX lcore holds packets that it finds no room for (--when-full wait)
  std::vector<policy::LcoreMark> marks() const;  // for a watchdog
  bool packets_used_up() const { return allowance_ && allowance_->packets_used_up(); }
  bool bytes_used_up() const { return allowance_ && allowance_->bytes_used_up(); }
  std::optional<std::string> failure() const;    // why a capture cannot go on: no drive or port left
  std::optional<std::string> lost_port() const;  // the first that failed, though others may go on
  const std::vector<dpdk::Port>& ports() const { return ports_; }
  plan::CapturePlan plan_in_effect() const;  // once started: what the devices granted of the plan

  void end_files() noexcept;                     // the open ones, soon; new ones begin
  Flows* flows() const { return flows_.get(); }  // nullptr: nothing asks for them

  void stop() noexcept { stop_.stop(); }
  // What ports lost until now goes to the files, where these tell it: before a stop, so that their last ones have it.
  void read_losses();
  void give_up(std::uint64_t longest_write_ns) noexcept;  // SpoolWriter::give_up, on each writer lcore
  std::vector<std::string> hanging_writes() const;        // drives the kernel still has given up writes of
  bool done() const;                                      // all lcores are; everything received is stored or counted

  // Joins lcores and keepers, stops ports. Returns, in words, what did not end by `end`: that is left running, and
  // whatever it uses must stay.
  std::vector<std::string> finish(std::chrono::steady_clock::time_point end);

  // The books now (lines in plan order). Losses of ports are asked from their devices.
  void collect(format::LedgerLine& ledger);

 private:
  Pipeline(const plan::CapturePlan& plan, Outputs& outputs, const dpdk::PacketFilter* filter)
      : plan_(plan), outputs_(outputs), filter_(filter) {}

  std::expected<void, Error> make_flows();
  std::expected<void, Error> configure_ports(std::vector<std::string>& notices);
  std::expected<void, Error> make_clocks(std::vector<std::string>& notices);
  std::expected<void, Error> make_rx_parts();
  void make_recoveries();
  void make_rx_lcores();
  std::uint64_t received_from(std::size_t port) const;
  void relearn_clock(std::size_t port);
  std::uint64_t refused_stamps(std::size_t port) const;
  void judge_clocks(std::vector<std::string>& notices);
  void make_writer_lcores();
  std::optional<std::string> lost_drives() const;
  record::Recorder& recorder() const { return recording_->recorder(); }
  std::vector<RxQueue> queues_of(std::size_t rx) const;
  const dpdk::Port& port_of(const plan::RxQueueRef& queue) const;
  bool waits_for_room(const record::Drive& drive) const;
  rte_mempool* pool_of(std::size_t stream) const;
  std::expected<void, Error> open_first_files();

  std::vector<format::QueueLine> queues_of_port(std::size_t port) const;
  void collect_ports(format::LedgerLine& ledger) const;
  void collect_peaks(std::size_t port, Timestamp now, format::PortLine& line) const;
  void collect_totals(format::LedgerLine& ledger) const;
  void collect_stages(format::LedgerLine& ledger) const;
  void collect_drives(format::LedgerLine& ledger) const;
  void collect_blocks(format::LedgerLine& ledger) const;
  void collect_lcores(format::LedgerLine& ledger) const;
  void collect_clock(format::LedgerLine& ledger);
  format::ClockBound clock_bound() const;
  void look_at_sleeps();
  std::expected<void, Error> describe_sources();
  void mail_losses(std::size_t port);
  void collect_flows(format::LedgerLine& ledger) const;

  const plan::CapturePlan& plan_;
  Outputs& outputs_;
  const dpdk::PacketFilter* filter_;
  dpdk::MbufFields fields_{dpdk::StampField{}};
  std::vector<dpdk::Port> ports_;
  std::optional<dpdk::DisciplinedClock> tsc_;
  policy::SharedClock tsc_line_;
  std::vector<std::optional<dpdk::DisciplinedClock>> nic_clocks_;  // by port
  std::vector<std::unique_ptr<policy::SharedClock>> nic_lines_;
  std::vector<bool> nic_stamps_;                        // by port: they are used
  stats::ClockBounds clock_bounds_;                     // for the indices of files
  std::optional<format::ClockBound> bound_since_line_;  // for the next ledger line
  std::uint64_t longest_sleep_ns_ = 0;                  // of RX lcores since the last correction
  std::unique_ptr<Recording> recording_;
  std::vector<std::unique_ptr<RxQueueCounters>> queue_counters_;  // by RX lcore, then by its queues
  std::unique_ptr<Flows> flows_;                                  // nullptr: nothing asks for them
  std::vector<std::unique_ptr<stats::RxCounters>> rx_counters_;   // by RX lcore
  std::vector<std::unique_ptr<RxParts>> rx_parts_;                // by Stream
  std::vector<std::unique_ptr<PortRecovery>> recoveries_;         // by port
  std::vector<std::unique_ptr<stats::Peaks>> peaks_;              // by port
  std::uint64_t losses_read_ns_ = 0, clocks_judged_ns_ = 0;
  std::vector<ClockTrial> clock_trials_;        // by port
  std::vector<format::MissingPackets> mailed_;  // by port: its losses that were given to RX lcores
  std::optional<Allowance> allowance_;
  StopFlag stop_;
  // An lcore to be launched, and how it is to limit itself.
  struct Launch {
    void* lcore;
    const machine::ThreadLimits* limits;
    std::atomic<bool>* refused;
  };
  template <class Lcore>
  static int run_lcore(void* launch);
  std::vector<Launch> launches_;
  std::atomic<bool> limits_refused_{false};
  std::vector<std::unique_ptr<RxLcore>> rx_lcores_;
  std::vector<std::unique_ptr<WriterLcore>> writer_lcores_;
};

}  // namespace wirespool::capture
