// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "format/record_scanner.hpp"
#include "read/file_window.hpp"
#include "wirespool/spool_file.hpp"

namespace wirespool::read {

// Takes every whole record out of a file with holes, damaged bytes and a torn end. A record is whole if all its bytes
// were written and what follows it, if anything, can be a record too.
class Salvager {
 public:
  // `written`: the parts of the file to look at, in order, which may begin anywhere. `holes_known`: all other parts are
  // known to be unwritten, so zeros inside these parts are data.
  Salvager(FileWindow& window, format::RecordScanner scanner, std::vector<Stretch> written, bool holes_known);

  // The next whole record; nullopt at the end. Valid until the next call.
  std::expected<std::optional<StoredPacket>, storage::IoError> next();

  // Bytes passed over so far that are neither records nor zeros.
  const std::vector<Stretch>& skipped() const { return skipped_; }

 private:
  enum class Verdict { whole, cut, doubtful };

  std::expected<bool, storage::IoError> begin_next_stretch();
  std::expected<bool, storage::IoError> go_to_record();
  std::expected<bool, storage::IoError> search();
  std::optional<std::size_t> first_page_of_zeros(std::span<const std::byte> bytes) const;
  std::expected<bool, storage::IoError> rest_is_zero();
  std::expected<bool, storage::IoError> pass_other_block();
  std::expected<Verdict, storage::IoError> judge(const format::FoundRecord& head);
  bool lengths_agree(const format::RecordHead& head) const;
  bool reaches_into_a_hole(std::uint64_t whole) const;
  void pass_over(std::uint64_t bytes);

  FileWindow& window_;
  format::RecordScanner scanner_;
  std::size_t header_bytes_;  // of a record
  std::vector<Stretch> written_;
  std::size_t stretch_ = 0;  // the next of written_
  bool holes_known_ = false;
  bool searching_ = false;   // the window's front is not known to be a record
  std::uint64_t taken_ = 0;  // bytes of the record handed out last
  Timestamp previous_;
  std::vector<Stretch> skipped_;
};

}  // namespace wirespool::read
