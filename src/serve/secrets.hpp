// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wirespool/error.hpp"

namespace wirespool::serve {

// An Error about `option` if the file is not there, or users of the machine who are neither its owner nor of its group
// may read or write it.
std::optional<Error> others_may_read(const std::string& option, const std::string& path);

// The tokens that clients show as "Authorization: Bearer TOKEN" (RFC 6750), one a line of a file; empty lines and those
// that begin with # are none. Never changes; any number of threads.
class Tokens {
 public:
  static std::expected<Tokens, Error> read(const std::string& path);  // of --token-file

  const std::string& first() const { return tokens_.front().text; }  // there is one

  // The line of the token that the header shows. Takes as long whichever it is, and if it is none.
  std::optional<unsigned> line_of(std::string_view authorization) const;

 private:
  struct Token {
    std::string text;
    unsigned line;
  };
  std::vector<Token> tokens_;
};

}  // namespace wirespool::serve
