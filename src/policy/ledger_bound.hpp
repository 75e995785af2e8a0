// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "wirespool/timestamp.hpp"

namespace wirespool::policy {

// Decides which of the oldest lines of a file that only grows can be dropped. Knows where some lines begin: one every
// 64 KiB.
class LedgerBound {
 public:
  static constexpr std::uint64_t between_marks = 64 << 10;
  static constexpr std::uint64_t least_cut = 1 << 20;  // for less, rewriting the rest is not worth it

  // `most_bytes`: of the file, whatever it holds.
  explicit LedgerBound(std::uint64_t most_bytes) : most_bytes_(most_bytes) {}

  // A line of that length, newline included, and that time was written.
  void appended(std::uint64_t bytes, Timestamp time) {
    if (marks_.empty() || size_ - marks_.back().begin >= between_marks)
      marks_.push_back({size_, size_ + bytes, lines_, time});
    size_ += bytes;
    ++lines_;
  }
  std::uint64_t size() const { return size_; }

  // The file was left and is opened again: what is there counts, but where its lines begin is not known any more.
  void goes_on_at(std::uint64_t bytes) {
    marks_.clear();
    size_ = bytes;
  }

  // The line [begin, end) is to be the first one; `lines` before it go.
  struct Cut {
    std::uint64_t begin = 0, end = 0, lines = 0;
    Timestamp time;
    bool operator==(const Cut&) const = default;
  };

  // What can be cut off. If it is at least half of the file: the lines from before `oldest`, the first packet that is
  // still kept (zero: not known). If the file is longer than it may be: enough to leave at most half of most_bytes.
  std::optional<Cut> cut(Timestamp oldest) const {
    const auto fits = [this](const Cut& mark) { return size_ - mark.begin <= most_bytes_ / 2; };
    const auto too_long = std::ranges::find_if(marks_, fits);
    if (size_ > most_bytes_) return too_long == marks_.end() ? marks_.back() : *too_long;
    const auto younger = std::ranges::find_if(marks_, [oldest](const Cut& mark) { return mark.time > oldest; });
    if (younger == marks_.begin()) return std::nullopt;
    const auto& last = *(younger - 1);
    return last.begin >= std::max(least_cut, size_ / 2) ? std::optional(last) : std::nullopt;
  }

  // The cut was made: its line is `head_bytes` long now.
  void done(const Cut& cut, std::uint64_t head_bytes) {
    std::erase_if(marks_, [&cut](const Cut& mark) { return mark.begin < cut.begin; });
    const auto moved = [&](std::uint64_t at) { return at - cut.end + head_bytes; };
    for (auto& mark : marks_) {
      mark.begin = mark.begin == cut.begin ? 0 : moved(mark.begin);
      mark.end = moved(mark.end);
    }
    size_ = moved(size_);
  }

 private:
  std::uint64_t most_bytes_;
  std::uint64_t size_ = 0, lines_ = 0;
  std::vector<Cut> marks_;
};

}  // namespace wirespool::policy
