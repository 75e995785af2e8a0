// SPDX-License-Identifier: BSD-3-Clause
#include "tools/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "tools/capture_group.hpp"

namespace wirespool::tools {
namespace {

using Verdicts = std::map<std::string, const FileVerdict*>;

// What the files hold, if all of them could be read.
struct Held {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  bool sure = true;
};

Held held_by(const CaptureGroup& group, const Verdicts& verdicts) {
  Held held;
  for (const auto* file : group.files) {
    const auto verdict = verdicts.find(file->path);
    if (verdict == verdicts.end() || !verdict->second->problems.empty()) {
      held.sure = false;
      continue;
    }
    held.packets += verdict->second->packets;
    held.bytes += verdict->second->bytes;
  }
  return held;
}

// A drive that fails may have taken more than it could say. That was stored on another drive as well (rehomed), or
// counted as lost (drop_drive); what `repair` brings back of it is more than the ledger calls stored.
std::string known_surplus(const Held& held, const LedgerPoint& final) {
  const auto most = final.rehomed + final.losses.drop_drive;
  if (held.packets <= final.stored || held.bytes < final.stored_bytes || held.packets - final.stored > most) return {};
  return fmt::format(
      "its files hold {} packets more than the {} its ledger calls stored: a failed drive had taken them before they "
      "were stored on another one (rehomed {}) or given up (drop_drive {}); those of the first kind are there twice",
      held.packets - final.stored, final.stored, final.rehomed, final.losses.drop_drive);
}

void check_final(const CaptureGroup& group, const LedgerPoint& final, const Verdicts& verdicts,
                 CaptureVerdict& verdict) {
  if (const auto wrong = final.imbalance(); !wrong.empty())
    verdict.problems.push_back("its ledger does not balance: " + wrong);
  if (const auto lost = final.losses.sum(); lost > 0) {
    verdict.notices.push_back(
        fmt::format("it lost {} packets: nic_missed {}, nic_errors {}, no_mbuf {}, drop_handoff {}, drop_drive {}",
                    lost, final.losses.nic_missed, final.losses.nic_errors, final.losses.no_mbuf,
                    final.losses.drop_handoff, final.losses.drop_drive));
  }
  if (!group.whole()) {
    verdict.notices.push_back(
        fmt::format("it wrote to {} directories, {} of them were looked at: its files are not counted up",
                    group.facts->drives, group.directories.size()));
    return;
  }
  const auto held = held_by(group, verdicts);
  if (!held.sure) return;
  if (held.packets != final.stored || held.bytes != final.stored_bytes) {
    if (auto known = known_surplus(held, final); !known.empty()) {
      verdict.notices.push_back(std::move(known));
      return;
    }
    verdict.problems.push_back(
        fmt::format("its ledger tells of {} packets with {} bytes stored, its files hold {} with {}", final.stored,
                    final.stored_bytes, held.packets, held.bytes));
  }
}

void check_lines(const CaptureGroup& group, CaptureVerdict& verdict) {
  if (group.unbalanced_lines > 0)
    verdict.problems.push_back(fmt::format("{} lines of its ledger do not balance", group.unbalanced_lines));
}

CaptureVerdict verify_capture(const CaptureGroup& group, const Verdicts& verdicts) {
  CaptureVerdict verdict{group.name(), {}, {}};
  const bool runs = std::ranges::any_of(group.directories, [&group](const auto& directory) {
    return has_open_files(directory, group.stem, group.start);
  });
  const bool ended = group.facts && group.facts->final;
  check_lines(group, verdict);
  if (auto back = clock_set_back(group); !back.empty()) verdict.notices.push_back(std::move(back));
  if (ended) {
    verdict.problems.insert(verdict.problems.end(), group.problems.begin(), group.problems.end());
    check_final(group, *group.facts->final, verdicts, verdict);
  } else if (runs) {
    verdict.notices.push_back("it is running");
  } else {
    // After a crash the last line of a ledger may be half a line.
    verdict.notices.insert(verdict.notices.end(), group.problems.begin(), group.problems.end());
    verdict.notices.push_back("it has no final ledger: it did not come to its end");
  }
  return verdict;
}

}  // namespace

std::size_t VerifyReport::problem_count() const {
  auto count = problems.size();
  for (const auto& file : files) count += file.problems.size();
  for (const auto& capture : captures) count += capture.problems.size();
  return count;
}

std::expected<VerifyReport, ToolProblem> verify(const std::vector<std::string>& places,
                                                const std::function<void(const FileVerdict&)>& done) {
  const auto begin = std::chrono::steady_clock::now();
  const auto spool = Spool::open(places);
  if (!spool) return std::unexpected(wrong_use(spool.error()));
  VerifyReport report;
  report.files.reserve(spool->files().size());
  Verdicts verdicts;
  for (const auto& entry : spool->files()) {
    report.files.push_back(verify_file(entry));
    verdicts[entry.path] = &report.files.back();
    if (done) done(report.files.back());
  }
  for (const auto& group : group_by_capture(*spool)) {
    if (group.start != Timestamp{}) report.captures.push_back(verify_capture(group, verdicts));
  }
  for (const auto& left : files_left_behind(places)) {
    report.problems.push_back(left + ": a crash left it unsealed: `wirespool repair` makes a whole file of it");
  }
  // Those about an index are a file's own.
  for (const auto& notice : spool->notices()) {
    if (!notice.starts_with("an index")) report.notices.push_back(notice);
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return report;
}

}  // namespace wirespool::tools
