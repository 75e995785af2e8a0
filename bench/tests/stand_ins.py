# SPDX-License-Identifier: BSD-3-Clause
"""What takes the place of contestants and of the machine."""

import stat
import struct
from pathlib import Path

from measure.bed.cputime import Machine, Sample, Thread


def measured(experiment, case, contestant, repeat=0, conclusive=True, **values) -> dict:
    """As in results.json."""
    return {
        "experiment": experiment,
        "case": case,
        "contestant": contestant,
        "values": values,
        "shortfall": 0.0 if conclusive else 0.5,
        "stolen": 0.0,
        "moved": False,
        "notes": [],
        "command": "",
        "repeat": repeat,
        "conclusive": conclusive,
    }


def document(*measurements) -> dict:
    machine = {"cpu": "a CPU", "cpus": 2, "kernel": "6.1", "compiler": "g++", "dpdk": "22.11", "memory_gb": 8.0}
    return {
        "schema": 1,
        "started": "2026-11-21 07:54 UTC",
        "took_s": 1.0,
        "machine": machine,
        "quiet": {"quiet": True, "seen": "others use 0.0 CPUs"},
        "settings": {"seconds": 2.0, "repeats": 3, "different_drives": False},
        "traces": [],
        "measurements": list(measurements),
        "troubles": [],
    }


def sample(at: float, steal: float = 0.0, **ran: float) -> Sample:
    """Threads by name, with the seconds that each has been on a CPU; a quarter of them in the kernel."""
    threads = {number: Thread(name.replace("_", "-"), time, time / 4) for number, (name, time) in enumerate(ran.items())}
    return Sample(at, threads, Machine(0.0, steal))


def pcap(packets: list, order: str = "<", magic: int = 0xA1B23C4D) -> bytes:
    """(wirelen, bytes) each."""
    head = struct.pack(order + "IHHIIII", magic, 2, 4, 0, 0, 262144, 1)
    return head + b"".join(struct.pack(order + "IIII", 1, 2, len(data), wirelen) + data for wirelen, data in packets)


def program(folder: Path, name: str, text: str) -> str:
    path = Path(folder) / name
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)
