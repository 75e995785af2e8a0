// SPDX-License-Identifier: BSD-3-Clause
#include "capture/outputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <memory>
#include <semaphore>
#include <span>
#include <utility>

#include "capture/stopping.hpp"
#include "dpdk/clock.hpp"
#include "format/file_name.hpp"
#include "format/ledger_line.hpp"
#include "storage/small_file.hpp"

namespace wirespool::capture {
namespace {

constexpr std::uint64_t preallocate_bytes = 256ull << 20;
constexpr auto longest_first_look = std::chrono::seconds(5);
constexpr unsigned most_waiting_lines = 1'000;  // about two KiB each

// Not where preallocating only moves the cost (memory, network), or is emulated by writing zeros.
bool worth_preallocating(const std::string& file_system) {
  constexpr std::array good{"ext4", "xfs", "btrfs", "f2fs"};
  return std::ranges::find(good, file_system) != good.end();
}

Error explain_lock(const storage::IoError& error, const plan::PlannedDrive& drive) {
  if (error.code == EWOULDBLOCK)
    return {"--output", error.what, "stop that capture, or give this one another --name or --output",
            Error::Kind::not_ready};
  return {"--output", error.message(), fmt::format("check the permissions of {}", drive.path), Error::Kind::not_ready};
}

Error explain_archive(const storage::IoError& error) {
  return {"--archive", error.message(), "mount it, or give a directory that can be written to", Error::Kind::not_ready};
}

}  // namespace

std::expected<Outputs, Error> Outputs::open(const plan::CapturePlan& plan, Timestamp start, const machine::User* user) {
  const machine::FilesAs as_user(user);
  Outputs outputs;
  outputs.plan_ = plan;
  outputs.start_ = start;
  outputs.user_ = user;
  for (const auto& drive : plan.drives)
    if (auto done = outputs.add(drive); !done) return std::unexpected(done.error());
  return outputs;
}

std::expected<void, Error> Outputs::add(const plan::PlannedDrive& drive) {
  auto directory = storage::Directory::open(drive.path);
  if (!directory) return std::unexpected(explain_lock(directory.error(), drive));
  auto lock = storage::DirectoryLock::take(*directory, plan_.config.name);
  if (!lock) return std::unexpected(explain_lock(lock.error(), drive));
  locks_.emplace_back(std::move(*lock));
  directories_.push_back(std::move(*directory));
  ledgers_.push_back(std::make_unique<Ledger>(plan_.config.ledger_size));
  return {};
}

std::uint64_t Outputs::lost() const {
  std::uint64_t packets = 0;
  for (std::size_t i = 0; i < recorder_->drives(); ++i) packets += recorder_->drive(i).lost();
  return packets;
}

std::vector<std::string> Outputs::take_complaints() {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < recorder_->drives(); ++i)
    for (auto& line : recorder_->drive(i).take_complaints()) all.push_back(std::move(line));
  if (retention_) std::ranges::move(retention_->take_complaints(), std::back_inserter(all));
  if (archiving_) std::ranges::move(archiving_->take_complaints(), std::back_inserter(all));
  return all;
}

std::vector<record::RecorderDrive> Outputs::drives() const {
  std::vector<record::RecorderDrive> drives;
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    const auto& planned = plan_.drives[i];
    const bool ahead = worth_preallocating(planned.file_system);
    drives.push_back({.directory = &directories_[i],
                      .block_bytes = planned.block_bytes,
                      .direct_io = planned.direct_io,
                      .preallocate_bytes = ahead ? std::min(preallocate_bytes, plan_.config.rotate_size) : 0});
  }
  return drives;
}

std::vector<record::SealListener*> Outputs::seal_listeners() const {
  std::vector<record::SealListener*> listeners;
  if (seal_hook_) listeners.push_back(seal_hook_.get());
  if (retention_) listeners.push_back(retention_.get());
  if (archiving_) listeners.push_back(archiving_.get());
  return listeners;
}

