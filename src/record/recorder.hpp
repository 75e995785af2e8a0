// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "policy/archiving.hpp"
#include "record/drive.hpp"
#include "record/file_keeper.hpp"
#include "record/file_slot.hpp"
#include "record/recorder_options.hpp"
#include "record/writer.hpp"
#include "storage/io_error.hpp"

namespace wirespool::record {

// All that turns packets into files: drives with their keepers, and writers with their Blocks, file slots, sinks and
// Appenders. Takes all its memory when it is made, but for what it is given. Made and ended by the control thread; each
// writer is for its lcore, each keeper works on its own thread once started.
class Recorder {
 public:
  Recorder(RecorderOptions options, std::vector<RecorderDrive> drives, std::vector<WriterOptions> writers);
  ~Recorder();  // ends the keepers; lcores have ended
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  std::size_t drives() const { return drives_.size(); }
  Drive& drive(std::size_t i) { return *drives_[i]; }
  const Drive& drive(std::size_t i) const { return *drives_[i]; }
  FileKeeper& keeper(std::size_t i) { return *keepers_[i]; }
  std::size_t writers() const { return writers_.size(); }
  Writer& writer(std::size_t i) { return *writers_[i]; }
  const Writer& writer(std::size_t i) const { return *writers_[i]; }

  // What the drives report now, those that failed left out as idle. Any thread, as long as there is a Recorder.
  std::vector<policy::DriveLook> look() const;

  // Opens the files that were asked for by hand, before the keepers' threads run: why a drive cannot even begin.
  std::expected<void, storage::IoError> open_first_files();

  using Clock = std::chrono::steady_clock;
  void start_keepers();
  // Those that ended are joined; one that hangs in its drive is not waited for any longer than `end`. Paths of drives
  // whose keeper hangs.
  std::vector<std::string> stop_keepers(Clock::time_point end);
  void discard_unused_files();  // after the lcores and the keepers have ended
  void count_unsealed();        // what is in files that were not sealed is called unsynced

 private:
  std::vector<FileSlot*> slots_on(std::size_t drive);
  std::vector<WriterDrive> drives_of(const WriterOptions& writer);
  void make_keeper(const RecorderOptions& options, const RecorderDrive& drive);

  std::vector<std::unique_ptr<Drive>> drives_;
  std::vector<WriterOptions> planned_;
  std::vector<std::vector<FileSlot>> slots_;  // by writer, then lane by lane
  std::vector<std::unique_ptr<FileKeeper>> keepers_;
  std::vector<std::unique_ptr<Writer>> writers_;
};

}  // namespace wirespool::record
