// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cerrno>
#include <expected>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "wirespool/error.hpp"

namespace wirespool::storage {

// What the system refused: which call on what, and its errno. Control path only.
struct IoError {
  std::string what;  // "sealing /data/nvme0/x.pcap: fdatasync"
  int code = 0;      // errno

  std::string message() const { return what + ": " + std::generic_category().message(code); }
};

// The Error for people, by those who know what to do, and who can.
inline Error as_error(const IoError& error, std::string what_to_do, Error::Kind kind = Error::Kind::not_ready) {
  return {error.what, std::generic_category().message(error.code), std::move(what_to_do), kind};
}

inline IoError last_error(std::string what) { return {std::move(what), errno}; }

// "DOING PATH: CALL" with the errno that CALL left. errno is read before any string is built.
inline std::unexpected<IoError> refused(std::string_view doing, std::string_view path, std::string_view call,
                                        int code = errno) {
  std::string what;
  what.append(doing).append(" ").append(path).append(": ").append(call);
  return std::unexpected(IoError{std::move(what), code});
}

}  // namespace wirespool::storage
