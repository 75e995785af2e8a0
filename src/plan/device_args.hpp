// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plan/eal_args.hpp"

namespace wirespool::plan {

// What --vdev (or a device's -a) says: "net_pcap0,rx_pcap=a.pcap,rx_pcap=b.pcap".
struct DeviceArgs {
  std::string name;
  std::vector<std::pair<std::string, std::string>> pairs;  // in order; a key may come again

  std::vector<std::string> all(std::string_view key) const;
};

DeviceArgs parse_device_args(std::string_view text);

// Devices that EAL would start otherwise than they were asked for, without an error: a name given twice (the later one
// replaces the earlier), an argument because of which a driver passes over all of them.
std::vector<Error> check_vdevs(const EalArgs& args);

}  // namespace wirespool::plan
