// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <chrono>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "machine/user.hpp"
#include "plan/capture_plan.hpp"
#include "policy/ledger_bound.hpp"
#include "record/archiving.hpp"
#include "record/listeners.hpp"
#include "record/recorder.hpp"
#include "record/retention.hpp"
#include "record/seal_hook.hpp"
#include "storage/directory.hpp"
#include "storage/directory_lock.hpp"
#include "storage/small_file.hpp"

namespace wirespool::capture {

// The output directories of a capture: locked, capture.json and the ledger in each, and --on-seal. Control thread, but
// for what the keepers' own threads do. Not moved once a Recorder has it as its DriveListener.
class Outputs final : public record::DriveListener {
 public:
  using Clock = std::chrono::steady_clock;

  // Takes the locks; a directory that another capture writes to under the same name is a problem.
  // What is made here is made as `user`, whom the capture becomes later and who outlives this; nullptr: as whoever runs
  // it.
  static std::expected<Outputs, Error> open(const plan::CapturePlan& plan, Timestamp start, const machine::User* user);

  // What a Recorder is made of; then the Recorder itself, whose keepers write the ledgers. It must be destroyed before
  // these directories.
  Timestamp start() const { return start_; }
  const machine::User* user() const { return user_; }
  std::vector<record::RecorderDrive> drives() const;
  std::vector<record::SealListener*> seal_listeners() const;
  void use(record::Recorder& recorder) { recorder_ = &recorder; }

  std::uint64_t lost() const;                  // packets that were stored and are on no drive any more
  std::vector<std::string> take_complaints();  // of all drives, a line each

  // Runs --on-seal, on these CPUs; before the Recorder is made. nullptr if there is no such command.
  void make_seal_hook(const std::vector<unsigned>& cpus);
  void start_seal_hook();  // before the keepers
  record::SealHook* seal_hook() const { return seal_hook_.get(); }

  // Keeps the directories within the --retain limits, if there are any. Made before the Recorder and after --on-seal;
  // starting looks once, so that there is room for the first files, unless a drive hangs.
  void start_retention();
  bool end_retention(Clock::time_point end);  // looks once more; false: it hangs
  const record::Retention* retention() const { return retention_.get(); }

  // Moves sealed files to the archives, if there are any. Made before the Recorder; begins once its lcores run.
  std::expected<void, Error> make_archiving();
  void start_archiving();
  bool end_archiving(Clock::time_point end);  // false: it hangs
  const record::Archiving* archiving() const { return archiving_.get(); }

  // capture.json is replaced whole, the ledger grows by a line. A drive that hangs holds up its own keeper alone: both
  // are there afterwards, but for drives that have not done it by `end`.
  void begin_ledgers(const std::string& capture_json, Clock::time_point end);
  // A ledger that gets too long, or has lines about packets that are all gone, loses its oldest lines.
  void append_ledger(const std::string& line, Timestamp time);
  // After the keepers: the last line, synced. Each directory has until `end`; how many have it.
  std::size_t end_ledgers(const std::string& line, const std::string& capture_json, Clock::time_point end);
  // A drive that failed: its lock and ledger are closed, and opened again when it is back. Its keeper's thread.
  void left(std::size_t drive) override;
  std::expected<void, storage::IoError> back(std::size_t drive) override;
  std::optional<std::string> complaint();  // why a ledger or a capture.json could not be written: the first, once

 private:
  // One directory's, for its keeper's thread.
  struct Ledger {
    explicit Ledger(std::uint64_t most_bytes) : bound(most_bytes) {}
    std::optional<storage::LineLog> log;
    std::string capture_json;  // as it is until the end
    policy::LedgerBound bound;
    std::atomic<unsigned> waiting{0};  // lines its keeper has not come to
    std::uint64_t left_out = 0;        // since the drive hangs: control thread
  };
  struct Complaints {
    std::mutex mutex;
    std::string first;
    bool told = false;
  };

  Outputs() = default;
  std::expected<void, Error> add(const plan::PlannedDrive& drive);
  bool note(std::size_t drive, const std::expected<void, storage::IoError>& done);
  bool write_capture_json(std::size_t drive, const std::string& json);
  void append(std::size_t drive, const std::string& line, Timestamp time);
  std::expected<void, storage::IoError> shorten(std::size_t drive);
  Timestamp oldest_packet() const;

  plan::CapturePlan plan_;
  Timestamp start_;
  const machine::User* user_ = nullptr;
  std::vector<storage::Directory> directories_;
  std::vector<std::optional<storage::DirectoryLock>> locks_;  // by drive
  std::vector<std::unique_ptr<Ledger>> ledgers_;              // by drive
  std::unique_ptr<Complaints> complaints_ = std::make_unique<Complaints>();
  std::unique_ptr<record::SealHook> seal_hook_;
  std::unique_ptr<record::Archiving> archiving_;
  std::unique_ptr<record::Retention> retention_;  // goes first: its threads tell the hook
  record::Recorder* recorder_ = nullptr;
};

}  // namespace wirespool::capture
