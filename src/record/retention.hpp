// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "keep/retainer.hpp"
#include "policy/retention.hpp"
#include "record/listeners.hpp"
#include "storage/directory.hpp"

namespace wirespool::record {

struct RetentionOptions {
  policy::RetainLimits limits;
  std::string stem;         // of the files that are this capture's business, its own and those of earlier ones
  Timestamp capture_start;  // its own
};

// What went from one directory since the start.
struct RetentionCounts {
  std::uint64_t files = 0, packets = 0, bytes = 0;  // bytes of packets
};

// Keeps the output directories within limits while a capture runs: a thread for each file system, which is woken by
// every file that is sealed and looks at the room by itself a few times a second. No lcore and no keeper ever waits for
// it. A drive that hangs holds up its own thread.
class Retention final : public SealListener {
 public:
  // `directories` outlive it.
  Retention(RetentionOptions options, const std::vector<const storage::Directory*>& directories);
  ~Retention() override;

  // `told` hear of each file that is removed, on the threads here; they outlive it. Control thread, like all below.
  void start(std::vector<SealListener*> told);
  using Clock = std::chrono::steady_clock;
  void wait_for_first_look(Clock::time_point end) const;  // of each thread
  void ask_to_stop() noexcept;                            // each looks once more and ends
  bool wait_for_end(Clock::time_point end) const;         // false: one hangs in its drive

  RetentionCounts counts(std::size_t directory) const;
  // First packet that may still be there, in any directory; zero: not known.
  Timestamp oldest() const noexcept;
  std::vector<std::string> take_complaints();

  // Keepers.
  void sealing(const storage::Directory&, const std::string&) noexcept override {}
  void sealed(const storage::Directory& directory, const std::string& pcap, const SealedFile& file) override;
  void removed(const storage::Directory&, const std::string&) override {}

 private:
  class Watch;  // of one file system
  Watch& watch_of(const storage::Directory& directory) const noexcept;

  std::vector<const storage::Directory*> directories_;
  std::vector<std::unique_ptr<Watch>> watches_;
};

}  // namespace wirespool::record
