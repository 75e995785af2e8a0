// SPDX-License-Identifier: BSD-3-Clause
// What the kernel says of VFs over netlink, and how an i40e answers in the kernel's log.
#include <string>
#include <vector>

#include "fuzz/check.hpp"
#include "vf/link.hpp"

using wirespool::fuzz::check;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace vf = wirespool::vf;
  const auto links = vf::parse_vf_links(wirespool::fuzz::bytes_of(data, size));
  check(links.size() <= size, "a VF takes bytes");
  for (const auto& link : links)
    check(link.mac.empty() || link.mac.find_first_not_of("0123456789abcdef:") == std::string::npos, "a MAC is one");
  const std::vector<std::string> lines{std::string(wirespool::fuzz::text_of(data, size))};
  (void)vf::bridge_seid(lines);
  (void)vf::vf_seid(lines, 3);
  (void)vf::rule_id(lines);
  return 0;
}
