// SPDX-License-Identifier: BSD-3-Clause
#include "capture/pipeline.hpp"

#include <fmt/format.h>
#include <rte_cycles.h>
#include <rte_launch.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "capture/file_front.hpp"
#include "capture/filter_outlet.hpp"
#include "capture/flow_outlet.hpp"
#include "capture/idler.hpp"
#include "capture/stopping.hpp"
#include "machine/system_clock.hpp"
#include "machine/user.hpp"
#include "policy/writer_shape.hpp"
#include "stats/ledger.hpp"
#include "storage/steady_time.hpp"

namespace wirespool::capture {
namespace {

// For stamps that are UTC nanoseconds as they are.
constexpr policy::ClockLine utc_nanoseconds{{0}, {0}, 1ull << 32, 0};

constexpr std::uint64_t longest_wait_for_room_ns = 10'000'000'000;
constexpr auto last_moment = std::chrono::milliseconds(200);

using Done = std::expected<void, Error>;
using UtcStamps = plan::DriverFacts::UtcStamps;

UtcStamps utc_stamps_of(const dpdk::Port& port) { return plan::facts_of(port.planned().driver).utc_stamps; }

using StageNumbers = std::vector<std::pair<std::string, std::uint64_t>>;

StageNumbers cycles_of(const stats::RxCycles& cycles, bool builds_blocks) {
  if (!counts_cycles) return {};
  return {{"idle", cycles.idle.get()},
          {"rx", cycles.receive.get()},
          {"stamp", cycles.stamp.get()},
          {builds_blocks ? "build" : "handoff", cycles.deliver.get()}};
}

StageNumbers cycles_of(const stats::WriterCycles& cycles) {
  if (!counts_cycles) return {};
  return {{"idle", cycles.idle.get()}, {"build", cycles.build.get()}, {"io", cycles.io.get()}};
}

template <class Value>
std::uint64_t sum_of_queues(const plan::CapturePlan& plan,
                            const std::vector<std::unique_ptr<RxQueueCounters>>& counters, unsigned port, Value value) {
  std::uint64_t sum = 0;
  std::size_t counter = 0;
  for (const auto& rx : plan.rx_lcores)
    for (const auto& queue : rx.queues) {
      const auto& own = *counters[counter++];
      if (queue.port == port) sum += value(own).get();
    }
  return sum;
}

// What a port lost, as far as that was counted.
format::MissingPackets sums_of(const dpdk::Port& port) {
  format::PortLine line;
  port.tell(line);
  return {line.nic_missed.value_or(0), line.nic_errors.value_or(0), line.nic_other.value_or(0),
          line.no_mbuf.value_or(0), 0};
}

}  // namespace

std::expected<std::unique_ptr<Pipeline>, Error> Pipeline::build(const plan::CapturePlan& plan, Outputs& outputs,
                                                                const dpdk::PacketFilter* filter,
                                                                std::vector<std::string>& notices) {
  std::unique_ptr<Pipeline> pipeline(new Pipeline(plan, outputs, filter));
  pipeline->fields_.stamp = dpdk::StampField::registered();
  if (pipeline->fields_.stamp.offset < 0)
    return std::unexpected(Error{"EAL", "no room left in the mbuf for a timestamp field",
                                 "free a dynamic field of whatever else uses this EAL", Error::Kind::not_ready});
  if (auto done = pipeline->make_flows(); !done) return std::unexpected(done.error());
  if (auto done = pipeline->configure_ports(notices); !done) return std::unexpected(done.error());
  auto recording = Recording::make(plan, outputs, pipeline->clock_bounds_, notices);
  if (!recording) return std::unexpected(recording.error());
  pipeline->recording_ = std::move(*recording);
  if (auto done = pipeline->make_rx_parts(); !done) return std::unexpected(done.error());
  if (plan.config.packets || plan.config.bytes) {
    constexpr auto unlimited = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    pipeline->allowance_.emplace(plan.config.packets.value_or(unlimited), plan.config.bytes.value_or(unlimited));
  }
  return pipeline;
}

Pipeline::~Pipeline() {
  stop();
  rte_eal_mp_wait_lcore();
}

// Its field is registered before any port is configured, as all are.
Done Pipeline::make_flows() {
  if (plan_.config.cutoff && plan_.config.cutoff_then == plan::CutoffThen::headers) {
    fields_.keep = dpdk::KeepField::registered();
    if (!fields_.keep.used())
      return std::unexpected(Error{"--cutoff", "no room left in the mbuf for a field of its own",
                                   "use --cutoff-then nothing", Error::Kind::not_ready});
  }
  auto flows = Flows::make(plan_, outputs_.start(), outputs_.user());
  if (!flows) return std::unexpected(flows.error());
  flows_ = std::move(*flows);
  return {};
}

Done Pipeline::configure_ports(std::vector<std::string>& notices) {
  for (const auto& planned : plan_.ports) {
    auto port = dpdk::Port::configure(planned, plan_.mempool_cache, notices);
    if (!port) return std::unexpected(port.error());
    ports_.push_back(std::move(*port));
  }
  return {};
}

// Some clocks can only be read once the port is started. One that cannot is no reason not to capture, unless it was
// asked for.
Done Pipeline::make_clocks(std::vector<std::string>& notices) {
  tsc_ = dpdk::DisciplinedClock::of_tsc();
  tsc_->publish_to(tsc_line_);
  nic_clocks_.resize(ports_.size());
  nic_lines_.resize(ports_.size());
  nic_stamps_.resize(ports_.size());
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    if (!ports_[i].planned().hw_timestamp) continue;
    const bool utc = utc_stamps_of(ports_[i]) != UtcStamps::none;
    if (!utc) nic_clocks_[i] = dpdk::DisciplinedClock::of_port(ports_[i].id());
    nic_stamps_[i] = utc || nic_clocks_[i];
    if (nic_stamps_[i]) nic_lines_[i] = std::make_unique<policy::SharedClock>();
    if (utc) nic_lines_[i]->publish(utc_nanoseconds);
    if (nic_clocks_[i]) nic_clocks_[i]->publish_to(*nic_lines_[i]);
    if (nic_stamps_[i]) continue;
    const auto why = fmt::format("{} stamps packets, but its clock cannot be read or stands still", ports_[i].say());
    if (ports_[i].planned().needs_nic_clock)
      return std::unexpected(Error{"--timestamp", why, "use --timestamp auto or tsc", Error::Kind::not_ready});
    notices.push_back(why + ": the TSC stamps them");
  }
  return {};
}

