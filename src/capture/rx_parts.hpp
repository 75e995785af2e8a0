// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "capture/block_handoff.hpp"
#include "capture/counted.hpp"
#include "capture/handoff.hpp"
#include "capture/outlet.hpp"
#include "capture/writer_pressure.hpp"
#include "dpdk/block_memory.hpp"
#include "format/ledger_line.hpp"
#include "plan/capture_plan.hpp"
#include "record/recorder.hpp"
#include "stats/counters.hpp"

namespace wirespool::capture {

class Recording;

// All that the packets of one Stream pass through after their RX lcore, with the writers' ends, as the plan's Route
// asks. Built before the lcore starts.
class RxParts {
 public:
  // `stream`: which of plan.streams. `pool`: most of its mbufs come from there. `counters`: its RX lcore's. What is
  // given outlives it.
  static std::expected<std::unique_ptr<RxParts>, Error> make(const plan::CapturePlan& plan, std::size_t stream,
                                                             Recording& recording, rte_mempool* pool,
                                                             const dpdk::MbufFields& fields,
                                                             stats::RxCounters& counters);

  // Puts an Outlet around all that are there: before outlet() is given to an lcore. What is given outlives it.
  template <typename Around, typename... Given>
  void put_around(Given&... given) {
    around_.push_back(std::make_unique<Around>(outlet(), given..., counters_));
  }

  Outlet& outlet() { return around_.empty() ? *outlet_ : *around_.back(); }  // the outermost

  // What is between it and the writers now, and what is missing there: in packets, or with --handoff blocks in
  // messages. Adds to `stage`, whose `where` names the first Handoff something is missing from. Any thread.
  void look_at_handoffs(format::StageLine& stage) const;

  // The other end, for writer `writer`'s lcore. Once for each.
  std::unique_ptr<Intake> take_intake(std::size_t writer) { return std::move(intakes_[writer]); }

 private:
  using Done = std::expected<void, Error>;
  RxParts(const plan::CapturePlan& plan, std::size_t stream, Recording& recording, rte_mempool* pool,
          const dpdk::MbufFields& fields, stats::RxCounters& counters);

  Done make_outlet();
  Done make_packet_outlet(bool packets_end);
  Done make_block_outlet();
  Done make_building_outlet();
  std::vector<WriterPressure> pressures() const;
  std::unique_ptr<Intake> packet_intake(Handoff& handoff, std::size_t writer);
  std::unique_ptr<Intake> block_intake(BlockHandoff& handoff, record::Writer& writer);
  SourceLosses* losses() { return losses_ ? &*losses_ : nullptr; }
  void end_in_blocks(std::vector<const record::Drive*> drives);
  const plan::PlannedRxLcore& lcore() const { return plan_.rx_lcores[plan_.streams[stream_].rx]; }
  template <typename Last>
  void end_in(Last last) {
    outlet_ = std::make_unique<Counted<Last>>(counters_, std::move(last));
  }

  const plan::CapturePlan& plan_;
  std::size_t stream_;
  Recording& recording_;
  record::Recorder& recorder_;
  rte_mempool* pool_;
  dpdk::Referrer referrer_, trimming_;  // what is kept of a frame: as asked, and under pressure
  stats::RxCounters& counters_;
  std::optional<SourceLosses> losses_;                         // where files tell sources
  std::vector<std::unique_ptr<Handoff>> handoffs_;             // by writer; packets cross
  std::vector<std::unique_ptr<BlockHandoff>> block_handoffs_;  // by writer; Blocks cross
  std::unique_ptr<dpdk::BlockMemory> memory_;                  // Blocks stay: here, and
  std::optional<record::Recorder> own_recorder_;               // who ends them
  std::vector<std::unique_ptr<record::BlockDock>> docks_;
  std::vector<std::unique_ptr<record::Appender>> appenders_;
  std::unique_ptr<Outlet> outlet_;
  std::vector<std::unique_ptr<Outlet>> around_;   // each around the one before
  std::vector<std::unique_ptr<Intake>> intakes_;  // by writer
};

}  // namespace wirespool::capture
