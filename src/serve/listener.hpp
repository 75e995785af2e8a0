// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string>

#include "storage/file_descriptor.hpp"
#include "wirespool/error.hpp"

namespace wirespool::serve {

// Whether only this machine can reach such an address.
bool is_loopback(const std::string& address);

// A TCP socket that listens at "127.0.0.1:9100" or "[::1]:9100", non-blocking, not for programs that are started. Why
// it cannot be, and what to do; `option` is who asked for it.
std::expected<storage::FileDescriptor, Error> listen_at(const std::string& address, const std::string& option);

// Who is at the other end of a socket: "127.0.0.1:41234", "[::1]:41234".
std::string peer_of(int socket);

}  // namespace wirespool::serve