Done Pipeline::make_rx_parts() {
  for (std::size_t rx = 0; rx < plan_.rx_lcores.size(); ++rx)
    rx_counters_.push_back(std::make_unique<stats::RxCounters>());
  for (std::size_t stream = 0; stream < plan_.streams.size(); ++stream) {
    auto& counters = *rx_counters_[plan_.streams[stream].rx];
    auto parts = RxParts::make(plan_, stream, *recording_, pool_of(stream), fields_, counters);
    if (!parts) return std::unexpected(parts.error());
    rx_parts_.push_back(std::move(*parts));
  }
  return {};
}

const dpdk::Port& Pipeline::port_of(const plan::RxQueueRef& queue) const {
  return *std::ranges::find_if(ports_, [&](const dpdk::Port& port) { return port.id() == queue.port; });
}

// The pool that most of a Stream's mbufs come from.
rte_mempool* Pipeline::pool_of(std::size_t stream) const {
  const auto& queues = plan_.rx_lcores[plan_.streams[stream].rx].queues;
  return port_of(*std::ranges::find(queues, stream, &plan::RxQueueRef::stream)).pool();
}

std::vector<RxQueue> Pipeline::queues_of(std::size_t rx) const {
  // Of the queues that were planned a device may have granted some: the others are never polled.
  static const PortGate never{true};
  std::vector<RxQueue> queues;
  for (const auto& ref : plan_.rx_lcores[rx].queues) {
    const dpdk::Port& port = port_of(ref);
    const auto number = static_cast<std::size_t>(&port - ports_.data());
    queues.push_back({.port = port.id(),
                      .queue = static_cast<std::uint16_t>(ref.queue),
                      .descriptors = std::max(port.planned().rx_desc, plan_.burst),
                      .late_ticks = plan::facts_of(port.planned().driver).late_us * rte_get_tsc_hz() / 1'000'000,
                      .nic_clock = nic_lines_[number].get(),
                      .outlet = &rx_parts_[ref.stream]->outlet(),
                      .gate = ref.queue < port.planned().rx_queues ? &recoveries_[number]->gate() : &never,
                      .peaks = stats::QueuePeaks(peaks_[number].get())});
  }
  return queues;
}

