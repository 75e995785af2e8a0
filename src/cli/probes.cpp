// SPDX-License-Identifier: BSD-3-Clause
#include "cli/probes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <thread>

#include "cli/errors.hpp"
#include "tools/terminal.hpp"

namespace wirespool::cli {
namespace {

constexpr auto look = std::chrono::milliseconds(200);

// What all services have sent so far, and whether there is still a use for it.
struct Common {
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<bool> in_vain{false};
  std::atomic<unsigned> running{0};
};

// One service and the file its packets go to. `run` is another thread's; the rest is the caller's, before and after.
class Source {
 public:
  Source(std::unique_ptr<serve::Probe> probe, storage::PipeCopy copy)
      : probe_(std::move(probe)), copy_(std::move(copy)) {}

  void run(const tools::ExtractOptions& options, Common& common) {
    done_ = serve::extract_from(*probe_, options, [&](std::span<const std::byte> bytes) {
      if (common.in_vain) return false;
      if (auto kept = copy_.append(bytes); !kept) {
        full_ = storage::as_error(kept.error(), "set TMPDIR to a directory with room");
        return false;
      }
      common.bytes += bytes.size();
      return true;
    });
    if (full_) done_ = std::unexpected(*full_);
    if (!done_ && !common.in_vain.exchange(true)) first_to_fail_ = true;
    --common.running;
  }

  std::optional<Error> failure() const { return first_to_fail_ ? std::optional(done_.error()) : std::nullopt; }
  void add_to(Fetched& fetched) && {
    if (done_->lost) fetched.lost += *done_->lost;
    if (!done_->text.empty()) fetched.missing.push_back(probe_->url() + ": " + done_->text);
    fetched.inputs.add(std::move(copy_), probe_->url());
  }

 private:
  std::unique_ptr<serve::Probe> probe_;
  storage::PipeCopy copy_;
  std::optional<Error> full_;
  std::expected<serve::ProbeMissing, Error> done_;
  bool first_to_fail_ = false;  // others that end after it were told to
};

std::expected<std::vector<std::unique_ptr<Source>>, Error> sources_of(const std::vector<std::string>& places,
                                                                      const serve::ProbeAccess& access) {
  std::vector<std::unique_ptr<Source>> sources;
  for (const auto& place : places) {
    if (!serve::is_probe(place)) continue;
    auto probe = serve::Probe::at(place, access);
    if (!probe) return std::unexpected(probe.error());
    auto copy = storage::PipeCopy::begin(tools::temporary_directory());
    if (!copy) return std::unexpected(storage::as_error(copy.error(), "set TMPDIR to a directory with room"));
    sources.push_back(std::make_unique<Source>(std::move(*probe), std::move(*copy)));
  }
  return sources;
}

void run_all(const std::vector<std::unique_ptr<Source>>& sources, const tools::ExtractOptions& options) {
  const bool terminal = tools::stderr_is_terminal();
  Common common;
  common.running = static_cast<unsigned>(sources.size());
  std::vector<std::jthread> threads;
  for (const auto& source : sources) threads.emplace_back([&] { source->run(options, common); });
  while (common.running > 0) {
    std::this_thread::sleep_for(look);
    if (terminal)
      tell(
          fmt::format("\r{} services elsewhere: {:.1f} MB  ", sources.size(), static_cast<double>(common.bytes) / 1e6));
  }
  if (terminal) tell("\r\x1b[K");
}

}  // namespace

std::expected<Fetched, Error> fetch(const tools::ExtractOptions& options, const serve::ProbeAccess& access) {
  Fetched fetched;
  auto sources = sources_of(options.places, access);
  if (!sources) return std::unexpected(sources.error());
  if (!sources->empty()) run_all(*sources, options);
  for (const auto& source : *sources)
    if (auto failure = source->failure()) return std::unexpected(std::move(*failure));
  for (const auto& place : options.places)
    if (!serve::is_probe(place)) fetched.inputs.add(place);
  for (auto& source : *sources) std::move(*source).add_to(fetched);
  return fetched;
}

std::expected<std::vector<std::pair<std::string, std::string>>, Error> take_lists(std::vector<std::string>& places,
                                                                                  const serve::ProbeAccess& access,
                                                                                  bool json) {
  std::vector<std::pair<std::string, std::string>> lists;
  for (const auto& place : places) {
    if (!serve::is_probe(place)) continue;
    const auto probe = serve::Probe::at(place, access);
    if (!probe) return std::unexpected(probe.error());
    auto list = serve::captures_of(**probe, json);
    if (!list) return std::unexpected(list.error());
    lists.emplace_back(place, std::move(*list));
  }
  std::erase_if(places, serve::is_probe);
  return lists;
}

}  // namespace wirespool::cli
