// SPDX-License-Identifier: BSD-3-Clause
// In place of libpcap_program.cpp where wirespool is built without libpcap.
#include "filter/program.hpp"

namespace wirespool::filter {

std::expected<Program, Error> Program::compile(const std::string& expression, std::uint32_t) {
  return std::unexpected(Error{expression, "this wirespool was built without libpcap, which knows such expressions",
                               "build it with libpcap: `meson setup -Dpcap=enabled`"});
}

// Never called: there is no Program.
bool Program::matches(const PacketView&) const { return false; }
std::string_view Program::obstacle() const { return "there is none"; }

std::string name_of_linktype(std::uint32_t linktype) { return std::to_string(linktype); }

}  // namespace wirespool::filter
