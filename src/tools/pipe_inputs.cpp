// SPDX-License-Identifier: BSD-3-Clause
#include "tools/pipe_inputs.hpp"

#include <cstdlib>

#include "tools/terminal.hpp"

namespace wirespool::tools {

std::string temporary_directory() {
  const char* told = std::getenv("TMPDIR");
  return told != nullptr && *told != '\0' ? told : "/var/tmp";
}

std::expected<PipeInputs, Error> PipeInputs::take(const std::vector<std::string>& places) {
  PipeInputs inputs;
  for (const auto& place : places) {
    if (place != "-" && !storage::is_pipe(place)) {
      inputs.add(place);
      continue;
    }
    if (place == "-" && stdin_is_terminal())
      return std::unexpected(Error{"-", "standard input is a terminal", "pipe a capture file into it"});
    auto copy = storage::PipeCopy::of(place, temporary_directory());
    if (!copy) return std::unexpected(storage::as_error(copy.error(), "set TMPDIR to a directory with room"));
    inputs.add(std::move(*copy), place == "-" ? "standard input" : place);
  }
  return inputs;
}

void PipeInputs::add(storage::PipeCopy copy, std::string name) {
  places_.push_back(copy.path());
  copies_.push_back(std::move(copy));
  names_.push_back(std::move(name));
}

std::string PipeInputs::as_given(std::string text) const {
  for (std::size_t i = 0; i < copies_.size(); ++i) {
    const auto path = copies_[i].path();
    for (auto at = text.find(path); at != std::string::npos; at = text.find(path, at + names_[i].size()))
      text.replace(at, path.size(), names_[i]);
  }
  return text;
}

Error PipeInputs::as_given(Error error) const {
  return {as_given(error.what), as_given(error.why), as_given(error.what_to_do), error.kind};
}

}  // namespace wirespool::tools
