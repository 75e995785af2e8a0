// SPDX-License-Identifier: BSD-3-Clause
#include "record/seal_hook.hpp"

#include <algorithm>
#include <filesystem>

#include "format/file_name.hpp"
#include "machine/command.hpp"
#include "storage/small_file.hpp"

namespace wirespool::record {
namespace {

constexpr auto look = std::chrono::milliseconds(50);  // how often a running command is looked at

// `where` is the directory, absolute.
machine::CommandLine command_line(const SealHookOptions& options, const storage::Directory& directory,
                                  const std::filesystem::path& where, const std::string& pcap) {
  machine::CommandLine line{options.command, (where / pcap).string(), {}};
  line.variables = {"WIRESPOOL_FILE=" + line.argument, "WIRESPOOL_NAME=" + options.stem};
  const auto index = format::index_file_name(pcap);
  line.variables.push_back("WIRESPOOL_INDEX=" + (is_there(directory, index) ? (where / index).string() : ""));
  return line;
}

// The pcaps that a marker names, there or not.
std::vector<std::string> marked_in(const storage::Directory& directory, const std::string& stem) {
  std::vector<std::string> found;
  std::error_code unreadable;
  std::filesystem::directory_iterator at(directory.path(), unreadable);
  for (; !unreadable && at != std::filesystem::directory_iterator(); at.increment(unreadable)) {
    auto pcap = format::pcap_of_pending_file(at->path().filename().string());
    if (pcap && format::parse_file_name(*pcap)->stem == stem) found.push_back(std::move(*pcap));
  }
  return found;
}

}  // namespace

SealHook::SealHook(SealHookOptions options, std::vector<const storage::Directory*> directories)
    : options_(std::move(options)), directories_(std::move(directories)) {
  for (const auto* directory : directories_) {
    std::error_code lost;  // then as it was given
    const auto path = std::filesystem::absolute(directory->path(), lost).lexically_normal().string();
    places_.push_back({lost ? directory->path() : path});
  }
}

std::size_t SealHook::index_of(const storage::Directory& directory) const noexcept {
  return static_cast<std::size_t>(std::ranges::find(directories_, &directory) - directories_.begin());
}

// Where it was when the capture began: the working directory may be gone when a file is sealed.
const std::string& SealHook::where(const Job& job) const { return places_[index_of(*job.directory)].path; }

SealHook::~SealHook() { stop(); }

void SealHook::start() {
  forget_orphans();
  {
    std::unique_lock lock(mutex_);
    find_marked(lock);
  }
  thread_ = std::thread(&SealHook::run, this);
}

void SealHook::sealing(const storage::Directory& directory, const std::string& pcap) noexcept {
  const bool marked = storage::put_marker(directory, format::pending_file_name(pcap));
  const std::lock_guard lock(mutex_);
  place_of(directory).marked = marked;
}

void SealHook::sealed(const storage::Directory& directory, const std::string& pcap, const SealedFile&) {
  const std::lock_guard lock(mutex_);
  Job job{&directory, pcap, place_of(directory).marked};
  if (knows(job)) return;
  remember(std::move(job));
  changed_.notify_one();
}

void SealHook::removed(const storage::Directory& directory, const std::string& pcap) {
  const std::lock_guard lock(mutex_);
  const auto same = [&](const Job& job) { return job.directory == &directory && job.pcap == pcap; };
  std::erase_if(fresh_, same);
  std::erase_if(failed_, same);
}

void SealHook::last_call() {
  const std::lock_guard lock(mutex_);
  last_call_ = true;
  for (auto& job : failed_) job.due = {};
  changed_.notify_one();
}

bool SealHook::finished() const {
  const std::lock_guard lock(mutex_);
  return fresh_.empty() && failed_.empty() && !current_ && (only_on_drive_ == 0 || last_call_);
}

void SealHook::stop() noexcept {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_.store(true, std::memory_order_relaxed);
  }
  changed_.notify_one();
  thread_.join();
}

SealHookCounts SealHook::counts() const {
  const std::lock_guard lock(mutex_);
  auto counts = counts_;
  counts.pending = fresh_.size() + failed_.size() + (current_ ? 1 : 0) + only_on_drive_ + given_up_;
  return counts;
}

std::optional<std::string> SealHook::complaint() {
  const std::lock_guard lock(mutex_);
  if (complaint_.empty()) return std::nullopt;
  return std::exchange(complaint_, {});
}

void SealHook::run() {
  machine::stay_in_background(options_.cpus);
  while (auto job = next()) {
    if (is_done(*job)) {
      forget();
      continue;
    }
    auto failure = attempt(*job);
    if (stop_.load(std::memory_order_relaxed) && !failure.empty()) return;  // it was we who ended it
    settle(std::move(*job), std::move(failure));
  }
}

