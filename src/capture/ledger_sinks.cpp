// SPDX-License-Identifier: BSD-3-Clause
#include "capture/ledger_sinks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "dpdk/eal.hpp"
#include "dpdk/telemetry.hpp"
#include "format/capture_file.hpp"
#include "options/values.hpp"
#include "plan/capture_table.hpp"
#include "stats/render.hpp"
#include "storage/terminal_screen.hpp"
#include "view/live_view.hpp"
#include "wirespool/version.hpp"

namespace wirespool::capture {
namespace {

constexpr auto moment = std::chrono::milliseconds(200);

// What is done and how: said once, when the files are there that `wirespool watch` looks for.
class PlanTold : public LedgerSink {
 public:
  PlanTold(plan::CapturePlan plan, storage::Speaker& people) : plan_(std::move(plan)), people_(people) {
    plan_.notices.clear();  // the Reporter's
  }
  void begin() override { people_.say(plan::describe(plan_)); }
  void take(const format::LedgerLine&, const format::LedgerLine&) override {}

 private:
  plan::CapturePlan plan_;
  storage::Speaker& people_;
};

// Standard output for people: a terminal is drawn on while the capture runs, anything else gets a line an interval;
// both have the summary afterwards.
class People : public LedgerSink {
 public:
  People(storage::Speaker& out, storage::Speaker& err, std::string title)
      : out_(out), err_(err), title_(std::move(title)) {}

  void begin() override {
    if (!view::LiveView::possible(out_)) return;
    auto live = view::LiveView::start(out_, err_, title_, "q or Ctrl-C: end");
    if (live) live_.emplace(std::move(*live));
  }
  void take(const format::LedgerLine& line, const format::LedgerLine& before) override {
    if (live_)
      live_->show(line);
    else
      out_.say((line.final ? stats::console_summary(line) : stats::console_line(line, before)) + "\n");
  }
  bool look() override { return live_ && live_->tend(); }
  void closing() override { live_.reset(); }
  bool finish(Clock::time_point) override { return out_.finish(moment); }

 private:
  storage::Speaker &out_, &err_;
  std::string title_;
  std::optional<view::LiveView> live_;  // none: lines
};

// Standard output for programs: each line as JSON.
class Programs : public LedgerSink {
 public:
  explicit Programs(storage::Speaker& out) : out_(out) {}
  void take(const format::LedgerLine& line, const format::LedgerLine&) override {
    out_.say(format::encode_ledger_line(line) + "\n");
  }
  bool finish(Clock::time_point) override { return out_.finish(moment); }

 private:
  storage::Speaker& out_;
};

// The ledger's file and capture.json in each output directory.
class Files : public LedgerSink {
 public:
  Files(const plan::CapturePlan& plan, Timestamp start, Outputs& outputs) : outputs_(outputs) {
    capture_ = {.wirespool = version,
                .dpdk = dpdk::version(),
                .start = start,
                .name = plan.config.name,
                .plan = plan::to_json(plan),
                .ledger = {}};
  }
  void begin() override { outputs_.begin_ledgers(format::encode_capture_file(capture_), Clock::now() + moment); }
  void take(const format::LedgerLine& line, const format::LedgerLine&) override {
    if (line.final)
      capture_.ledger = line;
    else
      outputs_.append_ledger(format::encode_ledger_line(line), line.time);
  }
  bool finish(Clock::time_point end) override {
    return outputs_.end_ledgers(format::encode_ledger_line(*capture_.ledger), format::encode_capture_file(capture_),
                                end) > 0;
  }

 private:
  Outputs& outputs_;
  format::CaptureFile capture_;
};

// Whoever asks by HTTP.
class Metrics : public LedgerSink {
 public:
  explicit Metrics(serve::MetricsService& service) : service_(service) {}
  void take(const format::LedgerLine& line, const format::LedgerLine&) override { service_.publish(line); }

 private:
  serve::MetricsService& service_;
};

template <typename Items>
std::string lcores_of(const Items& items) {
  std::vector<unsigned> lcores;
  for (const auto& item : items) lcores.push_back(item.lcore);
  return options::format_number_list(lcores);
}

// As asked, by the options' names, with characters replaced that a name may not have here (rte_telemetry.h); what was
// decided replaces what was asked.
dpdk::Telemetry::Texts texts_of(const plan::CapturePlan& plan) {
  dpdk::Telemetry::Texts texts;
  for (const auto& row : plan::capture_table().rows()) {
    auto name = row.key();
    std::ranges::replace(name, '-', '_');
    if (auto text = options::text_of(row, row.value(plan.config)); !text.empty()) texts.emplace_back(name, text);
  }
  const auto decided = [&texts](const std::string& name, std::string text) {
    std::erase_if(texts, [&name](const auto& one) { return one.first == name; });
    texts.emplace_back(name, std::move(text));
  };
  decided("rx_lcores", lcores_of(plan.rx_lcores));
  decided("writer_lcores", lcores_of(plan.writers));
  decided("blocks", std::to_string(plan.blocks));
  decided("block_size", options::format_size(plan.block_bytes));
  decided("handoff_size", std::to_string(plan.handoff_size));
  decided("hugepage_bytes", std::to_string(plan.hugepage_bytes()));
  for (const auto& port : plan.ports)
    decided(fmt::format("port_{}", port.id), fmt::format("{} {} queues {}", port.name, port.driver, port.rx_queues));
  return texts;
}

// Whoever asks EAL's telemetry socket.
class Telemetered : public LedgerSink {
 public:
  explicit Telemetered(const plan::CapturePlan& plan) : telemetry_(texts_of(plan)) {}
  void take(const format::LedgerLine& line, const format::LedgerLine&) override { telemetry_.publish(line); }

 private:
  dpdk::Telemetry telemetry_;
};

plan::StatsOutput stats_output(const plan::CapturePlan& plan, const storage::Speaker& out) {
  if (plan.config.stats != plan::StatsOutput::automatic) return plan.config.stats;
  return storage::is_terminal(out.fd()) ? plan::StatsOutput::console : plan::StatsOutput::json;
}

}  // namespace

LedgerSinks choose_ledger_sinks(const plan::CapturePlan& plan, Timestamp start, Outputs& outputs, storage::Speaker& out,
                                storage::Speaker& err, serve::MetricsService* metrics) {
  LedgerSinks sinks;
  const auto wanted = stats_output(plan, out);
  sinks.push_back(std::make_unique<Files>(plan, start, outputs));
  sinks.push_back(std::make_unique<PlanTold>(plan, wanted == plan::StatsOutput::console ? out : err));
  if (wanted == plan::StatsOutput::console) sinks.push_back(std::make_unique<People>(out, err, plan.config.name));
  if (wanted == plan::StatsOutput::json) sinks.push_back(std::make_unique<Programs>(out));
  sinks.push_back(std::make_unique<Telemetered>(plan));
  if (metrics != nullptr) sinks.push_back(std::make_unique<Metrics>(*metrics));
  return sinks;
}

}  // namespace wirespool::capture