void Outputs::make_seal_hook(const std::vector<unsigned>& cpus) {
  const auto& config = plan_.config;
  if (config.on_seal.empty()) return;
  std::vector<const storage::Directory*> directories;
  for (const auto& directory : directories_) directories.push_back(&directory);
  seal_hook_ = std::make_unique<record::SealHook>(
      record::SealHookOptions{.command = config.on_seal,
                              .stem = config.name,
                              .timeout = std::chrono::nanoseconds(config.on_seal_timeout_ns),
                              .cpus = cpus,
                              .first_pause = std::chrono::seconds(1),
                              .longest_pause = std::chrono::minutes(1)},
      std::move(directories));
}

void Outputs::start_seal_hook() {
  if (seal_hook_) seal_hook_->start();
}

void Outputs::start_retention() {
  const auto limits = plan::limits_of(plan_.config);
  if (!limits.any() || directories_.empty()) return;
  std::vector<const storage::Directory*> directories;
  for (const auto& directory : directories_) directories.push_back(&directory);
  retention_ = std::make_unique<record::Retention>(
      record::RetentionOptions{.limits = limits, .stem = plan_.config.name, .capture_start = start_}, directories);
  const machine::FilesAs as_user(user_);
  retention_->start(seal_hook_ ? std::vector<record::SealListener*>{seal_hook_.get()}
                               : std::vector<record::SealListener*>{});
  retention_->wait_for_first_look(std::chrono::steady_clock::now() + longest_first_look);
}

bool Outputs::end_retention(Clock::time_point end) {
  if (!retention_) return true;
  retention_->ask_to_stop();
  return retention_->wait_for_end(end);
}

std::expected<void, Error> Outputs::make_archiving() {
  if (plan_.config.archives.empty() || directories_.empty()) return {};
  const machine::FilesAs as_user(user_);
  record::ArchivingOptions options{.stem = plan_.config.name, .archives = {}};
  for (const auto& archive : plan_.config.archives) {
    std::error_code gone;
    options.archives.push_back(std::filesystem::canonical(archive, gone).string());
    if (gone) return std::unexpected(explain_archive({archive, gone.value()}));
  }
  std::vector<const storage::Directory*> directories;
  for (const auto& directory : directories_) directories.push_back(&directory);
  archiving_ = std::make_unique<record::Archiving>(std::move(options), directories);
  if (auto claimed = archiving_->claim(); !claimed) return std::unexpected(explain_archive(claimed.error()));
  return {};
}

void Outputs::start_archiving() {
  if (archiving_) archiving_->start([recorder = recorder_] { return recorder->look(); });
}

bool Outputs::end_archiving(Clock::time_point end) {
  if (!archiving_) return true;
  archiving_->ask_to_stop();
  return archiving_->wait_for_end(end);
}

// ---- the ledgers: each drive's by its keeper's thread, so that one that hangs holds up nobody else

void Outputs::begin_ledgers(const std::string& capture_json, Clock::time_point end) {
  const auto begun = std::make_shared<std::counting_semaphore<>>(0);
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    recorder_->keeper(i).post([this, i, capture_json, begun] {
      ledgers_[i]->capture_json = capture_json;
      auto log = storage::LineLog::create(directories_[i], format::ledger_file_name(plan_.config.name, start_));
      if (log)
        ledgers_[i]->log.emplace(std::move(*log));
      else
        note(i, std::unexpected(log.error()));
      write_capture_json(i, capture_json);
      begun->release();
    });
    recorder_->keeper(i).wake();
  }
  for (std::size_t i = 0; i < directories_.size() && begun->try_acquire_until(end); ++i) continue;
}

void Outputs::left(std::size_t drive) {
  locks_[drive].reset();
  ledgers_[drive]->log.reset();
}

// What of it has not reached the drive is not there any more.
std::expected<void, storage::IoError> Outputs::back(std::size_t drive) {
  const auto& directory = directories_[drive];
  auto& ledger = *ledgers_[drive];
  auto lock = storage::DirectoryLock::take(directory, plan_.config.name);
  if (!lock) return std::unexpected(lock.error());
  auto log = storage::LineLog::resume(directory, format::ledger_file_name(plan_.config.name, start_));
  if (!log) return std::unexpected(log.error());
  const auto name = format::capture_file_name(plan_.config.name, start_);
  if (!storage::is_there(directory, name)) {
    const auto written = storage::write_small_file(directory, name, std::as_bytes(std::span(ledger.capture_json)));
    if (!written) return written;
  }
  locks_[drive].emplace(std::move(*lock));
  ledger.bound.goes_on_at(log->bytes());
  ledger.log.emplace(std::move(*log));
  return {};
}

