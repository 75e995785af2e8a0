// SPDX-License-Identifier: BSD-3-Clause
#include "traffic/run.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <utility>

#include "traffic/counters.hpp"
#include "traffic/packet_feed.hpp"
#include "traffic/receiver.hpp"
#include "traffic/replayer.hpp"
#include "traffic/report.hpp"
#include "traffic/sender.hpp"

namespace wirespool::traffic {
namespace {

constexpr std::uint64_t second_ns = 1'000'000'000, look_ns = 10'000'000;
// How long a client waits for answers that are on their way when all is sent.
constexpr std::uint64_t straggler_ns = second_ns;
constexpr auto patience_with_output = std::chrono::seconds(10);

// Counters of one direction: what a thread receives, and what it or another sends of it.
struct Direction {
  SendCounters sent;
  ReceiveCounters received;
};

// The CPU time of a job, which it notes at its end.
struct JobClock {
  std::atomic<std::uint64_t> cpu_ns{0}, wall_ns{0};
};

class Run {
 public:
  Run(const Request& request, const Ends& ends, const std::vector<std::unique_ptr<Wire>>& wires, storage::Speaker& out,
      const StopFlag& stop)
      : request_(request),
        ends_(ends),
        wires_(wires),
        out_(out),
        stop_asked_(stop),
        headers_(wires_.front()->has_headers()),
        extra_bytes_(headers_ ? 0 : static_cast<std::uint32_t>(header_bytes)),
        about_(make_about()) {}

  Outcome go(Workers& workers);

 private:
  using Job = std::function<void()>;
  About make_about() const;
  std::optional<Error> prepare();
  void prepare_sender();
  void prepare_receiver();
  std::vector<Job> jobs();
  Job send_job();
  void run_client_in_one();
  void start(Workers& workers);
  void watch();
  bool over(std::uint64_t now) const;
  bool only_stragglers_left(std::uint64_t now);
  void tell_interval();
  void tell_end();
  Totals totals(bool final) const;
  void add_sent(Totals& totals) const;
  void add_received(Totals& totals, bool final) const;
  void conclude(Outcome& outcome) const;

  bool is(Application application) const { return request_.application == application; }
  bool receives() const { return !is(Application::send); }
  bool sends() const { return !is(Application::recv); }

  const Request& request_;
  const Ends& ends_;
  const std::vector<std::unique_ptr<Wire>>& wires_;
  storage::Speaker& out_;
  const StopFlag& stop_asked_;
  bool headers_;
  std::uint32_t extra_bytes_;
  About about_;

