// SPDX-License-Identifier: BSD-3-Clause
#include "capture/session.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "capture/asked_devices.hpp"
#include "capture/clock.hpp"
#include "capture/eal.hpp"
#include "capture/outputs.hpp"
#include "capture/pipeline.hpp"
#include "capture/probe.hpp"
#include "capture/reporter.hpp"
#include "capture/service_watch.hpp"
#include "capture/stop_signals.hpp"
#include "capture/usable_cpus.hpp"
#include "plan/eal_args.hpp"
#include "plan/hugepages.hpp"

namespace wirespool::capture {
namespace {

enum ExitCode { ok = 0, wrong_use = 1, machine_not_ready = 2, ended_by_failure = 3, packets_lost = 4 };

constexpr auto nap = std::chrono::milliseconds(10);
constexpr std::uint64_t discipline_period_ns = 100'000'000;  // the timebase's stated bound rests on it
constexpr std::uint64_t drain_notice_ns = 5'000'000'000;

std::uint64_t steady_ns() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

void sleep_for(std::chrono::nanoseconds time) {
  const timespec wait{0, static_cast<long>(time.count())};
  nanosleep(&wait, nullptr);
}

Outcome refused(std::vector<plan::Problem> problems) {
  const bool machine = std::ranges::all_of(problems, [](const auto& problem) { return problem.machine; });
  return {machine ? machine_not_ready : wrong_use, std::move(problems)};
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
  explicit StopConditions(const plan::CaptureConfig& config) : config_(config) {}

  // Ports are started, which may have taken seconds: times count from now on.
  void begin() { start_ = last_packet_ = steady_ns(); }

  unsigned signals() const { return signals_.times(); }

  std::optional<std::string> met(const Pipeline& pipeline, std::uint64_t now) {
    if (auto signal = signals_.caught()) return signal;
    if (auto failure = pipeline.failure()) return failure;
    if (pipeline.packets_used_up()) return "--packets";
    if (pipeline.bytes_used_up()) return "--bytes";
    if (config_.duration_ns && now - start_ >= *config_.duration_ns) return "--duration";
    return idle(pipeline, now);
  }

 private:
  // A source that is not asked, because the drives are slow, may have more.
  std::optional<std::string> idle(const Pipeline& pipeline, std::uint64_t now) {
    const auto received = pipeline.received();
    if (received != received_ || pipeline.waiting()) {
      received_ = received;
      last_packet_ = now;
    }
    if (config_.idle_exit_ns && now - last_packet_ >= *config_.idle_exit_ns) return "--idle-exit";
    return std::nullopt;
  }

  StopSignals signals_;
  const plan::CaptureConfig& config_;
  std::uint64_t start_ = 0, last_packet_ = 0, received_ = 0;
};

// The main lcore's work while the others poll: clocks, statistics, and when to stop. Returns what ended the capture.
std::string supervise(Pipeline& pipeline, Reporter& reporter, StopConditions& conditions, ServiceWatch& service,
                      const plan::CaptureConfig& config, std::FILE* err) {
  Every discipline(discipline_period_ns), report(config.stats_interval_ns), drain_notice(drain_notice_ns);
  std::string ended_by;
  while (!pipeline.done()) {
    sleep_for(nap);
    const auto now = steady_ns();
    if (discipline.due(now)) pipeline.discipline_clocks();
    reporter.notices(pipeline.tend_ports(now));
    if (report.due(now)) service.status(reporter.interval(pipeline));
    service.look(pipeline, now);
    if (ended_by.empty()) {
      if (auto why = conditions.met(pipeline, now)) {
        ended_by = *why;
        service.stopping(ended_by);
        pipeline.stop();
        drain_notice = Every(drain_notice_ns);
      }
    } else if (drain_notice.due(now)) {
      fmt::print(err, "wirespool: stopping: still waiting for what is on its way to the drives\n");
    }
  }
  if (ended_by.empty()) {
    ended_by = conditions.met(pipeline, steady_ns()).value_or("the lcores");  // they stopped by themselves
    service.stopping(ended_by);
  }
  return ended_by;
}

// Everything is sealed; --on-seal gets some time for what it has not done yet, and another signal ends it.
void let_seal_hook_end(spool::SealHook& hook, const StopConditions& conditions, std::uint64_t linger_ns,
                       std::FILE* err) {
  const auto end = steady_ns() + linger_ns;
  const auto signals = conditions.signals();
  hook.last_call();
  while (!hook.finished() && steady_ns() < end && conditions.signals() == signals) sleep_for(nap);
  hook.stop();
  if (const auto left = hook.counts().pending)
    fmt::print(err,
               "wirespool: --on-seal: {} files are left: a capture of this name into the same directories goes on "
               "with them\n",
               left);
}

// `failure`: as it is when everything has ended, for the last drive may have been lost while it was drained.
Outcome judge(const stats::Ledger& ledger, const std::optional<std::string>& failure, bool strict) {
  if (const auto wrong = ledger.imbalance(); !wrong.empty())
    return {ended_by_failure,
            {{"ledger", wrong, "this is a bug in wirespool: please report it with the .ledger.jsonl beside the capture",
              true}}};
  if (failure)
    return {ended_by_failure,
            {{"capture", *failure, "what was stored before is sealed; see the ledger for what was not", true}}};
  if (strict && (ledger.lost() || ledger.may_have_lost())) return {packets_lost, {}};
  return {ok, {}};
}

// What EAL would abort over, or say in a way that helps nobody.
std::vector<plan::Problem> check_before_eal(const plan::EalArgs& args,
                                            const std::vector<plan::HugepagePool>& hugepages) {
  auto problems = plan::check_eal_args(args, usable_cpus());
  if (auto none = plan::check_any_hugepages(args, hugepages)) problems.push_back(std::move(*none));
  return problems;
}

Outcome run_plan(const plan::CapturePlan& plan, const std::vector<unsigned>& cpus, std::FILE* out, std::FILE* err) {
  StopConditions conditions(plan.config);
  const Timestamp start = utc_now();
  auto outputs = Outputs::open(plan, start);
  if (!outputs) return refused({outputs.error()});
  outputs->make_seal_hook(spare_cpus(plan, cpus));
  std::vector<std::string> notices;
  auto pipeline = Pipeline::build(plan, *outputs, notices);
  Reporter reporter(plan, start, *outputs, out, err);
  if (!pipeline) {
    reporter.notices(notices);
    return refused({pipeline.error()});
  }
  const auto started = (*pipeline)->start(notices);
  reporter.notices(notices);
  if (!started) return refused({started.error()});
  conditions.begin();
  reporter.begin();
  ServiceWatch service;
  service.ready();
  const auto ended_by = supervise(**pipeline, reporter, conditions, service, plan.config, err);
  (*pipeline)->finish();
  if (auto* hook = outputs->seal_hook()) let_seal_hook_end(*hook, conditions, plan.config.on_seal_linger_ns, err);
  auto failure = (*pipeline)->failure();
  if (!failure) failure = (*pipeline)->lost_port();
  return judge(reporter.end(**pipeline, ended_by), failure, plan.config.strict);
}

}  // namespace

Outcome run_capture(const plan::CaptureConfig& config, const std::vector<std::string>& eal_args, std::FILE* out,
                    std::FILE* err) {
  if (auto drives = probe_drives(config.outputs); !drives) return refused(drives.error());
  const auto hugepages = plan::read_hugepages();
  if (auto problems = check_before_eal(eal_args, hugepages); !problems.empty()) return refused(std::move(problems));
  const auto cpus = own_cpus();
  auto eal = Eal::start(plan::complete_eal_args(eal_args));
  if (!eal) return refused({eal.error()});
  if (auto missing = missing_devices(); !missing.empty()) return refused(std::move(missing));
  const auto machine = probe(config);
  if (!machine) return refused(machine.error());
  const auto plan = plan::make_plan(config, *machine);
  if (!plan) return refused(plan.error());
  if (config.dry_run) {
    std::fputs(plan::describe(*plan).c_str(), out);
    return {};
  }
  if (auto problems = plan::check_memory(*plan, eal_args, hugepages); !problems.empty())
    return refused(std::move(problems));
  return run_plan(*plan, cpus, out, err);
}

}  // namespace wirespool::capture