std::optional<SealHook::Job> SealHook::next() {
  std::unique_lock lock(mutex_);
  while (!stop_.load(std::memory_order_relaxed)) {
    if (auto job = take(Clock::now())) return current_ = std::move(job);
    if (only_on_drive_ > 0 && !last_call_ && has_room())
      find_marked(lock);
    else if (failed_.empty())
      changed_.wait(lock);
    else
      changed_.wait_until(lock, failed_.front().due);
  }
  return std::nullopt;
}

// New files and those that failed before take turns, so that neither keeps the other waiting.
std::optional<SealHook::Job> SealHook::take(Clock::time_point now) {
  const bool due = !failed_.empty() && failed_.front().due <= now;
  if (!due && fresh_.empty()) return std::nullopt;
  auto& from = due && (failed_ones_turn_ || fresh_.empty()) ? failed_ : fresh_;
  failed_ones_turn_ = &from == &fresh_;
  Job job = std::move(from.front());
  from.pop_front();
  return job;
}

// Keepers are not kept waiting while directories are read. What they tell of meanwhile may have been found as well: it
// is counted twice until the next look, which the count itself brings about.
void SealHook::find_marked(std::unique_lock<std::mutex>& lock) {
  const auto before = only_on_drive_;
  lock.unlock();
  auto found = marked_files();
  lock.lock();
  only_on_drive_ -= before;
  for (auto& job : found)
    if (!knows(job)) remember(std::move(job));
}

// A file that is announced and has no name yet is reported by its keeper.
std::vector<SealHook::Job> SealHook::marked_files() const {
  std::vector<Job> found;
  for (const auto* directory : directories_)
    for (auto& pcap : marked_in(*directory, options_.stem))
      if (storage::is_there(*directory, pcap)) found.push_back({directory, std::move(pcap), true});
  std::ranges::sort(found, {}, &Job::pcap);
  return found;
}

// Markers without a file: a capture ended before it could give the file its name, or somebody took the file away.
void SealHook::forget_orphans() const {
  for (const auto* directory : directories_)
    for (const auto& pcap : marked_in(*directory, options_.stem))
      if (!storage::is_there(*directory, pcap)) storage::remove_marker(*directory, format::pending_file_name(pcap));
}

void SealHook::remember(Job job) {
  if (has_room())
    fresh_.push_back(std::move(job));
  else if (job.marked)
    ++only_on_drive_;
  else
    ++given_up_;
}

bool SealHook::knows(const Job& job) const {
  const auto same = [&](const Job& other) { return other.directory == job.directory && other.pcap == job.pcap; };
  return (current_ && same(*current_)) || std::ranges::any_of(fresh_, same) || std::ranges::any_of(failed_, same);
}

// A file that was found by its marker before it was told of: then the marker is gone by now. Here, on the hook's own
// thread, as the drive that is asked may hang.
bool SealHook::is_done(const Job& job) const {
  return job.failures == 0 && job.marked && !storage::is_there(*job.directory, format::pending_file_name(job.pcap));
}

void SealHook::forget() {
  const std::lock_guard lock(mutex_);
  current_.reset();
}

std::string SealHook::attempt(const Job& job) const {
  if (!storage::is_there(*job.directory, job.pcap)) return "";
  auto command = machine::Command::start(command_line(options_, *job.directory, where(job), job.pcap));
  if (!command) return command.error().message();
  const auto deadline = Clock::now() + options_.timeout;
  while (!stop_.load(std::memory_order_relaxed) && Clock::now() < deadline)
    if (auto verdict = command->wait(look)) return *verdict;
  command->end();
  return "it took too long and was ended";
}

void SealHook::settle(Job job, std::string failure) {
  if (failure.empty() && job.marked) storage::remove_marker(*job.directory, format::pending_file_name(job.pcap));
  const std::lock_guard lock(mutex_);
  current_.reset();
  if (failure.empty()) {
    ++counts_.done;
    return;
  }
  ++counts_.failed;
  complaint_ = where(job) + "/" + job.pcap + ": " + failure;
  if (last_call_) {
    ++given_up_;
    return;
  }
  job.due = Clock::now() + pause_after(job.failures++);
  failed_.insert(std::ranges::upper_bound(failed_, job.due, {}, &Job::due), std::move(job));
}

SealHook::Clock::duration SealHook::pause_after(unsigned failures) const {
  const auto doubled = options_.first_pause * (1ll << std::min(failures, 30u));
  return std::min<std::chrono::nanoseconds>(doubled, options_.longest_pause);
}

}  // namespace wirespool::record
