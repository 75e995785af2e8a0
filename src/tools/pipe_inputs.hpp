// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "storage/pipe_copy.hpp"
#include "wirespool/error.hpp"

namespace wirespool::tools {

// Places to read, with those that are pipes ("-", FIFOs) read to their end into files in $TMPDIR, or else /var/tmp.
class PipeInputs {
 public:
  static std::expected<PipeInputs, Error> take(const std::vector<std::string>& places);

  const std::vector<std::string>& places() const { return places_; }
  // Text about these places with the names that were given.
  std::string as_given(std::string text) const;
  Error as_given(Error error) const;

 private:
  std::vector<std::string> places_;
  std::vector<storage::PipeCopy> copies_;
  std::vector<std::string> names_;  // of the copies
};

}  // namespace wirespool::tools
