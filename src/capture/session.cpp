// SPDX-License-Identifier: BSD-3-Clause
#include "capture/session.hpp"

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <thread>

#include "capture/before_eal.hpp"
#include "capture/ledger_sinks.hpp"
#include "capture/outputs.hpp"
#include "capture/own_limits.hpp"
#include "capture/pipeline.hpp"
#include "capture/privileges.hpp"
#include "capture/reporter.hpp"
#include "capture/service_watch.hpp"
#include "capture/stopping.hpp"
#include "dpdk/clock.hpp"
#include "dpdk/eal.hpp"
#include "dpdk/packet_filter.hpp"
#include "dpdk/probe.hpp"
#include "options/exit.hpp"
#include "options/values.hpp"
#include "plan/eal_args.hpp"
#include "plan/hugepages.hpp"
#include "plan/route.hpp"
#include "stats/ledger.hpp"
#include "stats/losses.hpp"
#include "storage/steady_time.hpp"
#include "storage/terminal_screen.hpp"
#include "wirespool/version.hpp"

namespace wirespool::capture {

using storage::steady_ns;

namespace {

using options::Exit;

constexpr auto nap = std::chrono::milliseconds(10);
constexpr std::uint64_t discipline_period_ns = 100'000'000;  // the timebase's stated bound rests on it
constexpr std::uint64_t least_period_ns = 10'000'000;
constexpr auto last_moment = std::chrono::milliseconds(300);
constexpr auto hook_grace = std::chrono::seconds(5);  // a command that is ended has 2 s of it
constexpr std::uint64_t drain_notice_ns = 5'000'000'000;

void sleep_for(std::chrono::nanoseconds time) {
  const timespec wait{0, static_cast<long>(time.count())};
  nanosleep(&wait, nullptr);
}

Outcome refused(std::vector<Error> problems) {
  const auto exit = options::exit_of(problems);
  return {exit, std::move(problems)};
}

// Something that is due every so often.
class Every {
 public:
  explicit Every(std::uint64_t period_ns) : period_ns_(period_ns), next_(steady_ns() + period_ns) {}
  bool due(std::uint64_t now) {
    if (now < next_) return false;
    next_ = std::max(next_ + period_ns_, now);
    return true;
  }

 private:
  std::uint64_t period_ns_, next_;
};

// Why a capture is to stop now; remembers what that depends on.
class StopConditions {
 public:
  StopConditions(const plan::CaptureConfig& config, const Signals& signals) : signals_(signals), config_(config) {}

  // Ports are started, which may have taken seconds: times count from now on.
  void begin() { start_ = last_packet_ = steady_ns(); }

  std::optional<std::string> met(const Pipeline& pipeline, std::uint64_t now) {
    if (auto signal = signals_.stop()) return signal;
    if ((failure_ = pipeline.failure())) return failure_;
    if (pipeline.packets_used_up()) return "--packets";
    if (pipeline.bytes_used_up()) return "--bytes";
    if (config_.duration_ns && now - start_ >= *config_.duration_ns) return "--duration";
    return idle(pipeline, now);
  }

  const std::optional<std::string>& failure() const { return failure_; }  // if that was why

 private:
  // A source that is not polled, because the drives are slow, may have more packets.
  std::optional<std::string> idle(const Pipeline& pipeline, std::uint64_t now) {
    const auto received = pipeline.received();
    if (received != received_ || pipeline.waiting()) {
      received_ = received;
      last_packet_ = now;
    }
    if (config_.idle_exit_ns && now - last_packet_ >= *config_.idle_exit_ns) return "--idle-exit";
    return std::nullopt;
  }

  const Signals& signals_;
  const plan::CaptureConfig& config_;
  std::optional<std::string> failure_;
  std::uint64_t start_ = 0, last_packet_ = 0, received_ = 0;
};

// The main lcore's work while the others poll: clocks, statistics, and when to stop. The time of --stop-timeout is
// divided so: after half of it, drives that ended no write for a quarter are given up; after seven tenths, everything
// that is left is; after eight tenths nothing is waited for, and the rest is for sealing and the last ledger line.
class Supervisor {
 public:
  Supervisor(Pipeline& pipeline, Reporter& reporter, Signals& signals, ServiceWatch& service,
             const plan::CaptureConfig& config)
      : pipeline_(pipeline),
        reporter_(reporter),
        signals_(signals),
        conditions_(config, signals),
        service_(service),
        stop_timeout_ns_(config.stop_timeout_ns),
        report_(config.stats_interval_ns) {}