void Pipeline::make_rx_lcores() {
  for (std::size_t stream = 0; stream < rx_parts_.size(); ++stream) {
    auto& parts = rx_parts_[stream];
    if (flows_) {
      const FlowOutlet::Setup flows{
          .table = &flows_->table(plan_.streams[stream].rx), .fields = fields_, .cutoff = plan_.config.cutoff};
      parts->put_around<FlowOutlet>(flows);
    }
    if (allowance_) parts->put_around<LimitOutlet>(*allowance_, stop_);
    if (filter_) parts->put_around<FilterOutlet>(*filter_);  // --packets counts what it leaves, as tcpdump's -c
  }
  for (std::size_t i = 0; i < ports_.size(); ++i)
    peaks_.push_back(std::make_unique<stats::Peaks>(plan_.config.hole_ns.value_or(0)));
  for (std::size_t rx = 0; rx < plan_.rx_lcores.size(); ++rx) {
    RxLcoreSetup setup{.queues = queues_of(rx),
                       .burst = plan_.burst,
                       .stamp_field = fields_.stamp,
                       .tsc_clock = &tsc_line_,
                       .stop = &stop_,
                       .counters = rx_counters_[rx].get(),
                       .idle = plan_.rx_lcores[rx].idle};
    for (auto& queue : setup.queues) {
      queue_counters_.push_back(std::make_unique<RxQueueCounters>());
      queue.counters = queue_counters_.back().get();
      queue.counters->source = static_cast<std::uint32_t>(queue_counters_.size() - 1);
    }
    rx_lcores_.push_back(std::make_unique<RxLcore>(std::move(setup)));
  }
}

void Pipeline::make_writer_lcores() {
  for (std::size_t i = 0; i < recorder().writers(); ++i) {
    record::Writer& writer = recorder().writer(i);
    WriterLcoreSetup setup{.intakes = {},
                           .sources = {},
                           .sink = &writer.sink(),
                           .tsc_clock = &tsc_line_,
                           .stop = &stop_,
                           .counters = &writer.counters,
                           .idle = plan_.writers[i].idle};
    for (auto& parts : rx_parts_) setup.intakes.push_back(parts->take_intake(i));
    for (auto& rx : rx_lcores_) setup.sources.push_back(rx.get());
    writer_lcores_.push_back(std::make_unique<WriterLcore>(std::move(setup)));
  }
}

// A drive that cannot even begin is a wrong start, not a lost drive.
Done Pipeline::open_first_files() {
  const machine::FilesAs as_user(outputs_.user());
  if (auto done = recorder().open_first_files(); !done)
    return std::unexpected(
        Error{"--output", done.error().message(), "check the directory and its drive", Error::Kind::not_ready});
  return {};
}

Done Pipeline::start(std::vector<std::string>& notices) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(plan_.config.stop_timeout_ns);
  if (auto done = open_first_files(); !done) {
    finish(end);
    return done;
  }
  for (auto& port : ports_)
    if (auto done = port.start(notices); !done) {
      finish(end);
      return done;
    }
  if (auto done = make_clocks(notices); !done) {
    finish(end);
    return done;
  }
  make_recoveries();
  make_rx_lcores();
  make_writer_lcores();
  if (auto done = describe_sources(); !done) {
    finish(end);
    return done;
  }
  return {};
}

// An lcore that could not give up what it does not need runs all the same, for nobody else would empty its Handoffs;
// the control thread ends the capture.
template <class Lcore>
int Pipeline::run_lcore(void* launch) {
  const auto& [lcore, limits, refused] = *static_cast<const Launch*>(launch);
  sleep_exactly();
  if (limits != nullptr && (!machine::drop_capabilities() || !limits->take()))
    refused->store(true, std::memory_order_release);
  static_cast<Lcore*>(lcore)->run();
  return 0;
}

void Pipeline::launch(const machine::ThreadLimits* limits) {
  outputs_.start_seal_hook();
  recorder().start_keepers();
  if (flows_) flows_->start();
  for (auto& lcore : writer_lcores_) launches_.push_back({lcore.get(), limits, &limits_refused_});
  for (auto& lcore : rx_lcores_) launches_.push_back({lcore.get(), limits, &limits_refused_});
  for (std::size_t i = 0; i < writer_lcores_.size(); ++i)
    rte_eal_remote_launch(run_lcore<WriterLcore>, &launches_[i], plan_.writers[i].lcore);
  for (std::size_t i = 0; i < rx_lcores_.size(); ++i)
    rte_eal_remote_launch(run_lcore<RxLcore>, &launches_[writer_lcores_.size() + i], plan_.rx_lcores[i].lcore);
}

plan::CapturePlan Pipeline::plan_in_effect() const {
  std::vector<plan::PlannedPort> granted;
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    granted.push_back(ports_[i].planned());
    granted.back().hw_timestamp = nic_stamps_[i];
  }
  return plan::in_effect(plan_, std::move(granted), recording_->io());
}

void Pipeline::discipline_clocks() {
  tsc_->discipline();
  for (auto& clock : nic_clocks_)
    if (clock) clock->discipline();
  look_at_sleeps();
  const auto bound = clock_bound();
  longest_sleep_ns_ = 0;
  clock_bounds_.add(dpdk::utc_now(), bound);
  bound_since_line_ = bound_since_line_ ? stats::wider(*bound_since_line_, bound) : bound;
}

