// SPDX-License-Identifier: BSD-3-Clause
#include "tools/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <map>
#include <tuple>

#include "keep/removals.hpp"
#include "stats/ledger.hpp"
#include "tools/capture_group.hpp"

namespace wirespool::tools {
namespace {

using Verdicts = std::map<std::string, const FileVerdict*>;

// The sums over a capture's files, if all of them could be read.
struct Held {
  std::uint64_t removed_files = 0, removed_packets = 0;  // by retention: they count as if they were there
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  bool sure = true;
  bool tells_losses = true;  // every file has statistics of its interfaces
  format::MissingPackets missing;
};

void add_removed(const CaptureGroup& group, Held& held) {
  for (const auto& directory : group.directories) {
    std::string problem;
    const auto removed = keep::read_removed(directory, group.stem, group.start, problem);
    held.sure &= problem.empty();
    if (!removed) continue;
    held.removed_files += removed->files;
    held.removed_packets += removed->packets;
    held.packets += removed->packets;
    held.bytes += removed->bytes;
  }
}

Held held_by(const CaptureGroup& group, const Verdicts& verdicts) {
  Held held;
  for (const auto* file : group.files) {
    const auto verdict = verdicts.find(file->path);
    if (verdict == verdicts.end() || !verdict->second->problems.empty()) {
      held.sure = false;
      continue;
    }
    held.tells_losses = held.tells_losses && verdict->second->tells_sources;
    held.missing += verdict->second->missing;
    held.packets += verdict->second->packets;
    held.bytes += verdict->second->bytes;
  }
  add_removed(group, held);
  return held;
}

// A failing drive may have written more than it reported. Those packets were stored on another drive as well (rehomed)
// or counted as lost (drop_drive); if `repair` brings them back, the files hold more than the ledger calls stored.
std::string known_surplus(const Held& held, const format::Totals& totals) {
  const auto most = totals.rehomed + totals.drop_drive;
  if (held.packets <= totals.stored || held.bytes < totals.stored_bytes || held.packets - totals.stored > most)
    return {};
  return fmt::format(
      "its files hold {} packets more than the {} its ledger calls stored: a failed drive had taken them before they "
      "were stored on another one (rehomed {}) or given up (drop_drive {}); those of the first kind are there twice",
      held.packets - totals.stored, totals.stored, totals.rehomed, totals.drop_drive);
}

// Each loss is recorded in one file only, so the files' sum is the ledger's, except for losses after the last packet of
// the last file.
void compare_losses(const Held& held, const stats::Losses& losses, CaptureVerdict& verdict) {
  const std::array causes{std::tuple{"nic_missed", held.missing.nic_missed, losses.nic_missed.packets},
                          std::tuple{"nic_errors", held.missing.nic_errors, losses.nic_errors.packets},
                          std::tuple{"nic_other", held.missing.nic_other, losses.nic_other.packets},
                          std::tuple{"no_mbuf", held.missing.no_mbuf, losses.no_mbuf.packets},
                          std::tuple{"drop_handoff", held.missing.drop_handoff, losses.drop_handoff}};
  std::string untold;
  for (const auto& [cause, told, lost] : causes) {
    if (told > lost)
      verdict.problems.push_back(
          fmt::format("its files tell of {} packets lost ({}), its ledger of {}", told, cause, lost));
    if (told < lost) untold += fmt::format(" {} {}", cause, lost - told);
  }
  if (losses.drop_drive > 0) untold += fmt::format(" drop_drive {}", losses.drop_drive);
  if (!untold.empty())
    verdict.notices.push_back("lost where no packet followed, so that only its ledger tells, and none of its files:" +
                              untold);
}

// Reports what the capture lost, as far as it was counted, and what was not counted.
void tell_losses(const format::LedgerLine& final, CaptureVerdict& verdict) {
  const auto losses = stats::losses_of(final);
  if (losses.sum() > 0)
    verdict.notices.push_back(fmt::format("it lost {} packets:{}", losses.sum(), stats::counted_losses(losses)));
  if (losses.any_unknown())
    verdict.notices.push_back(fmt::format(
        "it may have lost more: nobody counted{} (not_counted in its ledger says why)", stats::unknown_losses(losses)));
  for (const auto& port : final.ports)
    if (port.stats_failed)
      verdict.notices.push_back(fmt::format("it may have lost more: port {} {} did not tell its statistics at the end",
                                            port.port, port.name));
}

void count_up(const CaptureGroup& group, const format::Totals& totals, const Verdicts& verdicts,
              CaptureVerdict& verdict) {
  if (!group.plan) return;  // reported as a problem of its own
  if (!group.whole()) {
    verdict.notices.push_back(
        fmt::format("it wrote to {} directories, {} of them were looked at: its files are not counted up",
                    group.plan->drives, group.directories.size()));
    return;
  }
  const auto held = held_by(group, verdicts);
  if (held.removed_files > 0)
    verdict.notices.push_back(
        fmt::format("retention removed {} of its files with {} packets", held.removed_files, held.removed_packets));
  else if (held.sure && held.tells_losses && !group.files.empty())
    compare_losses(held, stats::losses_of(*group.final), verdict);
  if (!held.sure || (held.packets == totals.stored && held.bytes == totals.stored_bytes)) return;
  if (auto known = known_surplus(held, totals); !known.empty())
    verdict.notices.push_back(std::move(known));
  else
    verdict.problems.push_back(
        fmt::format("its ledger tells of {} packets with {} bytes stored, its files hold {} with {}", totals.stored,
                    totals.stored_bytes, held.packets, held.bytes));
}

void check_final(const CaptureGroup& group, const Verdicts& verdicts, CaptureVerdict& verdict) {
  if (const auto wrong = stats::imbalance(*group.final); !wrong.empty())
    verdict.problems.push_back("its ledger does not balance: " + wrong);
  tell_losses(*group.final, verdict);
  count_up(group, group.final->totals, verdicts, verdict);
}

void check_lines(const CaptureGroup& group, CaptureVerdict& verdict) {
  if (group.unbalanced_lines > 0)
    verdict.problems.push_back(fmt::format("{} lines of its ledger do not balance", group.unbalanced_lines));
  // After a crash, or while it is written, the last line of a ledger may be half a line.
  auto& lines = group.final ? verdict.problems : verdict.notices;
  std::ranges::copy(group.ledger_problems, std::back_inserter(lines));
  verdict.skipped_lines = group.skipped_lines;
}

CaptureVerdict verify_capture(const CaptureGroup& group, const Verdicts& verdicts) {
  CaptureVerdict verdict{.name = group.name()};
  verdict.problems = group.plan_problems;
  check_lines(group, verdict);
  if (auto back = clock_set_back(group); !back.empty()) verdict.notices.push_back(std::move(back));
  const bool runs = std::ranges::any_of(group.directories, [&group](const auto& directory) {
    return has_open_files(directory, group.stem, group.start);
  });
  if (group.final)
    check_final(group, verdicts, verdict);
  else
    verdict.notices.emplace_back(runs ? "it is running" : "it has no final ledger: it did not come to its end");
  return verdict;
}

// One line for all files: the lack says nothing against any one of them.
void tell_blocks_without_checksum(VerifyReport& report) {
  std::uint64_t blocks = 0, files = 0;
  for (const auto& file : report.files) {
    blocks += file.blocks_without_checksum;
    files += file.blocks_without_checksum > 0 ? 1 : 0;
  }
  if (blocks > 0)
    report.notices.push_back(
        fmt::format("{} Blocks of {} files have no checksum, so that a changed byte of a packet is not seen in them: "
                    "`wirespool index "
                    "--again` makes checksums of what is there now",
                    blocks, files));
}

}  // namespace

std::size_t VerifyReport::problem_count() const {
  auto count = problems.size();
  for (const auto& file : files) count += file.problems.size();
  for (const auto& capture : captures) count += capture.problems.size();
  return count;
}

std::expected<VerifyReport, Error> verify(const std::vector<std::string>& places,
                                          const std::function<void(const FileVerdict&)>& done,
                                          const std::atomic<bool>* stop) {
  const auto begin = std::chrono::steady_clock::now();
  const auto spool = Spool::open(places);
  if (!spool) return std::unexpected(spool.error());
  VerifyReport report;
  report.files.reserve(spool->files().size());
  Verdicts verdicts;
  for (const auto& entry : spool->files()) {
    report.files.push_back(verify_file(entry, stop));
    if (stop && *stop) return std::unexpected(Error{"verify", "it was stopped before its end", ""});
    verdicts[entry.path] = &report.files.back();
    if (done) done(report.files.back());
  }
  for (const auto& group : group_by_capture(*spool)) {
    if (group.start != Timestamp{}) report.captures.push_back(verify_capture(group, verdicts));
  }
  for (const auto& left : files_left_behind(places)) {
    report.problems.push_back(left + ": a crash left it unsealed: `wirespool repair` makes a whole file of it");
  }
  for (const auto& problem : spool->problems()) report.problems.push_back(problem.message());
  tell_blocks_without_checksum(report);
  // Notices about an index belong to their file.
  for (const auto& notice : spool->notices()) {
    if (!notice.starts_with("an index")) report.notices.push_back(notice);
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return report;
}

}  // namespace wirespool::tools
