// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "format/file_layout.hpp"
#include "format/key_set.hpp"
#include "record/block.hpp"
#include "record/index_rows.hpp"

namespace wirespool::record {

// Collects the flow keys of one lane's Blocks, in file order, as they are retired. A record belongs to the Block it
// starts in, and may be whole only in a later one, so a row gets its filter when the next one begins. Data path; the
// writer lcore's.
class BlockKeys {
 public:
  explicit BlockKeys(const format::FileLayout& layout) noexcept : layout_(&layout) {}

  // Before the Block's own row is added.
  void finish_record(const Block& block) noexcept;
  void end_row(IndexRows& rows) noexcept;
  // After it.
  void begin_row(const Block& block) noexcept;

 private:
  const format::FileLayout* layout_;
  format::KeyCollector collector_;
  bool open_ = false;     // a row waits for its filter
  bool unknown_ = false;  // some of its keys could not be read
};

}  // namespace wirespool::record
