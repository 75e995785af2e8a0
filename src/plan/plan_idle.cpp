// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "options/values.hpp"
#include "plan/plan_steps.hpp"
#include "plan/route.hpp"
#include "policy/idle_pace.hpp"
#include "policy/writer_shape.hpp"

namespace wirespool::plan {
namespace {

// Where a device does not say how fast its link can be, and how fast a drive may be: faster than any, so that a sleep
// is rather too short.
constexpr unsigned fastest_link_mbits = 400'000, fastest_drive_mbits = 128'000;

// A packet queue this far filled by one sleep: at a quarter of line rate.
constexpr unsigned plenty_share = 8;

const MachinePort& machine_port(const Machine& machine, unsigned id) {
  return *std::ranges::find(machine.ports, id, &MachinePort::id);
}

unsigned mbits_of(const MachinePort& port) { return port.speed_mbits ? port.speed_mbits : fastest_link_mbits; }

std::string speed_text(unsigned mbits) {
  return mbits % 1000 ? fmt::format("{} Mbit/s", mbits) : fmt::format("{} Gbit/s", mbits / 1000);
}

std::string time_text(std::uint64_t ns) { return fmt::format("{:.1f} us", static_cast<double>(ns) / 1000); }

// What the first of several things that fill up allows.
struct Fill {
  std::uint64_t after_ns = UINT64_MAX;
  std::string because = "its source waits";

  void or_earlier(std::uint64_t ns, std::string why) {
    if (ns >= after_ns) return;
    after_ns = ns;
    because = std::move(why);
  }
};

PlannedIdle idle_of(const Fill& fill) {
  return {.longest_ns = policy::idle_sleep_ns(fill.after_ns), .because = fill.because};
}

// The ring that is full first if its port's whole link comes to it. Where holes are looked for, no sleep is to look
// like one.
PlannedIdle of_rx(const CaptureConfig& config, const Machine& machine, const CapturePlan& plan,
                  const PlannedRxLcore& rx) {
  Fill fill;
  std::uint64_t fewest = 0;
  for (const auto& queue : rx.queues) {
    const auto& port = machine_port(machine, queue.port);
    if (port.file_fed) continue;
    const auto own = port.own_ring;
    const auto places = own ? own : port_of(plan, queue.port).rx_desc;
    const auto mbits = mbits_of(port);
    const auto full_ns = policy::filled_after_ns(places, mbits);
    fill.or_earlier(full_ns, fmt::format("{} packets of port {} queue {} last {} at {}", places, queue.port,
                                         queue.queue, time_text(full_ns), speed_text(mbits)));
    fewest = fewest ? std::min<std::uint64_t>(fewest, places) : places;
  }
  if (config.hole_ns) fill.or_earlier(*config.hole_ns, fmt::format("--hole {}", options::format_time(*config.hole_ns)));
  auto idle = idle_of(fill);
  idle.plenty = fewest / plenty_share;
  return idle;
}

// All that an RX lcore's ports can bring to one writer, or 0 where all of them wait.
unsigned mbits_of(const Machine& machine, const PlannedRxLcore& rx) {
  std::set<unsigned> ports;
  for (const auto& queue : rx.queues) ports.insert(queue.port);
  unsigned sum = 0;
  for (const auto id : ports)
    if (const auto& port = machine_port(machine, id); !port.file_fed) sum += mbits_of(port);
  return sum;
}

// Empty Blocks that each Stream has of this writer.
std::uint64_t supply_bytes(const CapturePlan& plan, const PlannedWriter& writer) {
  const policy::WriterShape shape{
      .streams = static_cast<std::uint32_t>(plan.streams.size()),
      .drives = static_cast<std::uint32_t>(writer.drives.size()),
      .streams_append = true,
      .block_bytes = plan.block_bytes,
      .snaplen = plan.config.snaplen,
      .front_bytes = policy::WriterShape::most_front_bytes(plan.config.format == FileFormat::pcapng, plan.block_bytes),
      .carry_bytes = plan.carry_bytes};
  return shape.supply(writer.blocks) * plan.block_bytes;
}

// Packets that can be in a Handoff: as many as fit, or as there are mbufs for besides those in the queues.
std::uint64_t packets_held(const CapturePlan& plan, const PlannedRxLcore& rx) {
  std::uint64_t most = plan.handoff_size;
  for (const auto& queue : rx.queues) {
    const auto& port = port_of(plan, queue.port);
    const std::uint64_t in_queues = std::uint64_t{port.rx_queues} * port.rx_desc;
    most = std::min(most, port.mbufs - std::min<std::uint64_t>(port.mbufs, in_queues));
  }
  return most;
}

void add_handoff(const CaptureConfig& config, const CapturePlan& plan, const PlannedWriter& writer,
                 const PlannedRxLcore& rx, unsigned mbits, Fill& fill) {
  const bool blocks = config.handoff == HandoffKind::blocks;
  const auto room = blocks ? supply_bytes(plan, writer) : packets_held(plan, rx);
  const auto full_ns = blocks ? policy::filled_with_bytes_after_ns(room, mbits) : policy::filled_after_ns(room, mbits);
  fill.or_earlier(full_ns, fmt::format("a Handoff of {} lasts {} at {}",
                                       blocks ? options::format_size(room) : fmt::format("{} packets", room),
                                       time_text(full_ns), speed_text(mbits)));
}

// What a drive was given must last until the writer looks again, or it would stand still while Blocks wait for it.
std::uint64_t drive_busy_ns(const CaptureConfig& config, const CapturePlan& plan) {
  return policy::filled_with_bytes_after_ns(config.io_depth * plan.block_bytes, fastest_drive_mbits);
}

Fill of_drives(const CaptureConfig& config, const CapturePlan& plan) {
  const auto busy_ns = drive_busy_ns(config, plan);
  return {busy_ns,
          fmt::format("{} writes of {} last {} on a drive of {}", config.io_depth,
                      options::format_size(plan.block_bytes), time_text(busy_ns), speed_text(fastest_drive_mbits))};
}

// A source that waits for the drives: they have all Blocks.
PlannedIdle of_waiting(const CaptureConfig& config, const CapturePlan& plan) {
  if (plan.when_full != WhenFull::wait || plan.drives.empty()) return {};
  auto idle = idle_of(of_drives(config, plan));
  idle.quiet_ns = policy::waiting_quiet_ns;
  return idle;
}

// The Handoff, or the drive, that has nothing to do first.
PlannedIdle of_writer(const CaptureConfig& config, const Machine& machine, const CapturePlan& plan,
                      const PlannedWriter& writer) {
  Fill fill;
  for (const auto& stream : plan.streams) {
    const auto& rx = plan.rx_lcores[stream.rx];
    if (const auto mbits = mbits_of(machine, rx); mbits) add_handoff(config, plan, writer, rx, mbits, fill);
  }
  if (!writer.drives.empty()) {
    auto drives = of_drives(config, plan);
    fill.or_earlier(drives.after_ns, std::move(drives.because));
  }
  return idle_of(fill);
}

}  // namespace

void plan_idle(const CaptureConfig& config, const Machine& machine, CapturePlan& plan) {
  if (config.idle == Idle::poll) return;
  for (auto& rx : plan.rx_lcores) {
    rx.idle = of_rx(config, machine, plan, rx);
    rx.waiting = of_waiting(config, plan);
  }
  for (auto& writer : plan.writers) writer.idle = of_writer(config, machine, plan, writer);
}

}  // namespace wirespool::plan
