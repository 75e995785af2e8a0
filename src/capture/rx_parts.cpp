// SPDX-License-Identifier: BSD-3-Clause
#include "capture/rx_parts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "capture/packet_handoff.hpp"
#include "record/block_sink.hpp"
#include "record/spool_writer.hpp"
#include "stats/ledger.hpp"

namespace wirespool::capture {
namespace {

using Done = std::expected<void, plan::Problem>;

std::unexpected<plan::Problem> no_memory(const std::string& what, const std::string& why) {
  return std::unexpected(plan::Problem{"hugepages", fmt::format("no memory for {} ({})", what, why),
                                       "give EAL more memory: more hugepages, or a larger -m with --no-huge", true});
}

}  // namespace

std::expected<std::unique_ptr<RxParts>, plan::Problem> RxParts::make(
    const plan::CapturePlan& plan, std::size_t index, std::span<const std::unique_ptr<WriterParts>> writers,
    Outputs& outputs, rte_mempool* pool, dpdk::StampField field) {
  std::unique_ptr<RxParts> parts(new RxParts(plan, index, pool, field));
  Done done;
  if (plan.config.until == plan::Until::rx)
    parts->outlet_ = std::make_unique<NoOutlet>(parts->counters);
  else if (plan.config.handoff == plan::HandoffKind::packets)
    done = parts->make_packet_outlet(writers);
  else if (plan.config.until == plan::Until::block)
    done = parts->make_building_outlet();
  else
    done = parts->make_block_outlet(writers, outputs);
  if (!done) return std::unexpected(done.error());
  return parts;
}

Done RxParts::make_packet_outlet(std::span<const std::unique_ptr<WriterParts>> writers) {
  std::vector<Handoff*> all;
  for (std::size_t writer = 0; writer < writers.size(); ++writer) {
    auto made = Handoff::create(fmt::format("ws_handoff_{}_{}", index_, writer), plan_.handoff_size,
                                writers[writer]->planned().numa_node);
    if (!made) return no_memory(fmt::format("a Handoff of {} packets", plan_.handoff_size), made.error());
    handoffs_.push_back(std::make_unique<Handoff>(std::move(*made)));
    all.push_back(handoffs_.back().get());
  }
  if (plan_.when_full == plan::WhenFull::wait)
    outlet_ = std::make_unique<WaitingPacketOutlet>(std::move(all), pool_, referrer_, counters);
  else
    outlet_ = std::make_unique<DroppingPacketOutlet>(std::move(all), pool_, referrer_, counters);
  return {};
}

Done RxParts::make_block_outlet(std::span<const std::unique_ptr<WriterParts>> writers, Outputs& outputs) {
  std::vector<const record::Drive*> drives;
  for (std::size_t writer = 0; writer < writers.size(); ++writer) {
    const auto& parts = *writers[writer];
    auto made = BlockHandoff::create(fmt::format("ws_blocks_{}_{}", index_, writer), parts.planned().blocks,
                                     parts.planned().numa_node);
    if (!made) return no_memory(fmt::format("a Handoff of {} Blocks", parts.planned().blocks), made.error());
    block_handoffs_.push_back(std::move(*made));
    const auto mine = parts.drives(outputs);
    drives.insert(drives.end(), mine.begin(), mine.end());
    ports_.push_back(std::make_unique<BlockHandoffPort>(*block_handoffs_.back(), mine, counters));
    appenders_.push_back(
        std::make_unique<record::Appender>(parts.appender_options(static_cast<std::uint32_t>(index_)), *ports_.back()));
  }
  outlet_ = block_outlet(std::move(drives));
  return {};
}

// --until block: built here, dropped here, no writer lcore at all.
Done RxParts::make_building_outlet() {
  const auto& planned = plan_.rx_lcores[index_];
  auto memory = dpdk::BlockMemory::take(planned.blocks, plan_.block_bytes, planned.numa_node);
  if (!memory) return std::unexpected(memory.error());
  memory_ = std::move(*memory);
  ports_.push_back(std::make_unique<record::BlockSink>(memory_->pool(), counters.ended_early));
  appenders_.push_back(std::make_unique<record::Appender>(appender_options(plan_), *ports_.back()));
  outlet_ = block_outlet({});
  return {};
}

std::unique_ptr<Outlet> RxParts::block_outlet(std::vector<const record::Drive*> drives) {
  BlockOutlet::Setup setup{.appenders = {},
                           .drives = std::move(drives),
                           .wait = plan_.when_full == plan::WhenFull::wait,
                           .referrer = referrer_,
                           .counters = &counters};
  for (auto& appender : appenders_) setup.appenders.push_back(appender.get());
  return std::make_unique<BlockOutlet>(std::move(setup));
}

void RxParts::look_at_handoffs(format::StageLine& stage) const {
  const auto add = [&](std::size_t writer, const CrossingLook& look) {
    stats::add_place(stage, static_cast<std::int64_t>(look.there), static_cast<std::int64_t>(look.missing),
                     fmt::format("the Handoff from lcore {} to lcore {}", plan_.rx_lcores[index_].lcore,
                                 plan_.writers[writer].lcore));
  };
  for (std::size_t writer = 0; writer < handoffs_.size(); ++writer) add(writer, handoffs_[writer]->look());
  for (std::size_t writer = 0; writer < block_handoffs_.size(); ++writer) add(writer, block_handoffs_[writer]->look());
}

std::unique_ptr<Intake> RxParts::intake(std::size_t writer, WriterParts& parts) {
  if (plan_.config.handoff == plan::HandoffKind::packets)
    return std::make_unique<PacketIntake>(
        PacketIntake::Setup{.handoff = handoffs_[writer].get(),
                            .pool = pool_,
                            .appender = parts.appenders.empty() ? nullptr : parts.appenders[index_].get(),
                            .writer = parts.spool_writer.get(),
                            .counters = &parts.counters});
  const auto streams = plan_.rx_lcores.size();
  const auto& planned = parts.planned();
  const std::size_t kept = planned.drives.empty()
                               ? 0
                               : record::SpoolWriter::reserve(planned.drives.size()) + streams * planned.drives.size();
  return std::make_unique<BlockIntake>(BlockIntake::Setup{.handoff = block_handoffs_[writer].get(),
                                                          .writer = parts.spool_writer.get(),
                                                          .pool = parts.pool(),
                                                          .share = (planned.blocks - kept) / streams,
                                                          .counters = &parts.counters});
}

}  // namespace wirespool::capture
