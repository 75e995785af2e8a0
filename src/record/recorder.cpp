// SPDX-License-Identifier: BSD-3-Clause
#include "record/recorder.hpp"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

namespace wirespool::record {
namespace {

std::optional<std::uint64_t> live_flush_age(const RecorderOptions& options) {
  return options.tells_readers ? std::optional(options.flush_age_ns) : std::nullopt;
}

}  // namespace

Recorder::Recorder(RecorderOptions options, std::vector<RecorderDrive> drives, std::vector<WriterOptions> writers)
    : planned_(std::move(writers)) {
  for (const auto& writer : planned_) slots_.emplace_back(shape_of(options, writer).files());
  for (const auto& drive : drives) {
    drives_.push_back(std::make_unique<Drive>(drive.directory->path(), drive.block_bytes));
    make_keeper(options, drive);
  }
  for (std::size_t i = 0; i < planned_.size(); ++i)
    writers_.push_back(std::make_unique<Writer>(options, planned_[i], drives_of(planned_[i]), slots_[i]));
}

std::vector<policy::DriveLook> Recorder::look() const {
  std::vector<policy::DriveLook> looks(drives_.size());
  for (std::size_t i = 0; i < drives_.size(); ++i) looks[i].load = drives_[i]->load();
  for (std::size_t writer = 0; writer < writers_.size(); ++writer)
    for (std::size_t own = 0; own < planned_[writer].drives.size(); ++own) {
      const auto& counters = writers_[writer]->drive_counters[own];
      looks[planned_[writer].drives[own]].waits += counters.waits.get();
      looks[planned_[writer].drives[own]].blocks += counters.blocks.get();
    }
  for (std::size_t i = 0; i < drives_.size(); ++i)
    if (drives_[i]->state() == DriveState::failed) looks[i] = {};
  return looks;
}

Recorder::~Recorder() {
  for (auto& keeper : keepers_) keeper->stop();
}

void Recorder::make_keeper(const RecorderOptions& options, const RecorderDrive& drive) {
  const auto number = drives_.size() - 1;
  const auto writes_there = [number](const WriterOptions& writer) {
    return std::ranges::find(writer.drives, number) != writer.drives.end();
  };
  const auto writers = std::ranges::count_if(planned_, writes_there);
  keepers_.push_back(std::make_unique<FileKeeper>(FileKeeperOptions{.stem = options.stem,
                                                                    .capture_start = options.capture_start,
                                                                    .direct_io = drive.direct_io,
                                                                    .preallocate_bytes = drive.preallocate_bytes,
                                                                    .write_index = options.write_index,
                                                                    .block_bytes = options.block_bytes,
                                                                    .clock = options.clock,
                                                                    .sync_age = options.sync_age,
                                                                    .listeners = options.seal_listeners,
                                                                    .layout = options.layout,
                                                                    .writers = static_cast<std::uint32_t>(writers),
                                                                    .drive_listener = options.drive_listener,
                                                                    .number = number,
                                                                    .live_flush_age_ns = live_flush_age(options)},
                                                  *drives_.back(), *drive.directory, slots_on(number)));
}

// Lanes go over a writer's drives in turn.
std::vector<FileSlot*> Recorder::slots_on(std::size_t drive) {
  std::vector<FileSlot*> mine;
  for (std::size_t writer = 0; writer < slots_.size(); ++writer) {
    const auto& its = planned_[writer].drives;
    for (std::size_t i = 0; i < slots_[writer].size(); ++i)
      if (its[i / policy::WriterShape::files_per_lane % its.size()] == drive) mine.push_back(&slots_[writer][i]);
  }
  return mine;
}

std::vector<WriterDrive> Recorder::drives_of(const WriterOptions& writer) {
  std::vector<WriterDrive> its;
  for (const auto drive : writer.drives)
    its.push_back({.drive = drives_[drive].get(), .keeper = keepers_[drive].get()});
  return its;
}

std::expected<void, storage::IoError> Recorder::open_first_files() {
  for (auto& keeper : keepers_)
    while (keeper->work() != 0) continue;
  for (auto& slots : slots_)
    for (auto& slot : slots)
      if (slot.state.load(std::memory_order_acquire) == FileSlot::State::refused) return std::unexpected(slot.error);
  return {};
}

void Recorder::start_keepers() {
  for (auto& keeper : keepers_) keeper->start();
}

std::vector<std::string> Recorder::stop_keepers(Clock::time_point end) {
  std::vector<std::string> hanging;
  for (auto& keeper : keepers_) keeper->ask_to_stop();
  for (std::size_t i = 0; i < keepers_.size(); ++i) {
    while (!keepers_[i]->ended() && Clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (keepers_[i]->ended())
      keepers_[i]->stop();
    else
      hanging.push_back(drives_[i]->path());
  }
  return hanging;
}

void Recorder::discard_unused_files() {
  for (auto& writer : writers_) writer->sink().discard_unused_files();
}

void Recorder::count_unsealed() {
  for (auto& keeper : keepers_) keeper->count_unsealed();
}

}  // namespace wirespool::record