void Pipeline::make_recoveries() {
  const auto parked = [this](std::uint32_t word) {
    return std::ranges::all_of(rx_lcores_, [word](const auto& lcore) { return lcore->knows(word); });
  };
  for (auto& port : ports_)
    recoveries_.push_back(std::make_unique<PortRecovery>(port, stop_, parked, plan_.config.port_return_ns));
}

std::vector<std::string> Pipeline::tend_ports(std::uint64_t now_ns) {
  constexpr std::uint64_t most_ns = 1'000'000'000;
  std::vector<std::string> notices;
  for (std::size_t i = 0; i < ports_.size(); ++i)
    if (recoveries_[i]->tend(now_ns, received_from(i), notices)) relearn_clock(i);
  if (now_ns - losses_read_ns_ >= std::min(plan_.config.stats_interval_ns, most_ns)) {
    losses_read_ns_ = now_ns;
    for (std::size_t i = 0; i < ports_.size(); ++i)
      if (recoveries_[i]->running()) {
        ports_[i].read_losses();
        mail_losses(i);
      }
  }
  if (now_ns - clocks_judged_ns_ >= most_ns) {
    clocks_judged_ns_ = now_ns;
    judge_clocks(notices);
  }
  return notices;
}

// Where files tell sources, each begins with what is known of them.
Done Pipeline::describe_sources() {
  auto& layout = recording_->layout();
  if (!layout.tells_sources()) return {};
  layout.describe(file_front(plan_, ports_, clock_bound()));
  const auto most = policy::WriterShape::most_front_bytes(true, plan_.block_bytes);
  if (layout.front().size() <= most) return {};
  return std::unexpected(
      Error{"--block-size",
            fmt::format("files begin with {} bytes that describe {} queues, half a Block has room for {}",
                        layout.front().size(), layout.sources(), most),
            "give larger Blocks, or fewer --rx-queues"});
}

void Pipeline::read_losses() {
  if (!recording_->layout().tells_sources()) return;
  for (std::size_t i = 0; i < ports_.size(); ++i)
    if (recoveries_[i]->running()) {
      ports_[i].read_losses();
      mail_losses(i);
    }
}

// A port's losses are told by its first queue's files.
void Pipeline::mail_losses(std::size_t port) {
  if (!recording_->layout().tells_sources()) return;
  const auto known = sums_of(ports_[port]);
  mailed_.resize(ports_.size());
  auto news = known;
  const auto take_off = [](std::uint64_t& from, std::uint64_t before) { from -= std::min(from, before); };
  take_off(news.nic_missed, mailed_[port].nic_missed);
  take_off(news.nic_errors, mailed_[port].nic_errors);
  take_off(news.nic_other, mailed_[port].nic_other);
  take_off(news.no_mbuf, mailed_[port].no_mbuf);
  if (news.sum() == 0) return;
  mailed_[port] += news;
  std::size_t source = 0;
  for (const auto& rx : plan_.rx_lcores)
    for (const auto& queue : rx.queues) {
      if (queue.port == ports_[port].id() && queue.queue == 0) return recording_->mail()[source].put(news);
      ++source;
    }
}

// Its counter may have begun anew.
void Pipeline::relearn_clock(std::size_t port) {
  if (!nic_clocks_[port]) return;
  if (auto clock = dpdk::DisciplinedClock::of_port(ports_[port].id())) {
    nic_clocks_[port] = std::move(clock);
    nic_clocks_[port]->publish_to(*nic_lines_[port]);
  }
}

std::uint64_t Pipeline::received_from(std::size_t port) const {
  return sum_of_queues(
      plan_, queue_counters_, ports_[port].id(), [](auto& own) -> auto& { return own.packets; });
}

std::uint64_t Pipeline::refused_stamps(std::size_t port) const {
  return sum_of_queues(
      plan_, queue_counters_, ports_[port].id(), [](auto& own) -> auto& { return own.stamps_refused; });
}

// Once a second: a clock whose stamps are often refused is another than the one that was read, and no longer used.
void Pipeline::judge_clocks(std::vector<std::string>& notices) {
  constexpr std::uint64_t fewest = 16, percent = 2;
  clock_trials_.resize(ports_.size());
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    if (!nic_stamps_[i]) continue;
    const ClockTrial now{received_from(i), refused_stamps(i)};
    const auto then = std::exchange(clock_trials_[i], now);
    const auto refused = now.refused - then.refused;
    if (refused < fewest || refused * 100 < percent * (now.received - then.received)) continue;
    nic_stamps_[i] = false;
    nic_clocks_[i].reset();
    nic_lines_[i]->publish({});
    notices.push_back(fmt::format(
        "{}: {} of its last {} stamps cannot be: its clock is not used any more, the TSC stamps its packets",
        ports_[i].say(), refused, now.received - then.received));
  }
}

