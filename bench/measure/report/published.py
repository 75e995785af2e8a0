# SPDX-License-Identifier: BSD-3-Clause
"""Figures others have published, for tables of the same shape. Their hardware is not ours: only shapes and ratios compare."""

from dataclasses import dataclass

SOURCES = {
    "leira2019": "Leira et al., Computer Networks 2019: HPCAP40vf and DPDK2disk, XL710 VF with a mirror rule, 40 GbE, up to 5 NVMe drives",
    "leira2019-tcpdump": "the same: i40e kernel driver and tcpdump",
}

# Captured, % of what a saturated 40 GbE link carries, VF and mirror. {trace: {system: %}}
CAPTURED = {
    "64 B": {"DPDK on a VF": 66.3, "HPCAP40vf": 57.5},
    "128 B": {"DPDK on a VF": 100.0, "HPCAP40vf": 61.9},
    "CAIDA-like": {"i40e + tcpdump": 11.6},
}
CAPTURING_SYSTEMS = ["DPDK on a VF", "HPCAP40vf", "i40e + tcpdump"]

# Stored, % of the CAIDA mix (mean 787 B) at 39.80 Gbit/s on 5 NVMe drives.
STORED_AT_GBIT = 39.80
STORED = {"DPDK2disk": 99.5, "HPCAP40vf": 100.0}
# The same table's other trace. No share of it was at hand.
CAMPUS = "a campus trace (mean 910 B) at 39.83 Gbit/s"

# Gbit/s of raw drives.
DRIVES = [
    ("5 NVMe drives, bare metal", "> 40"),
    ("the same through VirtIO, however many", "25"),
]


@dataclass
class Recorder:
    """What a vendor or an author says that a recorder does, and what that number includes. None: not said."""

    system: str
    includes: str
    mpps: float = None
    gbit: float = None
    cores: float = None  # None with an FPGA that does the work


RECORDERS = [
    Recorder("n2disk", "stored, from 8 queues on 8 volumes", 102.0, 100.0, 16),
    Recorder("n2disk, a core", "received from an FPGA NIC, stored and indexed", 12.3, 8.3, 1),
    Recorder("n2disk, a core, ordinary NIC", "received from an ordinary NIC, stored and indexed", 6.4, 6.25, 1),
    Recorder("fmadio", "received and stored by an FPGA, one port of 100 GbE", 148.8, 100.0),
    Recorder("DAQIRI", "received into memory; nothing is stored, and stamps are not checked", None, 105.0),
]
