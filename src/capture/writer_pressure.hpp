// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "policy/pressure.hpp"
#include "record/drive.hpp"

namespace wirespool::capture {

// --when-full trim: how full one writer is to which packets cross, as an RX lcore sees it, once per Burst. From what is
// shared already.
class WriterPressure {
 public:
  // `blocks`: that the writer has for what Streams hand over. `room`: packets its Handoff holds.
  WriterPressure(std::vector<const record::Drive*> drives, std::size_t blocks, std::size_t room)
      : drives_(std::move(drives)), blocks_(std::max<std::size_t>(1, blocks)), room_(std::max<std::size_t>(1, room)) {}

  // Whether there is pressure. `packets`: on their way to the writer; Blocks that are in use wait for their drives.
  bool look(std::size_t packets) noexcept {
    std::size_t blocks = 0;
    for (const auto* drive : drives_) blocks += drive->load();
    return pressure_.look(static_cast<unsigned>(100 * std::max(blocks * room_, packets * blocks_) / (blocks_ * room_)));
  }

 private:
  std::vector<const record::Drive*> drives_;
  std::size_t blocks_, room_;
  policy::Pressure pressure_;
};

}  // namespace wirespool::capture