std::uint64_t Pipeline::received() const {
  std::uint64_t sum = 0;
  for (const auto& rx : rx_counters_) sum += rx->received.get();
  return sum;
}

bool Pipeline::waiting() const {
  return std::ranges::any_of(rx_counters_, [](const auto& rx) { return rx->waiting.get() != 0; });
}

// An RX lcore that waits for room (--when-full wait) does not poll; its writer must turn all the more.
std::vector<policy::LcoreMark> Pipeline::marks() const {
  std::vector<policy::LcoreMark> marks;
  for (std::size_t i = 0; i < rx_lcores_.size(); ++i) {
    const auto& counters = *rx_counters_[i];
    marks.push_back({counters.polls.get(), counters.waiting.get() != 0 || rx_lcores_[i]->done()});
  }
  for (std::size_t i = 0; i < writer_lcores_.size(); ++i)
    marks.push_back({recorder().writer(i).counters.rounds.get(), writer_lcores_[i]->done()});
  return marks;
}

// Retention makes room, where there is one; what comes until then and finds no other drive is drop_drive.
bool Pipeline::waits_for_room(const record::Drive& drive) const {
  return outputs_.retention() != nullptr && drive.state() == record::DriveState::full &&
         storage::steady_ns() - drive.since_ns() < longest_wait_for_room_ns;
}

std::optional<std::string> Pipeline::failure() const {
  if (limits_refused_.load(std::memory_order_acquire)) return "an lcore could not give up its rights (--user)";
  if (auto lost = lost_port()) {
    const bool all = std::ranges::all_of(recoveries_, [](const auto& port) { return port->failed().has_value(); });
    if (all || plan_.config.on_port_failure == plan::OnFailure::stop) return lost;
  }
  return lost_drives();
}

// With --on-drive-failure stop one that failed is enough; one that is full has not failed.
std::optional<std::string> Pipeline::lost_drives() const {
  bool any_left = recorder().drives() == 0;
  for (std::size_t i = 0; i < recorder().drives(); ++i) {
    const auto& drive = recorder().drive(i);
    any_left |= drive.ok() || waits_for_room(drive);
    if (plan_.config.on_drive_failure == plan::OnFailure::stop && drive.state() == record::DriveState::failed)
      return fmt::format("a drive failed: {}: {}", drive.path(), drive.why());
  }
  if (any_left) return std::nullopt;
  const auto& last = recorder().drive(recorder().drives() - 1);
  return fmt::format("no drive is left: {}: {}", last.path(), last.why());
}

// The kernel still has writes that were given up: to which drives.
std::vector<std::string> Pipeline::hanging_writes() const {
  bool under_way = false;
  for (std::size_t i = 0; i < recorder().writers(); ++i)
    for (const auto& drive : recorder().writer(i).drive_counters) under_way |= drive.inflight.get() != 0;
  std::vector<std::string> failed;
  for (std::size_t i = 0; under_way && i < recorder().drives(); ++i)
    if (!recorder().drive(i).ok()) failed.push_back(recorder().drive(i).path());
  return failed;
}

std::optional<std::string> Pipeline::lost_port() const {
  for (const auto& port : recoveries_)
    if (port->failed()) return port->failed();
  return std::nullopt;
}

bool Pipeline::done() const {
  return std::ranges::all_of(rx_lcores_, [](const auto& lcore) { return lcore->done(); }) &&
         std::ranges::all_of(writer_lcores_, [](const auto& lcore) { return lcore->done(); });
}

void Pipeline::end_files() noexcept {
  for (std::size_t i = 0; i < recorder().drives(); ++i) recorder().drive(i).renew();
  if (flows_) flows_->end_file();
}

void Pipeline::give_up(std::uint64_t longest_write_ns) noexcept {
  stop_.longest_write_ns.store(longest_write_ns, std::memory_order_relaxed);
}

