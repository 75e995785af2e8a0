// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "format/pcap_records.hpp"

namespace wirespool::record {

// The layout of what is recorded. All of this room asks it, and knows nothing else of the files' format.
using Records = format::PcapRecords;

}  // namespace wirespool::record
