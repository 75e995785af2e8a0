// SPDX-License-Identifier: BSD-3-Clause
#include "read/salvager.hpp"

#include <algorithm>
#include <utility>

#include "format/bytes.hpp"

namespace wirespool::read {

using format::FoundRecord;
using format::RecordHead;
using format::RecordScanner;
using storage::IoError;

namespace {

// The smallest unit that is either written or not: a page of the file systems in question.
constexpr std::uint64_t granule = 4096;

bool all_zero(std::span<const std::byte> bytes) { return format::leading_zeros(bytes) == bytes.size(); }

}  // namespace

Salvager::Salvager(FileWindow& window, RecordScanner scanner, std::vector<Stretch> written, bool holes_known)
    : window_(window),
      scanner_(std::move(scanner)),
      header_bytes_(scanner_.form().front_bytes()),
      written_(std::move(written)),
      holes_known_(holes_known) {
  window_.restrict_to(0, 0);
}

std::expected<std::optional<StoredPacket>, IoError> Salvager::next() {
  window_.consume(std::exchange(taken_, 0));
  while (true) {
    const auto found = go_to_record();
    if (!found) return std::unexpected(found.error());
    if (!*found) return std::nullopt;
    const auto head = *scanner_.plausible(window_.bytes(), previous_);
    const auto verdict = judge(head);
    if (!verdict) return std::unexpected(verdict.error());
    if (*verdict == Verdict::whole) {
      taken_ = head.bytes;
      previous_ = head.time;
      const auto record = window_.bytes().first(taken_);
      return StoredPacket{{previous_, head.wirelen, record.subspan(header_bytes_, head.caplen)},
                          scanner_.form().linktype(),
                          window_.offset(),
                          record};
    }
    searching_ = *verdict == Verdict::doubtful;
    pass_over(searching_ ? header_bytes_ : window_.remaining());
  }
}

// Moves the window's front to the header of the next plausible record. false: the file has no more.
std::expected<bool, IoError> Salvager::go_to_record() {
  while (true) {
    if (window_.remaining() == 0) {
      const auto begun = begin_next_stretch();
      if (!begun || !*begun) return begun;
    }
    if (searching_) {
      const auto found = search();
      if (!found) return found;
      if (!*found) continue;
      searching_ = false;
    }
    if (auto filled = window_.fill(header_bytes_); !filled) return std::unexpected(filled.error());
    if (window_.bytes().size() >= header_bytes_ && scanner_.plausible(window_.bytes(), previous_)) return true;
    const auto other = pass_other_block();
    if (!other) return other;
    if (*other) continue;
    const auto zero = rest_is_zero();
    if (!zero) return zero;
    if (*zero) {
      window_.consume(window_.remaining());
    } else if (window_.bytes().size() < header_bytes_) {
      pass_over(window_.remaining());
    } else {
      searching_ = true;
    }
  }
}

// Skips a whole block without a packet where a packet could be.
std::expected<bool, IoError> Salvager::pass_other_block() {
  if (window_.bytes().size() < header_bytes_) return false;
  const auto bytes = scanner_.form().other_block(window_.bytes());
  if (bytes == 0 || bytes > window_.remaining()) return false;
  if (auto filled = window_.fill(bytes); !filled) return std::unexpected(filled.error());
  if (window_.bytes().size() < bytes || format::load<std::uint32_t>(window_.bytes(), bytes - 4) != bytes) return false;
  window_.consume(bytes);
  return true;
}

std::expected<bool, IoError> Salvager::begin_next_stretch() {
  if (stretch_ == written_.size()) return false;
  const auto stretch = written_[stretch_++];
  // After a hole comes the end of a record whose beginning is lost; only the front of the file is known to be a record.
  searching_ = stretch.begin != scanner_.form().first_record();
  window_.restrict_to(stretch.begin, stretch.end);
  return true;
}

// Looks for a chain of records in the rest of the stretch, one window after another.
std::expected<bool, IoError> Salvager::search() {
  while (window_.remaining() >= header_bytes_) {
    if (auto filled = window_.fill(RecordScanner::window_bytes); !filled) return std::unexpected(filled.error());
    auto bytes = window_.bytes();
    bytes = bytes.first(std::min(bytes.size(), RecordScanner::window_bytes));
    if (const auto zeros = format::leading_zeros(bytes); zeros >= granule) {
      // The last zeros may be the first bytes of a header: of its seconds, at least the last byte is not zero.
      window_.consume(zeros == window_.remaining() ? zeros : zeros - 3);
      continue;
    }
    const bool at_end = bytes.size() == window_.remaining();
    const auto page_of_zeros = first_page_of_zeros(bytes);
    // Where holes are not known, a page of zeros is taken for one: a chain of records need not go on after it.
    auto found = holes_known_ ? scanner_.find(bytes, previous_, at_end) : std::nullopt;
    if (!found && page_of_zeros) found = scanner_.find(bytes.first(*page_of_zeros), previous_, true);
    if (!found && !page_of_zeros && !holes_known_) found = scanner_.find(bytes, previous_, at_end);
    const auto nothing = page_of_zeros.value_or(at_end ? bytes.size() : bytes.size() - RecordScanner::confirm_bytes);
    pass_over(found.value_or(nothing));
    if (found) return true;
  }
  pass_over(window_.remaining());
  return false;
}

std::optional<std::size_t> Salvager::first_page_of_zeros(std::span<const std::byte> bytes) const {
  auto at = static_cast<std::size_t>(granule - window_.offset() % granule);
  for (; at + granule <= bytes.size(); at += granule) {
    if (all_zero(bytes.subspan(at, granule))) return at;
  }
  return std::nullopt;
}

std::expected<bool, IoError> Salvager::rest_is_zero() {
  const auto at = window_.offset();
  const auto end = window_.limit();
  bool zero = true;
  while (zero && window_.remaining() > 0) {
    if (auto filled = window_.fill(1); !filled) return std::unexpected(filled.error());
    const auto bytes = window_.bytes();
    if (bytes.empty()) break;
    zero = all_zero(bytes);
    if (zero) window_.consume(bytes.size());
  }
  window_.restrict_to(at, end);
  return zero;
}

// Judges the record at the window's front.
std::expected<Salvager::Verdict, IoError> Salvager::judge(const FoundRecord& head) {
  const std::uint64_t whole = head.bytes;
  if (whole > window_.remaining()) return lengths_agree(head) ? Verdict::cut : Verdict::doubtful;
  if (auto filled = window_.fill(whole + header_bytes_); !filled) return std::unexpected(filled.error());
  if (window_.bytes().size() < whole) return Verdict::cut;
  if (!scanner_.plausible(window_.bytes(), previous_)) return Verdict::doubtful;  // now that its end is in the window
  const auto rest = window_.bytes().subspan(whole);
  if (rest.size() < header_bytes_) return Verdict::whole;
  if (scanner_.plausible(rest, head.time)) return Verdict::whole;
  if (all_zero(rest.first(header_bytes_))) return reaches_into_a_hole(whole) ? Verdict::doubtful : Verdict::whole;
  // What follows fits the record before this one, so it is this one's time that is wrong. If it were believed, all that
  // follows would seem to come too early.
  if (scanner_.plausible(rest, previous_)) return Verdict::doubtful;
  // Either what follows is damaged, or this record's length is; in the latter case its two lengths seldom agree.
  return lengths_agree(head) ? Verdict::whole : Verdict::doubtful;
}

bool Salvager::lengths_agree(const RecordHead& head) const {
  return head.caplen == std::min(head.wirelen, scanner_.form().snaplen());
}

// Zeros from the beginning of a page beyond the end of the record: that page was probably never written.
bool Salvager::reaches_into_a_hole(std::uint64_t whole) const {
  if (holes_known_) return false;
  const auto begin = window_.offset();
  const auto page = (begin + whole - 1) / granule * granule;
  if (page <= begin) return false;
  return all_zero(window_.bytes().subspan(page - begin, begin + whole - page));
}

void Salvager::pass_over(std::uint64_t bytes) {
  if (bytes == 0) return;
  const auto begin = window_.offset();
  if (!skipped_.empty() && skipped_.back().end == begin) {
    skipped_.back().end += bytes;
  } else {
    skipped_.push_back({begin, begin + bytes});
  }
  window_.consume(bytes);
}

}  // namespace wirespool::read
