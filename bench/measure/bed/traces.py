# SPDX-License-Identifier: BSD-3-Clause
"""What is received: traces of some thousand packets, so that net_pcap's copies of them stay in the cache."""

import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..trouble import Trouble

PACKETS = 4000

# What it is called (sizes on the wire, with FCS) and what tests/support/make_trace calls it (sizes in a pcap, without).
KINDS = {"64 B": "60", "128 B": "124", "256 B": "252", "CAIDA-like": "caida", "1518 B": "1514"}
QUICK = ["64 B", "CAIDA-like", "1518 B"]


@dataclass
class Trace:
    name: str
    path: Path
    packets: int
    mean_bytes: float  # without FCS


def measure(name: str, path: Path) -> Trace:
    """Counts it by the pcap's own record headers (pcap-savefile(5))."""
    data = path.read_bytes()
    at, packets, total = 24, 0, 0
    while at < len(data):
        caplen, wirelen = struct.unpack_from("<II", data, at + 8)
        at, packets, total = at + 16 + caplen, packets + 1, total + wirelen
    return Trace(name, path, packets, total / packets)


def make_one(program: str, folder: Path, name: str, packets: int) -> Trace:
    path = folder / f"{KINDS[name]}-{packets}.pcap"
    command = [program, "--kind", KINDS[name], "--packets", str(packets), "--seed", "1", "--out", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Trouble(f"make_trace: {done.stderr.strip()}: is the build whole?")
    return measure(name, path)


def make(program: str, folder: Path, names: list) -> list:
    return [make_one(program, folder, name, PACKETS) for name in names]


def to_json(traces: list) -> list:
    return [{"name": t.name, "packets": t.packets, "mean_bytes": round(t.mean_bytes, 1)} for t in traces]


def line_rate_mpps(frame_bytes: float, gbit: float) -> float:
    """Frames without FCS; on the wire each has 4 bytes of FCS, 8 of preamble and 12 of gap more (IEEE 802.3)."""
    return gbit * 1e3 / (8 * (frame_bytes + 24))