  // Returns what ended the capture. Whatever is thrown (memory that runs out, say) ends it as a stop does: lcores that
  // run use everything that unwinding would destroy.
  std::string run() noexcept {
    attempt([this] { begin(); });
    while (!pipeline_.done() && !(stopping() && stopping_for(steady_ns()) >= tenths(8))) {
      sleep_for(nap);
      attempt([this] { look(steady_ns()); });
    }
    attempt([this] { stop(conditions_.met(pipeline_, steady_ns()).value_or("the lcores")); });  // by themselves
    return std::move(ended_by_);
  }

  // What ended the capture, if that was a failure: a drive may be back by now.
  const std::optional<std::string>& failure() const { return conditions_.failure(); }

  // When all is to be over.
  std::chrono::steady_clock::time_point deadline() const {
    return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(stop_began_ + stop_timeout_ns_));
  }

 private:
  template <typename Job>
  void attempt(Job job) noexcept {
    try {
      job();
    } catch (const std::exception&) {
      pipeline_.stop();
      if (stopping()) return;
      ended_by_ = "an exception";  // short enough to need no memory
      stop_began_ = steady_ns();
    }
  }

  void begin() {
    conditions_.begin();
    disciplined_ns_ = steady_ns();
    reporter_.begin();
  }

  void look(std::uint64_t now) {
    if (discipline_.due(now)) discipline(now);
    reporter_.notices(pipeline_.tend_ports(now));
    if (signals_.take_rotation()) rotate();
    const bool asked = signals_.take_ledger_line();
    if (report_.due(now) || asked) reporter_.interval(pipeline_);
    if (reporter_.look()) stop("q");
    service_.watch(pipeline_, now);
    if (stopping())
      hurry(stopping_for(now));
    else if (auto why = conditions_.met(pipeline_, now))
      stop(*why);
  }

  void rotate() {
    if (stopping()) return;  // all files are ended anyway
    pipeline_.end_files();
    reporter_.notice("SIGHUP: the files that are open are ended, and new ones begin");
  }

  void discipline(std::uint64_t now) {
    pipeline_.discipline_clocks();
    disciplined_ns_ = now;
  }

  // Files sealed now should say how good their clock was, however short the capture; but a clock's rate takes time to
  // learn.
  void stop(const std::string& why) {
    if (stopping()) return;
    if (const auto now = steady_ns(); now - disciplined_ns_ >= least_period_ns) discipline(now);
    pipeline_.read_losses();
    pipeline_.stop();
    ended_by_ = why;
    stop_began_ = steady_ns();
    service_.stopping(ended_by_);
    drain_notice_ = Every(drain_notice_ns);
  }

  void hurry(std::uint64_t since_ns) {
    if (drain_notice_.due(steady_ns()))
      reporter_.notice("stopping: still waiting for what is on its way to the drives");
    if (since_ns >= tenths(7))
      pipeline_.give_up(0);
    else if (since_ns >= tenths(5))
      pipeline_.give_up(stop_timeout_ns_ / 4);
  }

  bool stopping() const { return !ended_by_.empty(); }
  std::uint64_t stopping_for(std::uint64_t now) const { return now - std::min(now, stop_began_); }
  std::uint64_t tenths(unsigned n) const { return stop_timeout_ns_ / 10 * n; }

  Pipeline& pipeline_;
  Reporter& reporter_;
  Signals& signals_;
  StopConditions conditions_;
  ServiceWatch& service_;
  std::uint64_t stop_timeout_ns_;
  Every discipline_{discipline_period_ns}, report_, drain_notice_{drain_notice_ns};
  std::string ended_by_;
  std::uint64_t stop_began_ = 0, disciplined_ns_ = 0;
};

// Ends the process if even the control thread hangs (in a driver, say) for too long after it was told to stop.
class LastResort {
 public:
  LastResort(const Signals& signals, std::chrono::nanoseconds longest, storage::Speaker& err)
      : signals_(signals), longest_(longest), err_(err), thread_([this] { watch(); }) {}
  LastResort(const LastResort&) = delete;
  LastResort& operator=(const LastResort&) = delete;
  ~LastResort() {
    over_.store(true, std::memory_order_relaxed);
    thread_.join();
  }

 private:
  void watch() const {
    std::optional<std::chrono::steady_clock::time_point> end;
    while (!over_.load(std::memory_order_relaxed)) {
      sleep_for(nap * 5);
      const auto now = std::chrono::steady_clock::now();
      if (!end && signals_.stops() > 0) end = now + longest_;
      if (end && now >= *end) leave();
    }
  }

  [[noreturn]] void leave() const {
    storage::TerminalScreen::give_back_now();
    err_.release();
    err_.say("wirespool: stop: the control thread hangs: no last ledger line is written: wirespool repair DIR\n");
    (void)err_.finish(last_moment);
    ::_exit(Exit::failed);
  }

