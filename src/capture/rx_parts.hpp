// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <memory>
#include <span>
#include <vector>

#include "capture/block_handoff.hpp"
#include "capture/handoff.hpp"
#include "capture/outlet.hpp"
#include "capture/outputs.hpp"
#include "capture/rx_lcore.hpp"
#include "capture/writer_parts.hpp"
#include "dpdk/block_memory.hpp"
#include "format/ledger_line.hpp"
#include "plan/capture_plan.hpp"
#include "record/appender.hpp"
#include "stats/counters.hpp"

namespace wirespool::capture {

// Everything one RX lcore delivers to, built before it starts: Handoffs to all writers, and with --handoff blocks its
// Appenders. Counters may be read by any thread.
class RxParts {
 public:
  // `writers` are connected already. `index`: which of plan.rx_lcores.
  static std::expected<std::unique_ptr<RxParts>, plan::Problem> make(
      const plan::CapturePlan& plan, std::size_t index, std::span<const std::unique_ptr<WriterParts>> writers,
      Outputs& outputs, rte_mempool* pool, dpdk::StampField field);

  Outlet& outlet() { return *outlet_; }
  rte_mempool* pool() const { return pool_; }

  // What is between it and the writers now, and what is missing there: in packets, or with --handoff blocks in
  // messages. Adds to `stage`, whose `where` names the first Handoff something is missing from. Any thread.
  void look_at_handoffs(format::StageLine& stage) const;

  // The other end, for writer `writer`'s lcore.
  std::unique_ptr<Intake> intake(std::size_t writer, WriterParts& parts);

  stats::RxCounters counters;

 private:
  using Done = std::expected<void, plan::Problem>;
  RxParts(const plan::CapturePlan& plan, std::size_t index, rte_mempool* pool, dpdk::StampField field)
      : plan_(plan), index_(index), pool_(pool), referrer_(field, plan.config.snaplen) {}

  Done make_packet_outlet(std::span<const std::unique_ptr<WriterParts>> writers);
  Done make_block_outlet(std::span<const std::unique_ptr<WriterParts>> writers, Outputs& outputs);
  Done make_building_outlet();
  std::unique_ptr<Outlet> block_outlet(std::vector<const record::Drive*> drives);

  const plan::CapturePlan& plan_;
  std::size_t index_;
  rte_mempool* pool_;
  dpdk::Referrer referrer_;
  std::vector<std::unique_ptr<Handoff>> handoffs_;             // by writer; --handoff packets
  std::vector<std::unique_ptr<BlockHandoff>> block_handoffs_;  // by writer; --handoff blocks
  std::unique_ptr<dpdk::BlockMemory> memory_;                  // --handoff blocks --until block
  std::vector<std::unique_ptr<record::BlockPort>> ports_;
  std::vector<std::unique_ptr<record::Appender>> appenders_;
  std::unique_ptr<Outlet> outlet_;
};

}  // namespace wirespool::capture
