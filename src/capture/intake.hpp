// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "wirespool/timestamp.hpp"

namespace wirespool::capture {

// What one RX lcore sends to this writer lcore. Called on the writer lcore alone, once per Burst.
class Intake {
 public:
  virtual ~Intake() = default;

  virtual bool serve() noexcept = 0;               // takes some, if there is something; whether it did
  virtual bool empty() const noexcept = 0;         // nothing there now
  virtual void tick(Timestamp) noexcept {}         // a hundred times a second
  virtual void finish() noexcept {}                // the RX lcore is done and nothing is left
  virtual std::int64_t held() const noexcept = 0;  // packets taken and still here, counted
};

}  // namespace wirespool::capture