// A drive that hangs gets at most most_waiting_lines to write later.
void Outputs::append_ledger(const std::string& line, Timestamp time) {
  for (std::size_t i = 0; i < ledgers_.size(); ++i) {
    auto& ledger = *ledgers_[i];
    if (ledger.waiting.load(std::memory_order_acquire) >= most_waiting_lines) {
      if (ledger.left_out++ == 0)
        note(i, std::unexpected(storage::IoError{"appending to the ledger in " + directories_[i].path(), ETIMEDOUT}));
      continue;
    }
    ledger.waiting.fetch_add(1, std::memory_order_relaxed);
    recorder_->keeper(i).post([this, i, line, time] { append(i, line, time); });
  }
}

void Outputs::append(std::size_t drive, const std::string& line, Timestamp time) {
  auto& ledger = *ledgers_[drive];
  if (ledger.log && note(drive, ledger.log->append(line))) {
    ledger.bound.appended(line.size() + 1, time);
    note(drive, shorten(drive));
  }
  ledger.waiting.fetch_sub(1, std::memory_order_release);
}

// What is still written may be older than all that is sealed. A file is ended at its age, or soon after. What went to
// an archive is still to be found: then the oldest packet is not known.
Timestamp Outputs::oldest_packet() const {
  const auto sealed = retention_ && !archiving_ ? retention_->oldest() : Timestamp{};
  if (sealed == Timestamp{}) return sealed;
  const auto now = dpdk::utc_now().ns;
  return {std::min(sealed.ns, now - std::min(now, 2 * plan_.config.rotate_age_ns))};
}

// The first line that stays says how many there were before it. On its keeper's thread.
std::expected<void, storage::IoError> Outputs::shorten(std::size_t drive) {
  auto& ledger = *ledgers_[drive];
  const auto cut = ledger.bound.cut(oldest_packet());
  if (!cut) return {};
  const auto text = ledger.log->line(cut->begin, cut->end - 1);
  if (!text) return std::unexpected(text.error());
  auto line = format::decode_ledger_line(*text);
  if (!line) return std::unexpected(storage::IoError{"reading the ledger in " + directories_[drive].path(), EIO});
  line->lines_gone = cut->lines;
  const auto head = format::encode_ledger_line(*line);
  const auto name = format::ledger_file_name(plan_.config.name, start_);
  auto done = ledger.log->begin_anew(directories_[drive], name, head, cut->end);
  if (done) ledger.bound.done(*cut, head.size() + 1);
  return done;
}

std::size_t Outputs::end_ledgers(const std::string& line, const std::string& capture_json, Clock::time_point end) {
  auto written = std::make_shared<std::atomic<std::size_t>>(0);
  for (std::size_t i = 0; i < ledgers_.size(); ++i) {
    if (!recorder_->keeper(i).ended()) continue;
    const bool in_time = done_by(end, [this, i, line, capture_json, written] {
      auto& log = ledgers_[i]->log;
      const bool whole = log && note(i, log->append(line)) && note(i, log->sync());
      if (write_capture_json(i, capture_json) && whole) written->fetch_add(1);
    });
    if (!in_time)
      note(i, std::unexpected(storage::IoError{"ending the ledger in " + directories_[i].path(), ETIMEDOUT}));
  }
  return written->load();
}

bool Outputs::write_capture_json(std::size_t drive, const std::string& json) {
  const auto name = format::capture_file_name(plan_.config.name, start_);
  return note(drive, storage::write_small_file(directories_[drive], name, std::as_bytes(std::span(json))));
}

// A drive that failed has been reported.
bool Outputs::note(std::size_t drive, const std::expected<void, storage::IoError>& done) {
  if (done) return true;
  if (!recorder_->drive(drive).ok()) return false;
  const std::lock_guard lock(complaints_->mutex);
  if (complaints_->first.empty() && !complaints_->told) complaints_->first = done.error().message();
  return false;
}

std::optional<std::string> Outputs::complaint() {
  const std::lock_guard lock(complaints_->mutex);
  if (complaints_->first.empty()) return std::nullopt;
  complaints_->told = true;
  return std::exchange(complaints_->first, {});
}

}  // namespace wirespool::capture
