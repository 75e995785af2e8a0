// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace wirespool::storage {

// What a Speaker could not say.
struct Unsaid {
  std::vector<std::string> texts;  // the first few
  std::uint64_t more = 0;          // that many others
  bool none() const noexcept { return texts.empty() && more == 0; }
};

// Says things on a descriptor that the program was given (standard output, standard error), from a thread of its own:
// whoever speaks never waits and never sees an error, whether the descriptor is a pipe that nobody empties, a full
// disk, closed, or in anybody's non-blocking mode. Nothing but write(2) is done to it: its flags are shared with others
// (open(2), "Open file descriptions"). Any thread may speak; what it says gets out in order, or is unsaid.
class Speaker {
 public:
  explicit Speaker(int fd);  // not its owner
  static Speaker standard_output();
  static Speaker standard_error();
  ~Speaker();  // gives what was said last a moment to get out; a write that hangs keeps nobody
  Speaker(Speaker&& other) noexcept = default;
  Speaker& operator=(Speaker&&) = delete;

  int fd() const noexcept;

  // Takes a text, with its newlines. noexcept: without memory for it, it is unsaid.
  void say(std::string_view text) noexcept;

  // Waits until all is out, or has failed, or the time is over; whether all of it got out that was said since the
  // start.
  bool finish(std::chrono::nanoseconds longest) noexcept;

  // What failed or has waited longer than `patience`: taken back, it is not said any more. Each is given once.
  Unsaid take_unsaid(std::chrono::nanoseconds patience);

 private:
  struct State;
  static void work(const std::shared_ptr<State>& state) noexcept;

  std::shared_ptr<State> state_;  // the thread's as well: one that hangs outlives its Speaker
};

// A standard stream that is closed is opened anew, so that no file of ours gets its number and is written into by
// whoever speaks: for reading only, so that a write still says EBADF. Before anything else is opened.
void hold_standard_streams() noexcept;

}  // namespace wirespool::storage
