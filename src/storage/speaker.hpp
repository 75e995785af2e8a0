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
  std::uint64_t more = 0;          // how many others
  bool none() const noexcept { return texts.empty() && more == 0; }
};

// Writes texts to a descriptor that the program was given (standard output, standard error) on a thread of its own:
// callers never wait and never see an error, whether the descriptor is a pipe that nobody empties, on a full disk,
// closed, or set non-blocking by another process. Nothing but write(2) is done to it: its flags are shared with others
// (open(2), "Open file descriptions"). Any thread may speak; what is said gets out in order, or is unsaid.
class Speaker {
 public:
  explicit Speaker(int fd);  // does not own it
  static Speaker standard_output();
  static Speaker standard_error();
  ~Speaker();  // gives the last texts a moment to get out; does not wait for a write that hangs
  Speaker(Speaker&& other) noexcept = default;
  Speaker& operator=(Speaker&&) = delete;

  int fd() const noexcept;

  // Takes a text, newlines included. If there is no memory for it, it is unsaid.
  void say(std::string_view text) noexcept;

  // Waits until everything is out, or has failed, or the time is over. Returns whether all that was said since the
  // start got out.
  bool finish(std::chrono::nanoseconds longest) noexcept;

  // Whether nothing waits to get out.
  bool idle() noexcept;

  // From now on texts are kept and not written, until release() writes them all in their order: while somebody else has
  // the screen. `latest`: the last of them, at most `most`.
  void hold() noexcept;
  void release() noexcept;
  std::vector<std::string> latest(std::size_t most);

  // The texts that failed or have waited longer than `patience`. They will not be said any more; each is given once.
  Unsaid take_unsaid(std::chrono::nanoseconds patience);

 private:
  struct State;
  static void work(const std::shared_ptr<State>& state) noexcept;

  std::shared_ptr<State> state_;  // shared with the thread, which outlives its Speaker if it hangs
};

// Opens standard streams that are closed, so that no file of ours gets such a number and messages are written into it.
// Opened for reading only, so that a write still gives EBADF. To be called before anything else is opened.
void hold_standard_streams() noexcept;

}  // namespace wirespool::storage
