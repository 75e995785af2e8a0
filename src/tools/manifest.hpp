// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "wirespool/error.hpp"

namespace wirespool::tools {

// `wirespool manifest DIR|FILE...`: by what an examiner tells later that nothing of a capture was touched.
struct Manifest {
  struct Line {
    std::string path;    // as sha256sum would be given it
    std::string sha256;  // 64 hexadecimal digits
  };
  std::vector<Line> lines;            // in the order of the paths' bytes, each once
  std::vector<std::string> left_out;  // "PATH: why": what is written now, or was not sealed
  std::vector<Error> problems;        // what could not be read to its end, or changed meanwhile; it has no line
  std::vector<std::string> notices;
  std::string all;  // the SHA-256 of all the lines as render_text() has them
};

// Sealed files with their indices and what repair cut off, ledgers and capture.json. Reads every byte of them.
std::expected<Manifest, Error> make_manifest(const std::vector<std::string>& places);

// What `sha256sum -c` checks: its own lines, escapes of names included (sha256sum(1)), then comments, which it passes
// over: what was left out, and in the last line the SHA-256 of all lines that are no comment.
std::string render_text(const Manifest& manifest);

}  // namespace wirespool::tools
