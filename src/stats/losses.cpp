// SPDX-License-Identifier: BSD-3-Clause
#include "stats/losses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

namespace wirespool::stats {
namespace {

struct Cause {
  const char* name;
  Loss Losses::*loss;
  std::optional<std::uint64_t> format::PortLine::*counter;
};

// The causes of ports, in the order in which they are shown.
using Port = format::PortLine;
constexpr std::array causes{Cause{"nic_missed", &Losses::nic_missed, &Port::nic_missed},
                            Cause{"nic_errors", &Losses::nic_errors, &Port::nic_errors},
                            Cause{"nic_other", &Losses::nic_other, &Port::nic_other},
                            Cause{"no_mbuf", &Losses::no_mbuf, &Port::no_mbuf},
                            Cause{"cut_by_driver", &Losses::cut_by_driver, &Port::cut_by_driver}};

constexpr std::array advice{
    Advice{"nic_missed", "more --rx-desc, --rx-queues and RX lcores, on CPUs of their own"},
    Advice{"nic_errors", "cable, optics, --mtu"},
    Advice{"nic_other", "the device's own limits"},
    Advice{"no_mbuf", "more --mbufs, or faster writers"},
    Advice{"cut_by_driver", "ethtool -K IFACE gro off lro off tso off gso off"},
    Advice{"drop_handoff", "more writer lcores or drives"},
    Advice{"drop_drive", "a full or failed drive"},
};

Loss known_or_not(const std::optional<std::uint64_t>& counter) { return {counter.value_or(0), !counter}; }

// A port without such a counter has no such loss.
Loss known_or_none(const std::optional<std::uint64_t>& counter) { return {counter.value_or(0), false}; }

}  // namespace

std::uint64_t Losses::sum() const {
  std::uint64_t sum = drop_handoff + drop_drive;
  for (const auto& cause : causes) sum += (this->*cause.loss).packets;
  return sum;
}

bool Losses::any_unknown() const {
  return std::ranges::any_of(causes, [this](const Cause& cause) { return (this->*cause.loss).unknown; });
}

Losses& Losses::operator+=(const Losses& other) {
  for (const auto& cause : causes) {
    (this->*cause.loss).packets += (other.*cause.loss).packets;
    (this->*cause.loss).unknown |= (other.*cause.loss).unknown;
  }
  drop_handoff += other.drop_handoff;
  drop_drive += other.drop_drive;
  return *this;
}

Losses Losses::operator-(const Losses& other) const {
  const auto less = [](std::uint64_t a, std::uint64_t b) { return a - std::min(a, b); };
  Losses left;
  for (const auto& cause : causes) {
    const auto &a = this->*cause.loss, &b = other.*cause.loss;
    left.*cause.loss = {less(a.packets, b.packets), a.unknown || b.unknown};
  }
  left.drop_handoff = less(drop_handoff, other.drop_handoff);
  left.drop_drive = less(drop_drive, other.drop_drive);
  return left;
}

Losses losses_of(const format::LedgerLine& line) {
  Losses losses;
  for (const auto& port : line.ports)
    losses += {.nic_missed = known_or_not(port.nic_missed),
               .nic_errors = known_or_not(port.nic_errors),
               .nic_other = known_or_none(port.nic_other),
               .no_mbuf = known_or_not(port.no_mbuf),
               .cut_by_driver = known_or_none(port.cut_by_driver)};
  losses.drop_handoff = line.totals.drop_handoff;
  losses.drop_drive = line.totals.drop_drive;
  return losses;
}

std::vector<std::pair<std::string, std::uint64_t>> counted_causes(const format::LedgerLine& line) {
  const auto losses = losses_of(line);
  std::vector<std::pair<std::string, std::uint64_t>> counted;
  for (const auto& cause : causes)
    if (std::ranges::any_of(line.ports, [&cause](const auto& port) { return (port.*cause.counter).has_value(); }))
      counted.emplace_back(cause.name, (losses.*cause.loss).packets);
  counted.emplace_back("drop_handoff", losses.drop_handoff);
  counted.emplace_back("drop_drive", losses.drop_drive);
  return counted;
}

std::span<const Advice> loss_advice() { return advice; }

std::string_view advice_on(std::string_view cause) {
  const auto found = std::ranges::find(advice, cause, &Advice::cause);
  return found == advice.end() ? std::string_view() : found->words;
}

std::string counted_losses(const Losses& losses) {
  std::string text;
  const auto add = [&text](const char* name, std::uint64_t packets) {
    if (packets) fmt::format_to(std::back_inserter(text), " {} {}", name, packets);
  };
  for (const auto& cause : causes) add(cause.name, (losses.*cause.loss).packets);
  add("drop_handoff", losses.drop_handoff);
  add("drop_drive", losses.drop_drive);
  return text;
}

std::string unknown_losses(const Losses& losses) {
  std::string text;
  for (const auto& cause : causes)
    if ((losses.*cause.loss).unknown) fmt::format_to(std::back_inserter(text), " {}", cause.name);
  return text;
}

}  // namespace wirespool::stats
