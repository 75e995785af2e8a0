// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "wirespool/error.hpp"

namespace wirespool::tools {

// `wirespool manifest DIR|FILE...`: lets an examiner prove later that nothing of a capture was changed.
struct Manifest {
  struct Line {
    std::string path;    // as it would be given to sha256sum
    std::string sha256;  // 64 hexadecimal digits
  };
  std::vector<Line> lines;            // in the order of the paths' bytes, each once
  std::vector<std::string> left_out;  // "PATH: why": what is still being written, or was not sealed
  std::vector<Error> problems;        // files without a line: not readable to their end, or changed meanwhile
  std::vector<std::string> notices;
  std::string all;  // the SHA-256 of all the lines as render_text() has them
};

// Sealed files with their indices and what repair cut off, ledgers and capture.json. Reads every byte of them.
std::expected<Manifest, Error> make_manifest(const std::vector<std::string>& places);

// In the form that `sha256sum -c` checks: its own lines, names escaped as it does (sha256sum(1)), then comments, which
// it ignores: what was left out, and in the last line the SHA-256 of all lines that are no comment.
std::string render_text(const Manifest& manifest);

}  // namespace wirespool::tools
