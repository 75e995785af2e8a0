// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace wirespool::vf {

// Intel's own i40e driver answers commands given to its debugfs file in the kernel's log. `lines` are what the log
// gained.

// "dump switch" -> the identifier of the PF's internal bridge: "type=17 seid=160 uplink=2 downlink=0".
std::optional<unsigned> bridge_seid(const std::vector<std::string>& lines);

// "dump vf 3" -> that of the VF: "vf  3: VSI id=12, seid=393, qps=4".
std::optional<unsigned> vf_seid(const std::vector<std::string>& lines, unsigned number);

// "add switch ingress mirror 160 393" -> "Ingress mirror rule 2 added".
std::optional<unsigned> rule_id(const std::vector<std::string>& lines);

}  // namespace wirespool::vf
