# SPDX-License-Identifier: BSD-3-Clause
"""Programs that capture on the kernel's interfaces, and wirespool on one: the same frames over the same veth pair."""

import subprocess
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from .. import rounds
from ..bed import cputime
from ..bed import Bed
from ..bed.pcap import content
from ..bed.process import Process
from ..bed.wire import Wire
from ..contestants import capturers
from ..contestants.capturers import Running
from ..measurement import Measurement
from ..rounds import Turn
from ..trouble import Trouble, Unavailable
from . import stages
from .disks import in_fresh_folders

KIND = "252"  # bytes of a frame, in a pcap
# kpps and how many packets. 0: as fast as the sender can.
RATES = {"100 kpps": (100, 200_000), "full speed": (0, 500_000)}
QUICK_RATES = ["full speed"]
DRAIN_SECONDS = 1.0


def wait_until_listening(process: Process, wire: Wire, sockets: int):
    end = time.monotonic() + 20
    while wire.packet_sockets() < sockets:
        if not process.running():
            raise Unavailable(f"{process.name()}: ended before it captured: {process.said()}")
        if time.monotonic() > end:
            raise Unavailable(f"{process.name()}: opened no packet socket within 20 s: {process.said()}")
        time.sleep(0.05)


def start(capturer, wire: Wire, stack: ExitStack) -> Running:
    processes = []
    for command in [*capturer.helpers, capturer.command]:
        first = not processes
        process = stack.enter_context(Process(wire.here(command), subprocess.DEVNULL))
        processes.append(process)
        if first:
            wait_until_listening(process, wire, capturer.sockets)
        time.sleep(capturer.settle)
        if not process.running():
            raise Unavailable(f"{capturer.name}: ended before it captured: {process.said()}")
    return Running(processes)


def cpu_between(before: list, after: list) -> float:
    return sum(cputime.cpu_seconds(a, b)[0] for a, b in zip(before, after))


def values_of(offered: int, seconds: float, cpu: float, machine: float, stored: int, exact: bool) -> dict:
    millions = stored / 1e6
    return {
        "offered": offered,
        "offered_kpps": offered / seconds / 1e3,
        "stored": stored,
        "stored_share": 100 * stored / offered if offered else None,
        "lost": offered - stored,
        "exact": int(exact),
        "cpu_s_per_million": cpu / millions if millions else None,
        "machine_s_per_million": machine / millions if millions else None,
    }


def capture(make, bed: Bed, trace: Path, kpps: int, expected: tuple, folders: list) -> Measurement:
    folder = Path(folders[0])
    with Wire() as wire, ExitStack() as stack:
        stack.callback(capturers.remove_shared_memory, wire.port)
        running = start(make(bed, wire, folder), wire, stack)
        counted, before, begin = wire.counted(), running.samples(), time.monotonic()
        wire.send(trace, kpps)
        seconds = time.monotonic() - begin
        time.sleep(DRAIN_SECONDS)
        after, offered = running.samples(), wire.counted() - counted
        memory = running.memory_mib()
        for process in reversed(running.processes):
            process.stop(20)
    stored = content(sorted(folder.glob("*.pcap")))
    machine = after[-1].machine.busy - before[-1].machine.busy
    result = Measurement("peers", "", "")
    result.values = values_of(offered, seconds, cpu_between(before, after), machine, stored[0], stored == expected)
    result.values["memory_mib"] = memory
    result.stolen = cputime.stolen(before[-1], after[-1])
    return result


def contestants(bed: Bed) -> dict:
    kinds = stages.handoff_kinds(bed)
    ours = {
        f"wirespool, {kind}": partial(capturers.wirespool, kind if options else "") for kind, options in kinds
    }
    return {
        "tcpdump": capturers.tcpdump,
        "dumpcap": capturers.dumpcap,
        "netsniff-ng": capturers.netsniff,
        "dpdk-dumpcap": capturers.dpdk_dumpcap,
    } | ours


def frames(bed: Bed, packets: int) -> tuple:
    """A trace of that many different frames, and what must be found in the end."""
    path = bed.work / "traces" / f"peers-{packets}.pcap"
    command = [bed.program("tests/make_trace"), "--kind", KIND, "--packets", str(packets), "--seed", "7", "--out", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Trouble(f"make_trace: {done.stderr.strip()}: is the build whole?")
    return path, content([path])


def measure(bed: Bed, quick: bool, log: rounds.Log):
    turns = []
    for case in QUICK_RATES if quick else RATES:
        kpps, packets = RATES[case]
        trace, expected = frames(bed, packets)
        for name, make in contestants(bed).items():
            once = partial(capture, make, bed, trace, kpps, expected)
            turns.append(Turn("peers", case, name, partial(in_fresh_folders, once, bed.directories[:1])))
    rounds.take(turns, 1 if quick else 2, log)
