// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "options/read.hpp"

namespace wirespool::plan {

// "192.0.2.7:9100", "[2001:db8::7]:9100", or ":9100" for this machine alone (127.0.0.1), with a port from 1 to 65535.
// Returns it with the address filled in, or why not. Host names are refused: their addresses may change.
options::Parsed<std::string> parse_listen_address(const std::string& text);

}  // namespace wirespool::plan
