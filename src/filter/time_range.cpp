// SPDX-License-Identifier: BSD-3-Clause
#include "filter/compiled.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::filter {
namespace {

class TimeRange : public Matcher {
 public:
  TimeRange(Timestamp from, Timestamp to) : from_(from), to_(to) {}
  std::unique_ptr<Matcher> copy() const override { return std::make_unique<TimeRange>(from_, to_); }

  std::expected<void, Error> supports(std::uint32_t) override { return {}; }
  bool matches(const PacketView& packet, std::uint32_t) override { return packet.time >= from_ && packet.time < to_; }

 private:
  Timestamp from_, to_;
};

}  // namespace

// An index knows the times of its Blocks, but not as keys.
Compiled between(Timestamp from, Timestamp to) {
  return {"after " + rfc3339(from) + " and before " + rfc3339(to), format::FlowCondition::anything(),
          std::make_unique<TimeRange>(from, to)};
}

}  // namespace wirespool::filter