std::vector<std::string> Pipeline::finish(std::chrono::steady_clock::time_point end) {
  std::vector<std::string> hanging;
  for (std::size_t i = 0; i < rx_lcores_.size(); ++i)
    if (!rx_lcores_[i]->done()) hanging.push_back(fmt::format("RX lcore {}", plan_.rx_lcores[i].lcore));
  for (std::size_t i = 0; i < writer_lcores_.size(); ++i)
    if (!writer_lcores_[i]->done()) hanging.push_back(fmt::format("writer lcore {}", plan_.writers[i].lcore));
  const bool ended = hanging.empty();
  if (ended) rte_eal_mp_wait_lcore();
  if (ended && flows_ && !flows_->finish(end)) hanging.emplace_back("writing to --flows");
  for (auto& port : ports_)
    if (!done_by(end, [&port] { port.stop(); })) hanging.push_back(fmt::format("port {}", port.planned().name));
  const auto drives = recorder().stop_keepers(end);
  for (const auto& path : drives) hanging.push_back("drive " + path);
  const auto discard = [this] { recorder().discard_unused_files(); };
  const auto moment = std::chrono::steady_clock::now() + last_moment;  // what hung has used up the time
  if (ended && !done_by(std::max(end, moment), discard)) hanging.emplace_back("removing unused files");
  recorder().count_unsealed();
  return hanging;
}

// ---- the books

void Pipeline::collect(format::LedgerLine& ledger) {
  collect_totals(ledger);
  collect_stages(ledger);
  collect_ports(ledger);
  collect_drives(ledger);
  collect_blocks(ledger);
  collect_lcores(ledger);
  collect_clock(ledger);
  collect_flows(ledger);
}

// What leaves the pipeline is read before what enters it, so that no packet is seen to leave that did not enter.
void Pipeline::collect_totals(format::LedgerLine& ledger) const {
  auto& totals = ledger.totals;
  totals = {};
  // What drives lost of it was stored before.
  std::uint64_t lost_bytes = 0;
  for (std::size_t i = 0; i < recorder().drives(); ++i) {
    totals.drop_drive += recorder().drive(i).lost();
    lost_bytes += recorder().drive(i).lost_bytes();
  }
  totals.stored -= totals.drop_drive;
  totals.stored_bytes -= lost_bytes;
  std::atomic_thread_fence(std::memory_order_acquire);
  for (std::size_t i = 0; i < recorder().writers(); ++i) {
    const auto& counters = recorder().writer(i).counters;
    totals.stored += counters.stored.get();
    totals.stored_bytes += counters.stored_bytes.get();
    totals.ended_early += counters.ended_early.get();
    totals.drop_drive += counters.drop_drive.get();
    totals.rehomed += counters.rehomed.get();
  }
  std::atomic_thread_fence(std::memory_order_acquire);
  for (const auto& rx : rx_counters_) {
    totals.sliced += rx->sliced.get();
    totals.trimmed += rx->trimmed.get();
    totals.filtered += rx->filtered.get();
    totals.ended_early += rx->ended_early.get();
    totals.cut += rx->cut.get();
    if (plan_.config.cutoff) totals.headers_only = totals.headers_only.value_or(0) + rx->headers_only.get();
    totals.drop_handoff += rx->drop_handoff.get();
    totals.drop_drive += rx->drop_drive.get();
    totals.beyond_limit += rx->beyond_limit.get();
  }
  std::atomic_thread_fence(std::memory_order_acquire);
  for (const auto& rx : rx_counters_) {
    totals.received += rx->received.get();
    totals.received_bytes += rx->received_bytes.get();
  }
}

void Pipeline::collect_flows(format::LedgerLine& ledger) const {
  ledger.flows.reset();
  if (!flows_) return;
  flows_->collect(ledger.flows.emplace());
  for (const auto& rx : rx_counters_) ledger.flows->not_ip += rx->not_ip.get();
}

// Lcores look at what is theirs themselves, many times a second; what lies between two of them is looked at here.
void Pipeline::collect_stages(format::LedgerLine& ledger) const {
  const auto of_lcore = [](format::StageLine& stage, const stats::Audit& audit, unsigned lcore) {
    stats::add_place(stage, static_cast<std::int64_t>(audit.held.get()), static_cast<std::int64_t>(audit.missing.get()),
                     fmt::format("lcore {}", lcore));
  };
  const bool blocks = plan_.config.handoff == plan::HandoffKind::blocks;
  format::StageLine rx{.stage = "rx"}, handoff{.stage = "handoff", .unit = blocks ? "messages" : "packets"},
      writer{.stage = "writer"};
  for (std::size_t i = 0; i < recorder().writers(); ++i)
    of_lcore(writer, recorder().writer(i).counters.audit, plan_.writers[i].lcore);
  for (const auto& parts : rx_parts_) parts->look_at_handoffs(handoff);
  for (std::size_t i = 0; i < rx_counters_.size(); ++i) of_lcore(rx, rx_counters_[i]->audit, plan_.rx_lcores[i].lcore);
  ledger.stages = {std::move(rx), std::move(handoff), std::move(writer)};
}

