// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cerrno>
#include <expected>
#include <string>
#include <string_view>

#include "storage/io_error.hpp"

namespace wirespool::storage {

// "DOING PATH: CALL" with the errno CALL left. errno is read before any string is built.
inline std::unexpected<IoError> refused(std::string_view doing, std::string_view path, std::string_view call,
                                        int code = errno) {
  std::string what;
  what.append(doing).append(" ").append(path).append(": ").append(call);
  return std::unexpected(IoError{std::move(what), code});
}

}  // namespace wirespool::storage
