// SPDX-License-Identifier: BSD-3-Clause
#include "capture/rx_parts.hpp"

#include <fmt/format.h>

#include <utility>

#include "capture/ending_intake.hpp"
#include "capture/packet_handoff.hpp"
#include "capture/recording.hpp"
#include "plan/route.hpp"
#include "stats/ledger.hpp"

namespace wirespool::capture {
namespace {

using Done = std::expected<void, Error>;

std::unexpected<Error> no_memory(const std::string& what, const std::string& why) {
  return std::unexpected(Error{"hugepages", fmt::format("no memory for {} ({})", what, why),
                               "give EAL more memory: more hugepages, or a larger -m with --no-huge",
                               Error::Kind::not_ready});
}

// Empty Blocks that each Stream has of it.
std::size_t supply_of(const record::Writer& writer) { return writer.shape().supply(writer.blocks()); }

}  // namespace

RxParts::RxParts(const plan::CapturePlan& plan, std::size_t stream, Recording& recording, rte_mempool* pool,
                 const dpdk::MbufFields& fields, stats::RxCounters& counters)
    : plan_(plan),
      stream_(stream),
      recording_(recording),
      recorder_(recording.recorder()),
      pool_(pool),
      referrer_(fields, plan.config.snaplen, format::slice_of(plan.config.slice)),
      trimming_(fields, plan.config.snaplen, format::Slice{.layer = format::Layer::l4}),
      counters_(counters) {
  if (recording.layout().tells_sources()) losses_.emplace(recording.mail());
}

std::expected<std::unique_ptr<RxParts>, Error> RxParts::make(const plan::CapturePlan& plan, std::size_t stream,
                                                             Recording& recording, rte_mempool* pool,
                                                             const dpdk::MbufFields& fields,
                                                             stats::RxCounters& counters) {
  std::unique_ptr<RxParts> parts(new RxParts(plan, stream, recording, pool, fields, counters));
  if (auto done = parts->make_outlet(); !done) return std::unexpected(done.error());
  return parts;
}

Done RxParts::make_outlet() {
  switch (plan::route_of(plan_.config)) {
    case plan::Route::ends_at_rx:
      end_in(NoOutlet(counters_));
      return {};
    case plan::Route::packets_end:
      return make_packet_outlet(true);
    case plan::Route::packets_cross:
      return make_packet_outlet(false);
    case plan::Route::blocks_cross:
      return make_block_outlet();
    case plan::Route::blocks_stay:
      break;
  }
  return make_building_outlet();
}

Done RxParts::make_packet_outlet(bool packets_end) {
  std::vector<Handoff*> all;
  for (std::size_t writer = 0; writer < recorder_.writers(); ++writer) {
    auto made = Handoff::create(fmt::format("ws_handoff_{}_{}", stream_, writer), plan_.handoff_size,
                                plan_.writers[writer].numa_node);
    if (!made) return no_memory(fmt::format("a Handoff of {} packets", plan_.handoff_size), made.error());
    handoffs_.push_back(std::make_unique<Handoff>(std::move(*made)));
    all.push_back(handoffs_.back().get());
    if (losses() && !packets_end) all.back()->take_notes();
    if (packets_end)
      intakes_.push_back(std::make_unique<EndingIntake>(*all.back(), pool_, recorder_.writer(writer).counters));
    else
      intakes_.push_back(packet_intake(*all.back(), writer));
  }
  PacketOutlet::Setup setup{.handoffs = std::move(all),
                            .pool = pool_,
                            .referrer = referrer_,
                            .counters = counters_,
                            .losses = packets_end ? nullptr : losses()};
  if (plan_.when_full == plan::WhenFull::wait)
    end_in(WaitingPacketOutlet(std::move(setup), Idler(lcore().waiting, counters_.sleeps)));
  else if (plan_.when_full == plan::WhenFull::trim)
    end_in(TrimmingPacketOutlet(std::move(setup), trimming_, pressures()));
  else
    end_in(DroppingPacketOutlet(std::move(setup)));
  return {};
}

std::vector<WriterPressure> RxParts::pressures() const {
  std::vector<WriterPressure> all;
  for (std::size_t i = 0; i < recorder_.writers(); ++i) {
    record::Writer& writer = recorder_.writer(i);
    all.emplace_back(writer.drives(), supply_of(writer) * writer.shape().streams, plan_.handoff_size);
  }
  return all;
}

std::unique_ptr<Intake> RxParts::packet_intake(Handoff& handoff, std::size_t number) {
  record::Writer& writer = recorder_.writer(number);
  return std::make_unique<PacketIntake>(PacketIntake::Setup{.handoff = &handoff,
                                                            .pool = pool_,
                                                            .appender = &writer.appender(stream_),
                                                            .sink = &writer.sink(),
                                                            .counters = &writer.counters});
}

Done RxParts::make_block_outlet() {
  std::vector<const record::Drive*> drives;
  for (std::size_t i = 0; i < recorder_.writers(); ++i) {
    record::Writer& writer = recorder_.writer(i);
    auto made =
        BlockHandoff::create(fmt::format("ws_blocks_{}_{}", stream_, i), writer.blocks(), plan_.writers[i].numa_node);
    if (!made) return no_memory(fmt::format("a Handoff of {} Blocks", writer.blocks()), made.error());
    block_handoffs_.push_back(std::move(*made));
    intakes_.push_back(block_intake(*block_handoffs_.back(), writer));
    const auto mine = writer.drives();
    drives.insert(drives.end(), mine.begin(), mine.end());
    docks_.push_back(std::make_unique<BlockHandoffDock>(*block_handoffs_.back(), mine, counters_));
    appenders_.push_back(std::make_unique<record::Appender>(
        writer.appender_options(static_cast<std::uint32_t>(stream_)), *docks_.back()));
  }
  end_in_blocks(std::move(drives));
  return {};
}

std::unique_ptr<Intake> RxParts::block_intake(BlockHandoff& handoff, record::Writer& writer) {
  return std::make_unique<BlockIntake>(BlockIntake::Setup{
      .handoff = &handoff, .sink = &writer.sink(), .share = supply_of(writer), .counters = &writer.counters});
}

// Built here, ended here: a Recorder without drives, on this lcore.
Done RxParts::make_building_outlet() {
  auto memory = dpdk::BlockMemory::take(plan_.streams[stream_].blocks, plan_.block_bytes, lcore().numa_node);
  if (!memory) return std::unexpected(memory.error());
  memory_ = std::move(*memory);
  auto options = recorder_options(plan_, recording_);
  options.streams = 1;
  own_recorder_.emplace(
      std::move(options), std::vector<record::RecorderDrive>{},
      std::vector{record::WriterOptions{.memory = memory_->bytes(), .ended_early = &counters_.ended_early}});
  end_in_blocks({});
  return {};
}

void RxParts::end_in_blocks(std::vector<const record::Drive*> drives) {
  BlockOutlet::Setup setup{.appenders = {},
                           .drives = std::move(drives),
                           .wait = plan_.when_full == plan::WhenFull::wait,
                           .referrer = referrer_,
                           .counters = &counters_,
                           .losses = losses(),
                           .waiting = lcore().waiting};
  for (auto& appender : appenders_) setup.appenders.push_back(appender.get());
  if (plan_.when_full == plan::WhenFull::trim) {
    setup.trimming = trimming_;
    for (std::size_t i = 0; i < block_handoffs_.size(); ++i)
      setup.supplies.emplace_back(*block_handoffs_[i], supply_of(recorder_.writer(i)));
  }
  if (own_recorder_) setup.appenders.push_back(&own_recorder_->writer(0).appender(0));
  end_in(BlockOutlet(std::move(setup)));
}

void RxParts::look_at_handoffs(format::StageLine& stage) const {
  const auto add = [&](std::size_t writer, const CrossingLook& look) {
    stats::add_place(stage, static_cast<std::int64_t>(look.there), static_cast<std::int64_t>(look.missing),
                     fmt::format("the Handoff from lcore {} to lcore {}", lcore().lcore, plan_.writers[writer].lcore));
  };
  for (std::size_t writer = 0; writer < handoffs_.size(); ++writer) add(writer, handoffs_[writer]->look());
  for (std::size_t writer = 0; writer < block_handoffs_.size(); ++writer) add(writer, block_handoffs_[writer]->look());
}

}  // namespace wirespool::capture