// Those the device granted, in their order.
std::vector<format::QueueLine> Pipeline::queues_of_port(std::size_t port) const {
  std::vector<format::QueueLine> queues;
  std::size_t counter = 0;
  for (const auto& rx : plan_.rx_lcores)
    for (const auto& queue : rx.queues) {
      const auto& own = *queue_counters_[counter++];
      if (queue.port != ports_[port].id() || queue.queue >= ports_[port].planned().rx_queues) continue;
      queues.push_back({queue.queue, own.packets.get(), own.bytes.get()});
    }
  std::ranges::sort(queues, {}, &format::QueueLine::queue);
  return queues;
}

void Pipeline::collect_ports(format::LedgerLine& ledger) const {
  ledger.ports.clear();
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    format::PortLine line{.port = ports_[i].planned().id, .name = ports_[i].planned().name};
    ports_[i].tell(line);
    if (ports_[i].planned().hw_timestamp) line.stamps_refused = refused_stamps(i);
    line.queues = queues_of_port(i);
    for (const auto& queue : line.queues) {
      line.received += queue.received;
      line.received_bytes += queue.received_bytes;
    }
    collect_peaks(i, ledger.time, line);
    ledger.ports.push_back(std::move(line));
  }
  ledger.gaps.clear();
  for (const auto& recovery : recoveries_) std::ranges::copy(recovery->gaps(), std::back_inserter(ledger.gaps));
  std::ranges::stable_sort(ledger.gaps, {}, [](const auto& gap) { return gap.from.ns; });
}

void Pipeline::collect_peaks(std::size_t port, Timestamp now, format::PortLine& line) const {
  const auto taken = peaks_[port]->take(now.ns);
  for (const auto& peak : taken.peaks) line.peaks.push_back({peak.window_ns, peak.packets, peak.bytes});
  if (!taken.holes) return;
  const auto& holes = *taken.holes;
  line.holes = format::HolesLine{
      .count = holes.count, .total_ns = holes.total_ns, .longest_ns = holes.longest_ns, .open_ns = holes.open_ns};
  for (const auto& hole : holes.latest) line.holes->latest.push_back({hole.from, hole.to});
}

void Pipeline::collect_drives(format::LedgerLine& ledger) const {
  constexpr std::array names{"ok", "full", "failed"};
  ledger.drives.clear();
  for (std::size_t i = 0; i < recorder().drives(); ++i) {
    std::uint64_t latencies_ns = 0;
    const auto& drive = recorder().drive(i);
    format::DriveLine line{
        .path = drive.path(), .state = names[static_cast<std::size_t>(drive.state())], .why = drive.why()};
    line.unsynced = drive.unsynced();
    line.taken_back = drive.times_back();
    for (auto& away : drive.absences()) line.away.push_back({away.from, away.to, std::move(away.why)});
    std::array<std::uint64_t, stats::Histogram::buckets> latency{};
    for (std::size_t writer = 0; writer < plan_.writers.size(); ++writer)
      for (std::size_t own = 0; own < plan_.writers[writer].drives.size(); ++own) {
        if (plan_.writers[writer].drives[own] != i) continue;
        const auto& counters = recorder().writer(writer).drive_counters[own];
        line.blocks += counters.blocks.get();
        line.bytes += counters.bytes.get();
        line.inflight += counters.inflight.get();
        line.files += counters.files.get();
        counters.write_latency.add_to(latency);
        latencies_ns += counters.write_latency.sum();
        line.write_latency_ns.max = std::max(line.write_latency_ns.max, counters.write_latency.max());
      }
    line.write_latency_ns.p50 = std::min(stats::quantile(latency, 0.5), line.write_latency_ns.max);
    line.write_latency_ns.p99 = std::min(stats::quantile(latency, 0.99), line.write_latency_ns.max);
    line.write_durations = stats::write_durations(latency, latencies_ns);
    ledger.drives.push_back(std::move(line));
  }
}

void Pipeline::collect_blocks(format::LedgerLine& ledger) const {
  if (recorder().writers() == 0) return;
  std::uint64_t all = 0;
  auto& blocks = ledger.blocks.emplace();
  for (std::size_t i = 0; i < recorder().writers(); ++i) {
    all += recorder().writer(i).blocks();
    blocks.free += recorder().writer(i).counters.free_blocks.get();
  }
  for (std::size_t i = 0; i < recorder().drives(); ++i) blocks.full += recorder().drive(i).load();
  blocks.free = std::min(blocks.free, all);
  blocks.full = std::min(blocks.full, all - blocks.free);  // they moved meanwhile
  blocks.open = all - blocks.free - blocks.full;
}

