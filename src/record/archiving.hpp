// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <expected>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "keep/mover.hpp"
#include "keep/shelf.hpp"
#include "policy/archiving.hpp"
#include "record/listeners.hpp"
#include "storage/directory.hpp"

namespace wirespool::record {

struct ArchivingOptions {
  std::string stem;                   // of the files that are this capture's business, as for Retention
  std::vector<std::string> archives;  // absolute paths
  std::chrono::nanoseconds quiet = std::chrono::seconds(10);  // so long no Block may have waited
  std::chrono::nanoseconds again_after =
      std::chrono::seconds(30);                                    // when an archive that was full or gone is looked at
  std::chrono::nanoseconds slow_after = std::chrono::seconds(10);  // how long 4 MiB may take before somebody is told
};

// One archive, for the ledger.
struct ArchiveCounts {
  std::string path;
  std::string state;                                // ok full failed slow
  std::string why = {};                             // if not ok
  std::uint64_t files = 0, packets = 0, bytes = 0;  // moved there since the start; bytes of packets
};

// Moves sealed files from the output directories into archives while the drives are calm, those with the oldest packets
// first, one at a time. A thread of its own, besides retention's: an archive that hangs holds up nothing else, least
// of all what makes room on the drives. Files that are held (keep::Hold) stay.
class Archiving final : public SealListener {
 public:
  using Clock = std::chrono::steady_clock;

  // `directories` outlive it.
  Archiving(ArchivingOptions options, const std::vector<const storage::Directory*>& directories);
  ~Archiving() override;
  Archiving(const Archiving&) = delete;
  Archiving& operator=(const Archiving&) = delete;

  // Makes archives of the directories (keep::claim_archive). Before start().
  std::expected<void, storage::IoError> claim() const;

  // `look`: what the drives report now; called on the thread here until it ends. Control thread, like all below.
  void start(std::function<std::vector<policy::DriveLook>()> look);
  void ask_to_stop() noexcept;                     // a copy under way is taken back
  bool wait_for_end(Clock::time_point end) const;  // false: it hangs in a drive or an archive

  std::vector<ArchiveCounts> counts() const;
  std::vector<std::string> take_complaints();

  // Keepers.
  void sealing(const storage::Directory&, const std::string&) noexcept override {}
  void sealed(const storage::Directory& directory, const std::string& pcap, const SealedFile& file) override;
  void removed(const storage::Directory&, const std::string&) override {}

 private:
  struct Archive {
    ArchiveCounts counts;
    Clock::time_point again = {};  // not looked at before
  };
  struct Waiting {
    std::size_t drive;
    keep::ShelfFile file;
  };

  void run();
  bool go_on();  // for the Mover: waits while the drives are not calm; false: it is to end
  bool pause();  // until the next look; false: it is to end
  bool look();   // whether the drives are calm
  void list();
  bool any_to_try() const;
  bool move_one();
  std::optional<std::size_t> choose(std::uint64_t bytes);
  std::uint64_t free_in(Archive& archive);
  void judge(Archive& archive, const std::string& path, const keep::NotMoved& problem);
  void leave_out(Archive& archive, const char* state, const std::string& why);
  void complain(const std::string& what);

  const ArchivingOptions options_;

  // The thread's own.
  std::function<std::vector<policy::DriveLook>()> look_;
  policy::Calm calm_;
  bool is_calm_ = false;
  Clock::time_point last_look_ = {}, last_list_ = {};
  std::vector<keep::Shelf> shelves_;
  std::vector<Waiting> waiting_;      // the next one last
  std::set<std::string> left_alone_;  // paths of files that could not be moved, told
  keep::Mover mover_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;
  bool fresh_ = true;  // files may have been sealed since the last list
  std::vector<Archive> archives_;
  std::vector<std::string> complaints_;
  std::string moving_to_;  // an archive, while a piece is under way
  std::optional<Clock::time_point> piece_began_;
  bool slow_told_ = false;

  std::atomic<bool> ended_{true};
  std::thread thread_;
};

}  // namespace wirespool::record
