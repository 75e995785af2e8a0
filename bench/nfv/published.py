# SPDX-License-Identifier: BSD-3-Clause
"""Figures that others have published, and which of ours stands beside each. Their machines are not ours: only shapes and ratios compare."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Source:
    paper: str
    machine: str
    differs: str


@dataclass(frozen=True)
class Published:
    source: str  # of SOURCES
    where: str  # table or figure
    what: str
    figure: str  # as published
    # What of ours is beside it: an experiment's value where `place` fits, or one of the comparisons of beside.py.
    ours: str
    place: dict = field(default_factory=dict)
    differs: str = ""  # beyond what differs with the source


SOURCES = {
    "ara2019": Source(
        "Ara, MSc thesis 2019: inter-container communications with kernel bypass",
        "not known here: see the thesis",
        "LXC containers with CPUs of their own; averages, where ours are medians of repeats",
    ),
    "bonafiglia2015": Source(
        "Bonafiglia et al. 2015: virtualization technologies for NFV, a preliminary benchmarking",
        "not known here: see the paper",
        "on its own hardware; here sender, forwarders and receiver share the CPUs of one machine, and no NIC takes part",
    ),
}

_ONE = {"pairs": 1, "chain": 0}
_BRIDGE = {"switch": "linux-bridge", "size": 64, "burst": 64, **_ONE}
_BYPASS = {"size": 64, "burst": 32, "mode": "dpdk", **_ONE}
_ROUND = {"size": 64, "burst": 4, "mode": "dpdk", **_ONE}
_PAIRS = {"burst": 32, "mode": "dpdk"}
_FORWARDED = {"size": 64, "burst": 32, "pairs": 1, "chain": 1}
_BY_SOCKETS = {**_FORWARDED, "mode": "udp mmsg"}
_LONG = "ours: 1514 B if 1500 was not measured"
_MEANT = "ours at 64 B, from when a packet was meant to be sent"

_TWO = "there on bare metal; ours: one forwarder of wirespool's between two "

PUBLISHED = (
    Published("ara2019", "table 5.2", "linux-bridge, 64 B, burst 64, UDP send and recv", "0.338 Mpps", "mpps", {**_BRIDGE, "mode": "udp"}),
    Published("ara2019", "table 5.2", "the same, UDP sendmmsg and recvmmsg", "0.409 Mpps", "mpps", {**_BRIDGE, "mode": "udp mmsg"}),
    Published("ara2019", "table 5.2", "the same, raw sockets", "0.360 Mpps", "mpps", {**_BRIDGE, "mode": "raw"}),
    Published("ara2019", "table 5.2", "the same, raw sockets with mmsg", "0.440 Mpps", "mpps", {**_BRIDGE, "mode": "raw mmsg"}),
    Published("ara2019", "fig. 5.2", "64 B, burst 32: SR-IOV", "at least 2 Mpps, the fastest", "mpps", {**_BYPASS, "switch": "sriov"}),
    Published("ara2019", "fig. 5.2", "64 B, burst 32: basicfwd", "at least 2 Mpps, second", "mpps", {**_BYPASS, "switch": "basicfwd"}, "ours is dpdk-forward"),
    Published("ara2019", "fig. 5.2", "64 B, burst 32: VPP", "at least 2 Mpps, third", "mpps", {**_BYPASS, "switch": "vpp"}),
    Published("ara2019", "fig. 5.2", "64 B, burst 32: OVS with DPDK", "at least 2 Mpps, fourth", "mpps", {**_BYPASS, "switch": "ovs-dpdk"}),
    Published("ara2019", "fig. 5.2", "64 B, burst 32: Snabb", "at least 2 Mpps, fifth", "mpps", {**_BYPASS, "switch": "snabb"}),
    Published("ara2019", "fig. 5.6", "1500 B, virtio switches: what a pair loses at 4vs4", "67 %", "pair's loss", {**_PAIRS, "switch": "ovs-dpdk"}, _LONG),
    Published("ara2019", "fig. 5.6", "1500 B, SR-IOV: what a pair loses at 4vs4", "18 %", "pair's loss", {**_PAIRS, "switch": "sriov"}, _LONG),
    Published("ara2019", "fig. 5.9, 5.10", "there and back, 1000 a second, burst 4: OVS-DPDK", "below 10 us", "delay", {**_ROUND, "switch": "ovs-dpdk"}, _MEANT),
    Published("ara2019", "fig. 5.9, 5.10", "the same: basicfwd", "below 10 us", "delay", {**_ROUND, "switch": "basicfwd"}, _MEANT),
    Published("ara2019", "fig. 5.9, 5.10", "the same: VPP", "below 10 us", "delay", {**_ROUND, "switch": "vpp"}, _MEANT),
    Published("ara2019", "fig. 5.9, 5.10", "the same: SR-IOV", "at least 10 us", "delay", {**_ROUND, "switch": "sriov"}, _MEANT),
    Published("ara2019", "fig. 5.9, 5.10", "the same: Snabb", "above 60 us", "delay", {**_ROUND, "switch": "snabb"}, _MEANT),
    Published("bonafiglia2015", "table I", "64 B, one forwarder: linux bridge", "2.39 Mpps", "mpps", {**_BY_SOCKETS, "switch": "linux-bridge"}, _TWO + "bridges"),
    Published("bonafiglia2015", "table I", "the same: a bridge by libpcap", "1.29 Mpps", "mpps", {**_BY_SOCKETS, "switch": "veth"}, _TWO + "veth pairs, without libpcap"),
    Published("bonafiglia2015", "table I", "the same: DPDK l2fwd", "8.78 Mpps", "mpps", {**_FORWARDED, "mode": "dpdk", "switch": "memif"}, _TWO + "memifs"),
    Published("bonafiglia2015", "fig. 5-8", "throughput of chains of 1 to 8", "about 1/length", "share of length 1", {}),
)
