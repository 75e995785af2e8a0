# SPDX-License-Identifier: BSD-3-Clause
"""Where everything is and how contestants are started: the same for all of them."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from ..trouble import Trouble


@dataclass
class Bed:
    build: Path  # Meson build folder of a release build with -Dbench=enabled
    work: Path  # traces and other files of a run
    cpus: list  # main, RX, writer
    seconds: float = 2.0
    repeats: int = 3
    depth: int = 8
    block_kib: int = 1024
    realtime: bool = False
    hugepages: bool = True
    directories: list = field(default_factory=list)

    @property
    def wirespool(self) -> str:
        return str(self.build / "src/wirespool")

    def program(self, path: str) -> str:
        return str(self.build / path)

    def priority(self) -> list:
        """Before a contestant that only needs its CPUs. Never before one that needs the kernel's workers."""
        return ["chrt", "-r", "10"] if self.realtime else []

    def eal(self, lcores: int) -> list:
        """For `lcores` that poll, besides the main lcore."""
        places = ",".join(f"{lcore}@{self.cpus[lcore]}" for lcore in range(lcores + 1))
        memory = ["--in-memory"] if self.hugepages else ["--no-huge", "-m", "1024"]
        return ["--lcores", places, *memory, "--no-pci", "--no-telemetry"]


def trace_device(trace: Path) -> str:
    """A port that delivers a trace from memory, over and over."""
    return f"--vdev=net_pcap0,rx_pcap={trace},infinite_rx=1"


def choose_cpus(asked: str = "") -> list:
    """For main, RX and writer. With two CPUs, main, which sleeps, shares the RX lcore's."""
    allowed = sorted(os.sched_getaffinity(0))
    if asked:
        cpus = [int(word) for word in asked.split(",")]
        if len(cpus) != 3 or not set(cpus) <= set(allowed):
            raise Trouble(f"--cpus {asked}: three CPUs out of {allowed} are needed: give main, RX and writer, as 0,1,2")
        return cpus
    if len(allowed) < 2:
        raise Trouble("one CPU: an RX lcore and a writer lcore need one each: measure on a machine with two")
    cores = one_cpu_per_core(allowed)
    polling = cores[-2:] if len(cores) > 2 else (cores if len(cores) == 2 else allowed[:2])
    return [allowed[0], *polling]


def one_cpu_per_core(cpus: list) -> list:
    seen, chosen = set(), []
    for cpu in cpus:
        topology = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology")
        try:
            core = (topology / "physical_package_id").read_text(), (topology / "core_id").read_text()
        except OSError:
            core = cpu
        if core not in seen:
            seen.add(core)
            chosen.append(cpu)
    return chosen


def watch_before_others():
    """This process sleeps nearly always; when it wakes to look at a contestant's CPU time, the contestant must not make it
    wait. What it starts does not inherit this (sched(7), SCHED_RESET_ON_FORK)."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(20))
    except OSError:
        pass  # then some measurements may look worse than they were, and are flagged


def may_run_realtime() -> bool:
    try:
        return subprocess.run(["chrt", "-r", "10", "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False
