// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace wirespool::policy {

// Whether what is received has to be made smaller, so that all of it fits: from how full the way to the drives is. It
// begins early, as whole packets that are on their way stay whole, and ends late, so that a level that goes up and down
// does not change its mind with each Burst.
class Pressure {
 public:
  static constexpr unsigned begins_at = 75, ends_at = 50;  // percent

  // Looks again; whether there is pressure now. `percent`: of what holds packets, as much as is taken.
  bool look(unsigned percent) noexcept {
    pressed_ = percent >= (pressed_ ? ends_at + 1 : begins_at);
    return pressed_;
  }

 private:
  bool pressed_ = false;
};

}  // namespace wirespool::policy
