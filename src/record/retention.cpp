// SPDX-License-Identifier: BSD-3-Clause
#include "record/retention.hpp"

#include <algorithm>
#include <cassert>
#include <map>

#include "storage/named_file.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::record {
namespace {

using namespace std::chrono_literals;

constexpr auto between_looks = 200ms;  // at the room, if no file is sealed meanwhile
// Before the room is asked for again after files went: XFS frees it in the background (xfs_inodegc), so that it is
// there a moment after the directory was synced.
constexpr auto settling = 30ms;
constexpr auto between_vain_looks = 5s;  // while there is nothing left that may go
constexpr auto index_is_late = 2s;
constexpr unsigned most_quiet_refusals = 25;
constexpr std::size_t most_complaints = 16;

// Which directories are on one file system. One that cannot be asked has its own.
std::vector<std::vector<std::size_t>> by_file_system(const std::vector<const storage::Directory*>& directories) {
  std::vector<std::vector<std::size_t>> groups;
  std::map<std::uint64_t, std::size_t> of_device;
  for (std::size_t i = 0; i < directories.size(); ++i) {
    const auto system = storage::file_system_of(*directories[i]);
    if (!system) {
      groups.push_back({i});
      continue;
    }
    const auto [group, added] = of_device.try_emplace(system->device, groups.size());
    if (added) groups.emplace_back();
    groups[group->second].push_back(i);
  }
  return groups;
}

}  // namespace

// The directories of one file system, and the thread that looks after them.
class Retention::Watch {
 public:
  using Clock = std::chrono::steady_clock;

  Watch(const RetentionOptions& options, std::vector<const storage::Directory*> directories)
      : limits_(options.limits),
        directories_(std::move(directories)),
        retainer_(directories_, options.stem, options.limits, options.capture_start),
        counts_(directories_.size()) {}
  ~Watch() {
    ask_to_stop();
    if (thread_.joinable()) thread_.join();
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  bool has(const storage::Directory& directory) const noexcept {
    return std::ranges::find(directories_, &directory) != directories_.end();
  }
  void start(std::vector<SealListener*> told) {
    told_ = std::move(told);
    ended_.store(false, std::memory_order_relaxed);
    thread_ = std::thread(&Watch::run, this);
  }
  void ask_to_stop() noexcept {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_one();
  }
  bool ended() const noexcept { return ended_.load(std::memory_order_acquire); }
  bool looked() const noexcept { return looked_.load(std::memory_order_acquire); }
  template <typename Done>
  void wait_until(Clock::time_point end, Done done) const {
    while (!done(*this) && Clock::now() < end) std::this_thread::sleep_for(1ms);
  }
  Timestamp oldest() const noexcept { return {oldest_ns_.load(std::memory_order_acquire)}; }

  void sealed(const storage::Directory& directory, const std::string& pcap, const SealedFile& file) {
    {
      const std::lock_guard lock(mutex_);
      fresh_.push_back({index_of(directory), pcap, file});
    }
    changed_.notify_one();
  }

  RetentionCounts counts(const storage::Directory& directory) const {
    const std::lock_guard lock(mutex_);
    return counts_[index_of(directory)];
  }
  void take_complaints(std::vector<std::string>& into) {
    const std::lock_guard lock(mutex_);
    std::ranges::move(complaints_, std::back_inserter(into));
    complaints_.clear();
  }

 private:
  struct Fresh {
    std::size_t directory;
    std::string pcap;
    SealedFile file;
  };

  std::size_t index_of(const storage::Directory& directory) const noexcept {
    return static_cast<std::size_t>(std::ranges::find(directories_, &directory) - directories_.begin());
  }

  void run() {
    while (wait()) {
      if (!due()) continue;
      if (look()) std::this_thread::sleep_for(settling);
    }
    (void)take_fresh();
    look();
    ended_.store(true, std::memory_order_release);
  }

  // False: it is to end.
  bool wait() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, between_looks, [this] { return stop_ || !fresh_.empty(); });
    return !stop_;
  }

  // What was sealed since; whether anything was.
  bool take_fresh() {
    std::vector<Fresh> fresh;
    {
      const std::lock_guard lock(mutex_);
      fresh.swap(fresh_);
    }
    for (const auto& one : fresh) {
      retainer_.shelf(one.directory).know(one.pcap, {one.file.last, one.file.tally.packets, one.file.tally.bytes});
      if (!pass_) continue;
      pass_->left[one.directory].bytes += one.file.length;
      if (pass_->oldest == Timestamp{}) pass_->oldest = one.file.last;
      oldest_ns_.store(std::min(oldest_ns_.load(), one.file.first.ns), std::memory_order_release);
    }
    return !fresh.empty();
  }

  // Whether anything may have to go. What others removed meanwhile is still counted here: it is looked at then.
  bool due() {
    const bool fresh = take_fresh();
    if (!pass_) return true;
    const auto too_much = [this](const auto& left) { return limits_.size_bytes && left.bytes > *limits_.size_bytes; };
    if (std::ranges::any_of(pass_->left, too_much)) return true;
    const auto now = time_now();
    const auto oldest = pass_->oldest;
    if (limits_.age_ns && oldest != Timestamp{} && now > oldest && now.ns - oldest.ns > *limits_.age_ns) return true;
    if (!limits_.of_free() || (in_vain() && !fresh)) return false;
    const auto system = storage::file_system_of(*directories_.front());
    return system && system->free < policy::bytes_to_stay_free(limits_, system->total);
  }

  bool in_vain() const { return pass_->missing_bytes != 0 && Clock::now() < last_look_ + between_vain_looks; }

  // Whether anything went.
  bool look() {
    using Retainer = keep::Retainer;
    const auto told = [this](const storage::Directory& directory, const std::string& pcap) {
      for (auto* const listener : told_) listener->removed(directory, pcap);
    };
    auto pass = retainer_.pass(time_now(), Retainer::Mode::remove, storage::Directory::Turn::at_once, told);
    last_look_ = Clock::now();
    looked_.store(true, std::memory_order_release);
    if (!pass) {
      if (++refusals_ == most_quiet_refusals) complain(pass.error().message());
      return false;
    }
    refusals_ = 0;
    note(*pass);
    const bool any = !pass->removed.empty();
    oldest_ns_.store(pass->first.ns, std::memory_order_release);
    pass->removed.clear();
    pass_ = std::move(*pass);
    return any;
  }

  void note(const keep::RetainPass& pass) {
    {
      const std::lock_guard lock(mutex_);
      for (const auto& removed : pass.removed) {
        auto& counts = counts_[index_of(*removed.directory)];
        counts.files += 1;
        counts.packets += removed.file.packets;
        counts.bytes += removed.file.bytes;
      }
    }
    for (const auto& problem : pass.problems) complain(problem);
    const bool short_before = pass_ && pass_->missing_bytes != 0;
    if (pass.missing_bytes != 0 && !short_before)
      complain(std::to_string(pass.missing_bytes) +
               " bytes less than asked for are free, and nothing is left that may go" + held_text(pass));
    tell_of_unknown(pass);
  }

  // A file gets its name a moment before its index.
  void tell_of_unknown(const keep::RetainPass& pass) {
    const auto now = Clock::now();
    std::map<std::string, Clock::time_point> since;
    std::size_t for_good = 0;
    for (const auto& name : pass.of_unknown_age) {
      const auto before = unknown_.find(name);
      const auto first = before == unknown_.end() ? now : before->second;
      since.emplace(name, first);
      if (now - first > index_is_late) ++for_good;
    }
    unknown_ = std::move(since);
    if (for_good > told_unknown_)
      complain(std::to_string(for_good) +
               " files have no index of their own, so nobody knows how old they are: they stay: wirespool index");
    told_unknown_ = for_good;
  }

  static std::string held_text(const keep::RetainPass& pass) {
    std::string text;
    for (std::size_t i = 1; i < keep::holds; ++i)
      if (pass.held[i].files != 0)
        text += (text.empty() ? ": " : ", ") + std::to_string(pass.held[i].files) + " files are " +
                to_string(static_cast<keep::Hold>(i));
    return text;
  }

  void complain(const std::string& what) {
    const std::lock_guard lock(mutex_);
    if (complaints_.size() < most_complaints)
      complaints_.push_back("retention: " + directories_.front()->path() + ": " + what);
  }

  const policy::RetainLimits limits_;
  const std::vector<const storage::Directory*> directories_;
  std::vector<SealListener*> told_;

  // The thread's own.
  keep::Retainer retainer_;
  std::optional<keep::RetainPass> pass_;  // the last one, and what was sealed since
  Clock::time_point last_look_{};
  unsigned refusals_ = 0;
  std::map<std::string, Clock::time_point> unknown_;  // files without an index, since when
  std::size_t told_unknown_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Fresh> fresh_;
  std::vector<RetentionCounts> counts_;  // by directory
  std::vector<std::string> complaints_;
  bool stop_ = false;

  std::atomic<std::uint64_t> oldest_ns_{0};
  std::atomic<bool> looked_{false}, ended_{true};
  std::thread thread_;
};

