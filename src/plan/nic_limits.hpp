// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace wirespool::plan {

// A number that others published. Nothing of it was measured by this project; where nothing was found there is no
// number, and `source` says why.
struct Published {
  std::optional<double> number = {};
  std::string_view source = "no number was found";  // the document, and what it measured
  std::string_view date = {};                       // of the document; empty: it has none
};

struct PcieSlot {
  unsigned generation = 0, lanes = 0;  // 0: not known
  bool known() const { return generation != 0 && lanes != 0; }
};

// What is known of a family of NICs besides the speed of its ports. nic_limits.cpp is the table.
struct NicFamily {
  std::string_view name;       // as --nic takes it
  std::string_view title;      // as its vendor calls it
  Published queue_mpps = {};   // the most that somebody says to have received through one RX queue
  Published device_mpps = {};  // through all ports, queues and VFs of one card together
  Published device_gbit = {};  // the same in Gbit/s, as links are named
  PcieSlot pcie = {};          // what a card has
  std::string_view pcie_source = "no number was found", pcie_date = {};
};

std::span<const NicFamily> nic_families();

// "3x8": generation and lanes.
std::expected<PcieSlot, std::string> parse_pcie(std::string_view text);

// Bytes a second that a slot moves in one direction as transactions, and those that one frame of so many bytes (with
// FCS, which stays behind) takes of them.
double pcie_bytes_per_s(const PcieSlot& slot);
double pcie_bytes_of_frame(double frame_bytes);
constexpr std::string_view pcie_model =
    "Neugebauer et al., Understanding PCIe performance for end host networking: writes of 256 bytes, 24 of header "
    "each, a descriptor of 16 a frame, a tenth for flow control and acknowledgements";
constexpr std::string_view pcie_model_date = "2018-08";

}  // namespace wirespool::plan
