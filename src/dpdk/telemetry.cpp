// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/telemetry.hpp"

#include <rte_telemetry.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "stats/losses.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::dpdk {
namespace {

using LinePtr = std::shared_ptr<const format::LedgerLine>;
using Texts = Telemetry::Texts;

// Read on DPDK's thread, which may outlive the publisher.
struct Board {
  std::mutex mutex;
  LinePtr line;
  std::shared_ptr<const Texts> plan;  // nullptr: there is no capture
};

Board& board() {
  static auto& only = *new Board;  // never destroyed: DPDK's thread never ends
  return only;
}

LinePtr newest() {
  const std::lock_guard lock(board().mutex);
  return board().line;
}

// Called add_dict_uint since DPDK 23.03; 25.11 has only that name.
template <typename Data>
void add(Data* to, const std::string& name, std::uint64_t value) {
  if constexpr (requires { rte_tel_data_add_dict_uint(to, name.c_str(), value); })
    rte_tel_data_add_dict_uint(to, name.c_str(), value);
  else
    rte_tel_data_add_dict_u64(to, name.c_str(), value);
}

// Telemetry carries at most 127 bytes of a text.
void add(rte_tel_data* to, const std::string& name, const std::string& text) {
  rte_tel_data_add_dict_string(to, name.c_str(), text.c_str());
}

// A dictionary in another, which then owns it.
template <typename Fill>
void add_dictionary(rte_tel_data* to, const std::string& name, Fill fill) {
  auto* const inner = rte_tel_data_alloc();
  if (inner == nullptr) return;
  rte_tel_data_start_dict(inner);
  fill(inner);
  if (rte_tel_data_add_dict_container(to, name.c_str(), inner, 0) != 0) rte_tel_data_free(inner);
}

void fill_ledger(rte_tel_data* to, const format::LedgerLine& line) {
  const auto& totals = line.totals;
  add(to, "time", rfc3339(line.time));
  add(to, "elapsed_ns", line.elapsed_ns);
  for (const auto& [name, count] :
       {std::pair{"received", totals.received},
        {"received_bytes", totals.received_bytes},
        {"ended_early", totals.ended_early},
        {"filtered", totals.filtered},
        {"cut", totals.cut},
        {"stored", totals.stored},
        {"stored_bytes", totals.stored_bytes},
        {"rehomed", totals.rehomed},
        {"in_flight", static_cast<std::uint64_t>(std::max<std::int64_t>(0, totals.in_flight))}})
    add(to, name, count);
  add_dictionary(to, "lost", [&line](auto* lost) {
    for (const auto& [cause, packets] : stats::counted_causes(line)) add(lost, cause, packets);
  });
  add(to, "imbalance", line.imbalance);
}

void fill_drive(rte_tel_data* to, const format::DriveLine& drive) {
  add(to, "path", drive.path);
  add(to, "state", drive.state);
  if (!drive.why.empty()) add(to, "why", drive.why);
  for (const auto& [name, count] : {std::pair{"blocks", drive.blocks},
                                    {"bytes", drive.bytes},
                                    {"inflight", drive.inflight},
                                    {"files", drive.files},
                                    {"unsynced", drive.unsynced},
                                    {"write_p50_ns", drive.write_latency_ns.p50},
                                    {"write_p99_ns", drive.write_latency_ns.p99},
                                    {"write_max_ns", drive.write_latency_ns.max}})
    add(to, name, count);
}

// ---- the commands; an exception must not get out into DPDK

template <typename Answer>
int answer(rte_tel_data* to, Answer fill) noexcept {
  try {
    return fill(to);
  } catch (...) {
    return -ENOMEM;
  }
}

int ledger_command(const char*, const char*, rte_tel_data* data) {
  return answer(data, [](auto* to) {
    const auto line = newest();
    if (!line) return -EAGAIN;
    rte_tel_data_start_dict(to);
    fill_ledger(to, *line);
    return 0;
  });
}

int drives_command(const char*, const char* params, rte_tel_data* data) {
  return answer(data, [params](auto* to) {
    const auto line = newest();
    if (!line) return -EAGAIN;
    const std::string_view text = params == nullptr ? "" : params;
    std::size_t wanted = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), wanted);
    const bool one = !text.empty();
    if (one && (error != std::errc() || end != text.data() + text.size() || wanted >= line->drives.size()))
      return -EINVAL;
    rte_tel_data_start_dict(to);
    if (one) return fill_drive(to, line->drives[wanted]), 0;
    for (std::size_t i = 0; i < line->drives.size(); ++i)
      add_dictionary(to, std::to_string(i), [&](auto* drive) { fill_drive(drive, line->drives[i]); });
    return 0;
  });
}

int plan_command(const char*, const char*, rte_tel_data* data) {
  return answer(data, [](auto* to) {
    std::shared_ptr<const Texts> plan;
    {
      const std::lock_guard lock(board().mutex);
      plan = board().plan;
    }
    if (!plan) return -EAGAIN;
    rte_tel_data_start_dict(to);
    for (const auto& [name, text] : *plan) add(to, name, text);
    return 0;
  });
}

void register_commands() {
  static const bool done = [] {
    rte_telemetry_register_cmd("/wirespool/ledger", ledger_command, "The newest ledger line's totals and losses.");
    rte_telemetry_register_cmd("/wirespool/drives", drives_command, "Its drives. Parameter: number of one, or none.");
    rte_telemetry_register_cmd("/wirespool/plan", plan_command, "The capture's options, lcores and memory.");
    return true;
  }();
  (void)done;
}

}  // namespace

Telemetry::Telemetry(Texts plan) {
  auto texts = std::make_shared<const Texts>(std::move(plan));
  {
    const std::lock_guard lock(board().mutex);
    board().plan = std::move(texts);
  }
  register_commands();
}

Telemetry::~Telemetry() {
  const std::lock_guard lock(board().mutex);
  board().plan.reset();
  board().line.reset();
}

void Telemetry::publish(const format::LedgerLine& line) {
  auto copy = std::make_shared<const format::LedgerLine>(line);
  const std::lock_guard lock(board().mutex);
  board().line.swap(copy);
}

}  // namespace wirespool::dpdk