  StopFlag stop_{false};
  std::atomic<unsigned> running_{0};
  std::atomic<bool> all_sent_{false};
  std::array<Direction, 2> directions_;
  std::array<JobClock, 2> clocks_;
  std::unique_ptr<PacketFeed> feed_;
  std::optional<FrameMaker> frames_;
  std::optional<Sender> sender_;
  std::optional<Receiver> receiver_;
  std::uint64_t start_ns_ = 0, all_sent_ns_ = 0;
  Totals last_;
};

About Run::make_about() const {
  About about;
  about.application = full_name(request_);
  about.at = wires_.front()->name();
  if (wires_.size() > 1) about.at += " and " + wires_[1]->name();
  about.rate = request_.rate;
  about.burst = request_.burst;
  if (makes_packets(request_.application) && !request_.replays()) {
    about.sizes = request_.sizes.name();
    about.mean_bytes = request_.sizes.mean();
  }
  return about;
}

std::optional<Error> Run::prepare() {
  if (request_.replays()) {
    auto feed = PacketFeed::open(request_.pcap);
    if (!feed) return feed.error();
    feed_ = std::move(*feed);
  } else if (makes_packets(request_.application)) {
    const auto longest = wires_.front()->longest();
    if (request_.sizes.most() > longest)
      return Error{"-p",
                   fmt::format("{} bytes, without FCS, are more than {} takes, which is {}", request_.sizes.most(),
                               wires_.front()->name(), longest),
                   "give less, or raise its MTU"};
    prepare_sender();
  }
  if (receives() && !is(Application::forward)) prepare_receiver();
  return std::nullopt;
}

void Run::prepare_sender() {
  const auto run = static_cast<std::uint16_t>(steady_ns() / 1000 ^ static_cast<std::uint64_t>(::getpid()));
  frames_.emplace(ends_, request_.sizes, FrameMaker::Shape{request_.burst, headers_, request_.check_payload, run});
  const SendPlan plan{.rate = request_.rate,
                      .burst = request_.burst,
                      .wait = request_.wait,
                      .warmup_ns = request_.warmup_ns.value_or(0),
                      .duration_ns = request_.duration_ns.value_or(UINT64_MAX),
                      .count = request_.count.value_or(UINT64_MAX)};
  sender_.emplace(*wires_.front(), *frames_, directions_[0].sent, plan, extra_bytes_);
}

void Run::prepare_receiver() {
  const bool delays = is(Application::client) || is(Application::clientst);
  receiver_.emplace(*wires_.front(), FrameCheck(ends_, headers_), directions_[0].received,
                    Receiver::Plan{request_.check_payload, delays, extra_bytes_});
}

Run::Job Run::send_job() {
  if (!feed_) return [this] { sender_->run(stop_); };
  return [this] {
    Replayer(*wires_.front(), *feed_, directions_[0].sent,
             {.speed = request_.speed.value_or(1),
              .rate = request_.rate,
              .burst = request_.burst,
              .wait = request_.wait,
              .duration_ns = request_.duration_ns.value_or(UINT64_MAX),
              .count = request_.count.value_or(UINT64_MAX)})
        .run(stop_);
  };
}

// Both in one thread: it looks for answers while no burst is due.
void Run::run_client_in_one() {
  sender_->run(stop_, [this] { (void)receiver_->poll(); });
  all_sent_ = true;
  receiver_->run(stop_);
}

std::vector<Run::Job> Run::jobs() {
  switch (request_.application) {
    case Application::send:
      return {send_job()};
    case Application::recv:
      return {[this] { receiver_->run(stop_); }};
    case Application::client:
      return {[this] { receiver_->run(stop_); },
              [this] {
                sender_->run(stop_);
                all_sent_ = true;
              }};
    case Application::clientst:
      return {[this] { run_client_in_one(); }};
    case Application::server:
      return {[this] {
        Echo(*wires_.front(), *receiver_, directions_[0].sent, headers_, request_.wait, extra_bytes_).run(stop_);
      }};
    case Application::forward:
      break;
  }
  const auto way = [this](std::size_t from) {
    auto& counters = directions_[from];
    return [this, from, &counters] {
      Forwarder(*wires_[from], *wires_[1 - from], counters.received, counters.sent, request_.wait).run(stop_);
    };
  };
  return {way(0), way(1)};
}

void Run::start(Workers& workers) {
  auto all = jobs();
  running_ = static_cast<unsigned>(all.size());
  start_ns_ = steady_ns();
  for (std::size_t i = 0; i < all.size(); ++i) {
    workers.start([this, job = std::move(all[i]), &clock = clocks_[i]] {
      const auto cpu = thread_cpu_ns(), wall = steady_ns();
      job();
      clock.cpu_ns = thread_cpu_ns() - cpu;
      clock.wall_ns = steady_ns() - wall;
      --running_;
    });
  }
}

Outcome Run::go(Workers& workers) {
  Outcome outcome;
  if (auto wrong = prepare()) {
    outcome.problems.push_back(std::move(*wrong));
    return outcome;
  }
  start(workers);
  watch();
  stop_ = true;
  workers.wait();
  tell_end();
  conclude(outcome);
  return outcome;
}

void Run::watch() {
  auto next_line = start_ns_ + second_ns;
  while (running_ > 0) {
    sleep_until(std::min(steady_ns() + look_ns, next_line));
    const auto now = steady_ns();
    if (over(now) || only_stragglers_left(now)) return;
    if (now < next_line) continue;
    next_line += second_ns;
    if (!request_.summary_only) tell_interval();
  }
}

bool Run::over(std::uint64_t now) const {
  if (stop_asked_) return true;
  for (const auto& wire : wires_) {
    if (wire->problem()) return true;
  }
  if (makes_packets(request_.application)) return false;  // the sender knows when
  if (request_.duration_ns && now - start_ns_ >= *request_.duration_ns) return true;
  std::uint64_t received = 0, last = 0;
  for (const auto& direction : directions_) {
    received += direction.received.received.get();
    last = std::max(last, direction.received.ended_ns.get());
  }
  if (request_.count && received >= *request_.count) return true;
  return request_.idle_exit_ns && last != 0 && now > last && now - last >= *request_.idle_exit_ns;
}

bool Run::only_stragglers_left(std::uint64_t now) {
  if (!all_sent_) return false;
  if (all_sent_ns_ == 0) all_sent_ns_ = now;
  const auto& [sent, received] = directions_[0];
  return received.arrived.get() >= sent.sent.get() || now - all_sent_ns_ >= straggler_ns;
}

void Run::add_sent(Totals& totals) const {
  std::uint64_t tried = 0, sent = 0, bytes = 0, dropped = 0, unsendable = 0;
  Distribution lateness, gap_error;
  for (const auto& [counters, ignored] : directions_) {
    sent += counters.sent.get();
    bytes += counters.sent_bytes.get();
    dropped += counters.dropped.get();
    tried += counters.tried.get();
    unsendable += counters.unsendable.get();
    lateness.add(counters.lateness);
    gap_error.add(counters.gap_error);
  }
  totals.tried = tried;
  totals.sent = sent;
  totals.sent_bytes = bytes;
  totals.dropped = dropped;
  totals.warm_up = directions_[0].sent.warm_up.get();
  totals.lateness = lateness.percentiles();
  totals.gap_error = gap_error.percentiles();
  if (feed_) totals.cut = directions_[0].sent.cut.get();
  if (feed_ || is(Application::forward)) totals.unsendable = unsendable;
}

void Run::add_received(Totals& totals, bool final) const {
  std::uint64_t received = 0, bytes = 0;
  for (const auto& [ignored, counters] : directions_) {
    received += counters.received.get();
    bytes += counters.received_bytes.get();
  }
  totals.received = received;
  totals.received_bytes = bytes;
  std::optional<std::uint64_t> missed = 0;
  for (const auto& wire : wires_) {
    const auto of_wire = wire->missed();
    missed = of_wire && missed ? std::optional(*missed + *of_wire) : std::nullopt;
  }
  totals.missed = missed;
  if (is(Application::forward)) return;
  const auto& counters = directions_[0].received;
  const auto arrived = counters.arrived.get();
  const bool knows_all = final && makes_packets(request_.application);
  const auto expected = knows_all ? directions_[0].sent.sent.get() : counters.expected.get();
  totals.lost = expected > arrived ? expected - arrived : 0;
  totals.duplicates = counters.duplicates.get();
  totals.reordered = counters.reordered.get();
  totals.foreign = counters.foreign.get();
  if (request_.check_payload) totals.corrupt = counters.corrupt.get();
  if (!makes_packets(request_.application)) totals.warm_up = counters.warm_up.get();
  Distribution delay;
  delay.add(counters.delay);
  totals.delay = delay.percentiles();
}

Totals Run::totals(bool final) const {
  Totals totals;
  if (sends()) add_sent(totals);
  if (receives()) add_received(totals, final);
  std::uint64_t began = UINT64_MAX, ended = 0;
  for (const auto& [sent, received] : directions_) {
    const bool sender = makes_packets(request_.application);
    const auto first = sender ? sent.began_ns.get() : received.began_ns.get();
    const auto last = sender ? sent.ended_ns.get() : received.ended_ns.get();
    if (first != 0) began = std::min(began, first);
    ended = std::max(ended, last);
  }
  // Each second counts as one, also if nothing came in it; the whole ends with its last packet.
  totals.elapsed_ns = !final ? steady_ns() - start_ns_ : ended > began ? ended - began : 0;
  for (const auto& clock : clocks_) {
    const auto wall = clock.wall_ns.load();
    if (!final || wall == 0) continue;
    const auto share = static_cast<double>(clock.cpu_ns.load()) / static_cast<double>(wall);
    totals.cpu_share = std::min(totals.cpu_share.value_or(share), share);
  }
  return totals;
}

void Run::tell_interval() {
  const auto now = totals(false);
  const auto rates = rates_between(last_, now);
  out_.say(request_.json ? json_line(about_, now, rates, false) : text_line(now, rates));
  last_ = now;
}

void Run::tell_end() {
  const auto now = totals(true);
  const auto rates = rates_between({}, now);
  out_.say(request_.json ? json_line(about_, now, rates, true) : text_page(about_, now, rates));
}

void Run::conclude(Outcome& outcome) const {
  for (const auto& wire : wires_) {
    if (const auto problem = wire->problem()) outcome.problems.push_back(*problem);
  }
  if (!out_.finish(patience_with_output))
    outcome.problems.push_back({"standard output", "not all that was told could be written", "", Error::Kind::failed});
  if (!feed_) return;
  for (auto& problem : feed_->problems()) outcome.problems.push_back(std::move(problem));
  const auto& sent = directions_[0].sent;
  if (const auto count = sent.unsendable.get(); count > 0)
    outcome.problems.push_back({"--pcap",
                                fmt::format("{} frames are no frames of {}: less than 14 bytes, or more than {}", count,
                                            wires_.front()->name(), wires_.front()->longest()),
                                "these were not sent; a higher MTU takes longer ones", Error::Kind::failed});
  if (const auto count = sent.cut.get(); count > 0)
    outcome.notices.push_back(fmt::format("{} frames were sent as short as the capture had kept them", count));
}

}  // namespace

Outcome run_on_wires(const Request& request, const Ends& ends, const std::vector<std::unique_ptr<Wire>>& wires,
                     Workers& workers, storage::Speaker& out, const StopFlag& stop) {
  return Run(request, ends, wires, out, stop).go(workers);
}

}  // namespace wirespool::traffic
