// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "storage/pipe_copy.hpp"
#include "wirespool/error.hpp"

namespace wirespool::tools {

// Where what cannot be read twice is kept: $TMPDIR, or else /var/tmp.
std::string temporary_directory();

// Places to read, with those that are pipes ("-", FIFOs) read to their end into files in $TMPDIR, or else /var/tmp.
class PipeInputs {
 public:
  static std::expected<PipeInputs, Error> take(const std::vector<std::string>& places);

  PipeInputs() = default;
  void add(std::string place) { places_.push_back(std::move(place)); }  // as it is
  void add(storage::PipeCopy copy, std::string name);                   // of something else that `name` names

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
