// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "record/listeners.hpp"
#include "storage/directory.hpp"

namespace wirespool::record {

struct SealHookOptions {
  std::string command;
  std::string stem;                        // of the files that are this capture's business
  std::chrono::nanoseconds timeout{};      // the longest run
  std::vector<unsigned> cpus;              // where commands run; none: anywhere
  std::size_t most_waiting = 1024;         // files remembered; more are found again by their markers
  std::chrono::nanoseconds first_pause{};  // after a failure; doubles with each
  std::chrono::nanoseconds longest_pause{};
};

struct SealHookCounts {
  std::uint64_t done = 0;     // files
  std::uint64_t failed = 0;   // runs
  std::uint64_t pending = 0;  // files
};

// Runs a command for each sealed file, one after the other on a thread of its own, until it succeeds. A marker beside
// the file says that it has not yet: put before the file gets its name, so that no crash lets a file slip, and taken
// away after the command succeeded, so that one may run twice for a file but never not at all.
class SealHook final : public SealListener {
 public:
  // `directories` outlive it.
  SealHook(SealHookOptions options, std::vector<const storage::Directory*> directories);
  ~SealHook() override;

  // Remembers what an earlier capture left and starts the thread. Control thread, like all below but the next two.
  void start();

  // Keepers. Puts the marker; remembers the file. Asks no drive while it keeps others from asking.
  void sealing(const storage::Directory& directory, const std::string& pcap) noexcept override;
  void sealed(const storage::Directory& directory, const std::string& pcap, const SealedFile& file) override;
  // Retention, which leaves files that have a marker: one without is not run for any more.
  void removed(const storage::Directory& directory, const std::string& pcap) override;

  void last_call();       // each is tried once more, now, and then left for the next start
  bool finished() const;  // no file is left to be tried
  void stop() noexcept;   // ends what runs

  SealHookCounts counts() const;
  std::optional<std::string> complaint();  // why the last run failed, once

 private:
  using Clock = std::chrono::steady_clock;
  struct Job {
    const storage::Directory* directory;
    std::string pcap;
    bool marked;
    unsigned failures = 0;
    Clock::time_point due{};
  };
  // A directory.
  struct Place {
    std::string path;     // absolute
    bool marked = false;  // the file that is being sealed there has its marker
  };

  void run();
  std::optional<Job> next();
  std::optional<Job> take(Clock::time_point now);
  void find_marked(std::unique_lock<std::mutex>& lock);
  std::vector<Job> marked_files() const;
  void forget_orphans() const;
  void remember(Job job);
  bool has_room() const { return fresh_.size() + failed_.size() < options_.most_waiting; }
  bool knows(const Job& job) const;
  std::size_t index_of(const storage::Directory& directory) const noexcept;
  Place& place_of(const storage::Directory& directory) noexcept { return places_[index_of(directory)]; }
  const std::string& where(const Job& job) const;
  bool is_done(const Job& job) const;
  void forget();                              // the current one
  std::string attempt(const Job& job) const;  // why it failed
  void settle(Job job, std::string failure);
  Clock::duration pause_after(unsigned failures) const;

  SealHookOptions options_;
  std::vector<const storage::Directory*> directories_;
  std::vector<Place> places_;  // by directory
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> fresh_;   // never tried
  std::deque<Job> failed_;  // to be tried again, in the order of their failures
  std::optional<Job> current_;
  std::uint64_t only_on_drive_ = 0;  // marked files that found no room in memory
  std::uint64_t given_up_ = 0;       // for this capture
  bool last_call_ = false;
  bool failed_ones_turn_ = false;
  SealHookCounts counts_;
  std::string complaint_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace wirespool::record