Retention::Retention(RetentionOptions options, const std::vector<const storage::Directory*>& directories)
    : directories_(directories) {
  for (const auto& group : by_file_system(directories)) {
    std::vector<const storage::Directory*> its;
    for (const auto i : group) its.push_back(directories[i]);
    watches_.push_back(std::make_unique<Watch>(options, std::move(its)));
  }
}

Retention::~Retention() = default;

Retention::Watch& Retention::watch_of(const storage::Directory& directory) const noexcept {
  const auto found = std::ranges::find_if(watches_, [&](const auto& watch) { return watch->has(directory); });
  assert(found != watches_.end());
  return **found;
}

void Retention::start(std::vector<SealListener*> told) {
  for (auto& watch : watches_) watch->start(told);
}

void Retention::ask_to_stop() noexcept {
  for (auto& watch : watches_) watch->ask_to_stop();
}

void Retention::wait_for_first_look(Clock::time_point end) const {
  for (const auto& watch : watches_) watch->wait_until(end, [](const Watch& at) { return at.looked(); });
}

bool Retention::wait_for_end(Clock::time_point end) const {
  for (const auto& watch : watches_) watch->wait_until(end, [](const Watch& at) { return at.ended(); });
  return std::ranges::all_of(watches_, [](const auto& watch) { return watch->ended(); });
}

RetentionCounts Retention::counts(std::size_t directory) const {
  return watch_of(*directories_[directory]).counts(*directories_[directory]);
}

Timestamp Retention::oldest() const noexcept {
  Timestamp oldest{UINT64_MAX};
  for (const auto& watch : watches_) oldest = std::min(oldest, watch->oldest());
  return oldest;
}

std::vector<std::string> Retention::take_complaints() {
  std::vector<std::string> all;
  for (auto& watch : watches_) watch->take_complaints(all);
  return all;
}

void Retention::sealed(const storage::Directory& directory, const std::string& pcap, const SealedFile& file) {
  watch_of(directory).sealed(directory, pcap, file);
}

}  // namespace wirespool::record