  const Signals& signals_;
  std::chrono::nanoseconds longest_;
  storage::Speaker& err_;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

// The longest an orderly end can take, and a little.
std::chrono::nanoseconds longest_end(const plan::CaptureConfig& config) {
  const auto hook = config.on_seal.empty() ? std::chrono::nanoseconds(0)
                                           : std::chrono::nanoseconds(config.on_seal_linger_ns) + hook_grace;
  return std::chrono::nanoseconds(config.stop_timeout_ns) + hook + std::chrono::seconds(2);
}

// Everything is sealed; --on-seal gets some time for what it has not done yet, and another signal ends it.
bool let_seal_hook_end(record::SealHook& hook, const Signals& signals, std::uint64_t linger_ns, Reporter& reporter) {
  const auto end = steady_ns() + linger_ns;
  const auto stops = signals.stops();
  hook.last_call();
  while (!hook.finished() && steady_ns() < end && signals.stops() == stops) sleep_for(nap);
  if (!done_by(std::chrono::steady_clock::now() + hook_grace, [&hook] { hook.stop(); })) return false;
  if (const auto left = hook.counts().pending)
    reporter.notice(fmt::format(
        "--on-seal: {} files are left: a capture of this name into the same directories goes on with them", left));
  return true;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// Something hangs, and uses what returning from main would destroy: the process ends here, with all done that it could
// do. Its process id is freed once the kernel's writes have come back.
[[noreturn]] void leave(const std::vector<std::string>& hanging, const plan::CaptureConfig& config,
                        storage::Speaker& out, storage::Speaker& err) {
  err.say(
      fmt::format("wirespool: stop: {} did not come to an end in {}: given up, see the ledger for what was not "
                  "stored: repair the drive, then wirespool repair DIR\n",
                  joined(hanging), options::format_time(config.stop_timeout_ns)));
  (void)out.finish(last_moment);
  (void)err.finish(last_moment);
  ::_exit(Exit::failed);
}

// `failure`: as it is when everything has ended, for the last drive may have been lost while it was drained.
// `lost`: packets that were called stored before.
Outcome judge(const format::LedgerLine& ledger, const std::optional<std::string>& failure, std::uint64_t lost,
              bool strict) {
  if (!ledger.imbalance.empty())
    return {Exit::failed,
            {{"ledger", ledger.imbalance,
              "this is a bug in wirespool: please report it with the .ledger.jsonl beside the capture",
              Error::Kind::not_ready}}};
  if (failure)
    return {Exit::failed,
            {{"capture", *failure, "what was stored before is sealed; see the ledger for what was not",
              Error::Kind::not_ready}}};
  if (lost)
    return {Exit::failed,
            {{"--output", fmt::format("{} packets that were stored are gone: their files were removed", lost),
              "keep other programs away from the hidden files of a running capture", Error::Kind::not_ready}}};
  if (ledger.flows && ledger.flows->unwritten)
    return {Exit::failed,
            {{"--flows", fmt::format("{} records of flows could not be written", ledger.flows->unwritten),
              "see to the directory and its drive", Error::Kind::not_ready}}};
  const bool records_lost = ledger.flows && ledger.flows->lost;
  if (strict && (stats::losses_of(ledger).sum() || stats::may_have_lost(ledger) || records_lost))
    return {Exit::packets_lost, {}};
  return {Exit::done, {}};
}

// To be called before anything of the capture runs: scrapes are answered by threads on the main lcore's CPUs.
std::expected<void, Error> start_metrics(serve::MetricsService* metrics, const plan::CapturePlan& plan,
                                         Timestamp start) {
  if (metrics == nullptr) return {};
  return metrics->start({version, dpdk::version(), start}, std::chrono::nanoseconds(plan.config.stats_interval_ns));
}

std::expected<void, Error> start_queries(serve::SpoolService* queries) {
  if (queries == nullptr) return {};
  return queries->start();
}

// Queries end before the directories do; one that hangs in the read of a drive does not hold the capture's end.
bool end_queries(serve::SpoolService* queries) { return queries == nullptr || queries->end(last_moment); }

// With --stats none and --until no ledger was asked for.
bool keeps_ledger(const plan::CaptureConfig& config) {
  return plan::to_drives(config) || config.stats != plan::StatsOutput::none;
}

// A capture whose last ledger line got nowhere has not said what it lost.
void add_lost_ledger(Outcome& outcome) {
  if (outcome.exit_code == Exit::done) outcome.exit_code = Exit::failed;
  outcome.problems.push_back({"ledger", "its last line could be written nowhere, standard output included",
                              "packets are sealed; count them with wirespool verify", Error::Kind::not_ready});
}

// What takes rights, then without them what does not.
std::expected<void, Error> begin(Pipeline& pipeline, Privileges& privileges, const plan::CaptureConfig& config,
                                 std::vector<std::string>& notices) {
  if (auto done = pipeline.start(notices); !done) return done;
  if (auto done = privileges.give_up(notices); !done) {
    (void)pipeline.finish(std::chrono::steady_clock::now() + std::chrono::nanoseconds(config.stop_timeout_ns));
    return done;
  }
  pipeline.launch(privileges.of_lcores());
  return {};
}

Outcome run_plan(const plan::CapturePlan& plan, const dpdk::PacketFilter* filter, Ground& ground, storage::Speaker& out,
                 storage::Speaker& err) {
  Signals signals;
  const Timestamp start = dpdk::utc_now();
  auto* const metrics = ground.metrics.get();
  const auto* const user = ground.user ? &*ground.user : nullptr;
  if (auto done = start_metrics(metrics, plan, start); !done) return refused({done.error()});
  if (auto done = start_queries(ground.queries.get()); !done) return refused({done.error()});
  auto outputs = Outputs::open(plan, start, user);
  if (!outputs) return refused({outputs.error()});
  outputs->make_seal_hook(dpdk::spare_cpus(plan, ground.cpus));
  outputs->start_retention();
  if (auto made = outputs->make_archiving(); !made) return refused({made.error()});
  std::vector<std::string> notices;
  auto pipeline = Pipeline::build(plan, *outputs, filter, notices);
  Reporter reporter(plan, *outputs, err);
  if (!pipeline) {
    reporter.notices(notices);
    return refused({pipeline.error()});
  }
  Privileges privileges(user, !plan.config.on_seal.empty(), notices);
  const auto started = begin(**pipeline, privileges, plan.config, notices);
  reporter.notices(notices);
  if (!started) return refused({started.error()});
  outputs->start_archiving();
  const auto sinks = choose_ledger_sinks((*pipeline)->plan_in_effect(), start, *outputs, out, err, metrics);
  ServiceWatch service;
  for (const auto& sink : sinks) reporter.add(*sink);
  reporter.add(service);
  const LastResort last_resort(signals, longest_end(plan.config), err);
  Supervisor supervisor(**pipeline, reporter, signals, service, plan.config);
  const auto ended_by = supervisor.run();
  const auto deadline = supervisor.deadline();
  auto hanging = (*pipeline)->finish(deadline - std::chrono::nanoseconds(plan.config.stop_timeout_ns / 10));
  for (const auto& path : (*pipeline)->hanging_writes()) hanging.push_back("writing to " + path);
  auto* hook = outputs->seal_hook();
  if (hook && !let_seal_hook_end(*hook, signals, plan.config.on_seal_linger_ns, reporter))
    hanging.emplace_back("--on-seal");
  if (!outputs->end_retention(std::max(deadline, std::chrono::steady_clock::now() + last_moment)))
    hanging.emplace_back("retention");
  if (!outputs->end_archiving(std::max(deadline, std::chrono::steady_clock::now() + last_moment)))
    hanging.emplace_back("--archive");
  if (!end_queries(ground.queries.get())) hanging.emplace_back("--serve");
  const auto last_writes = std::max(deadline, std::chrono::steady_clock::now() + last_moment);
  const auto ledger = reporter.end(**pipeline, ended_by, last_writes);
  if (!hanging.empty()) leave(hanging, plan.config, out, err);
  auto failure = supervisor.failure();
  if (!failure) failure = (*pipeline)->failure();
  if (!failure) failure = (*pipeline)->lost_port();
  auto outcome = judge(ledger, failure, outputs->lost(), plan.config.strict);
  if (!reporter.kept() && keeps_ledger(plan.config)) add_lost_ledger(outcome);
  return outcome;
}

}  // namespace

Outcome run_capture(const plan::CaptureConfig& config, const std::vector<std::string>& eal_args, storage::Speaker& out,
                    storage::Speaker& err) {
  auto ground = look_before_eal(config, eal_args, err);
  if (!ground) return refused(std::move(ground.error()));
  auto eal = dpdk::Eal::start(plan::complete_eal_args(eal_args), err);
  if (!eal) return refused({eal.error()});
  if (auto missing = dpdk::missing_devices(); !missing.empty()) return refused(std::move(missing));
  auto machine = dpdk::probe(std::move(ground->drives));
  std::optional<dpdk::PacketFilter> filter;
  if (ground->filter) machine.filter = filter.emplace(dpdk::PacketFilter::make(*ground->filter)).facts();
  const auto plan = plan::make_plan(config, machine);
  if (!plan) return refused(plan.error());
  if (config.dry_run) return {Exit::done, {}, plan::describe(*plan)};
  if (auto problems = plan::check_memory(*plan, eal_args, ground->hugepages); !problems.empty())
    return refused(std::move(problems));
  if (auto problems = plan::check_descriptors(*plan, own_limits()); !problems.empty())
    return refused(std::move(problems));
  return run_plan(*plan, filter ? &*filter : nullptr, *ground, out, err);
}

}  // namespace wirespool::capture