void Pipeline::collect_lcores(format::LedgerLine& ledger) const {
  const auto busy = [](std::uint64_t all, std::uint64_t empty) {
    return all ? 1 - static_cast<double>(empty) / static_cast<double>(all) : 0.0;
  };
  const bool blocks = plan_.config.handoff == plan::HandoffKind::blocks;
  ledger.lcores.clear();
  for (std::size_t i = 0; i < rx_lcores_.size(); ++i) {
    const auto& counters = *rx_counters_[i];
    ledger.lcores.push_back({.lcore = plan_.rx_lcores[i].lcore,
                             .role = "rx",
                             .busy = busy(counters.polls.get(), counters.empty_polls.get()),
                             .packets = counters.received.get(),
                             .waits = counters.handoff_waits.get(),
                             .asleep_ns = counters.sleeps.asleep_ns.get(),
                             .overslept = counters.sleeps.overslept.get(),
                             .cycles = cycles_of(counters.cycles, blocks)});
  }
  for (std::size_t i = 0; i < recorder().writers(); ++i) {
    const auto& counters = recorder().writer(i).counters;
    ledger.lcores.push_back({.lcore = plan_.writers[i].lcore,
                             .role = "writer",
                             .busy = busy(counters.rounds.get(), counters.idle_rounds.get()),
                             .packets = counters.stored.get() + counters.ended_early.get(),
                             .waits = counters.block_waits.get(),
                             .asleep_ns = counters.sleeps.asleep_ns.get(),
                             .overslept = counters.sleeps.overslept.get(),
                             .cycles = cycles_of(counters.cycles)});
  }
}

namespace {

void add_up(format::ClockBound& bound) {
  const bool known = bound.line_error_ns && bound.kernel_max_error_ns;
  bound.error_ns =
      known ? std::optional(*bound.line_error_ns + *bound.kernel_max_error_ns + bound.longest_sleep_ns) : std::nullopt;
}

// What the kernel says of the system's clock, which all lines follow.
void add_kernel(format::ClockBound& bound) {
  constexpr std::uint64_t ns_per_us = 1'000;
  const auto kernel = machine::look_at_clock();
  if (!kernel) return;
  bound.discipline = kernel->synchronised ? "kernel" : "none";
  if (!kernel->synchronised) return;
  bound.kernel_max_error_ns = kernel->max_error_us * ns_per_us;
  bound.kernel_estimated_error_ns = kernel->estimated_error_us * ns_per_us;
  add_up(bound);
}

}  // namespace

// What the last corrections found. Packets are stamped by the TSC's clock where the port has none; a clock that was
// stepped, or could not be read, counts with what that was. Of stamps that come as UTC only the kernel's are known to
// be by the system's clock.
format::ClockBound Pipeline::clock_bound() const {
  std::optional<format::ClockBound> bound;
  const auto add = [&](const std::string& source, std::optional<std::uint64_t> error_ns) {
    const format::ClockBound one{.source = source,
                                 .discipline = {},
                                 .line_error_ns = error_ns,
                                 .longest_sleep_ns = source == "tsc" ? longest_sleep_ns_ : 0};
    bound = bound ? stats::wider(*bound, one) : one;
  };
  const auto tsc_error_ns = tsc_ ? tsc_->last_error() : std::nullopt;
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    if (i >= nic_stamps_.size() || !nic_stamps_[i])
      add("tsc", tsc_error_ns);
    else if (nic_clocks_[i])
      add("hw", nic_clocks_[i]->last_error());
    else if (utc_stamps_of(ports_[i]) == UtcStamps::kernel)
      add("hw", 0);  // the system's clock itself
    else
      add("hw", std::nullopt);
  }
  auto all = bound.value_or(format::ClockBound{.source = "tsc", .discipline = {}, .line_error_ns = tsc_error_ns});
  add_kernel(all);
  return all;
}

// Sleeps since the last correction: what the TSC stamped came at some time of them.
void Pipeline::look_at_sleeps() {
  for (auto& rx : rx_counters_) longest_sleep_ns_ = std::max(longest_sleep_ns_, rx->sleeps.longest_ns.take());
}

// The widest since the line before: what held then, what each correction found, and what the kernel says now.
void Pipeline::collect_clock(format::LedgerLine& ledger) {
  look_at_sleeps();
  const auto now = clock_bound();
  ledger.clock = bound_since_line_ ? stats::wider(*bound_since_line_, now) : now;
  add_up(*ledger.clock);
  bound_since_line_ = now.line_error_ns ? std::optional(now) : std::nullopt;  // nothing was found yet
}

}  // namespace wirespool::capture
