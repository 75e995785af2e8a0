# SPDX-License-Identifier: BSD-3-Clause
"""Figures others have published, for tables of the same shape. Their hardware is not ours: only shapes and ratios compare."""

SOURCES = {
    "leira2019": "Leira et al., Computer Networks 2019: HPCAP40vf and DPDK2disk, XL710 VF with a mirror rule, 40 GbE, up to 5 NVMe drives",
    "leira2019-tcpdump": "the same: i40e kernel driver and tcpdump",
    "n2disk": "vendor of n2disk: 8 queues, 8 volumes, 16 cores",
    "fmadio": "vendor of fmadio: FPGA, one 100 GbE port",
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

# Gbit/s of raw drives.
DRIVES = [
    ("5 NVMe drives, bare metal", "> 40"),
    ("the same through VirtIO, however many", "25"),
]

# (system, Mpps, cores that work for it)
PER_CORE = [("n2disk", 102.0, 16), ("fmadio", 148.8, None)]
