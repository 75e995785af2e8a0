// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "view/history.hpp"
#include "view/row.hpp"

namespace wirespool::view {

struct Size {
  unsigned rows = 24, columns = 80;
  bool operator==(const Size&) const = default;
};

// What is shown of a capture.
struct Scene {
  std::string title;                  // the capture's name
  std::string state;                  // "running", or why it is not
  const History* history = nullptr;   // has at least one line
  std::vector<std::string> messages;  // the newest last
  std::string keys;                   // what they do
};

// A screen of it, from the top; at most size.rows lines. What does not fit is left out from the least important on:
// queues first, then lcores, ports, drives, messages.
std::vector<std::string> draw(const Scene& scene, const Size& size, const Look& look);

}  // namespace wirespool::view
