# SPDX-License-Identifier: BSD-3-Clause
"""A capture that is sent again with its own gaps, captured once more behind a switch, and compared: frames, bytes and order by tcpdump, gaps by its stamps."""

import math
import re
import struct
import subprocess
import time
from itertools import zip_longest
from pathlib import Path

from measure.measurement import Measurement
from measure.trouble import Trouble, Unavailable

from . import needs
from .applications import last_line
from .fabric import Fabric
from .runs import Watch

NEEDS = (("program", "tcpdump", "tcpdump"),)
REPORTS = "01:00:5e:00:00:16"  # RFC 3376, 4.2.14
NANO, RECORD = 0xA1B23C4D, struct.Struct("<IIII")
PATIENCE = 20  # seconds until tcpdump listens, and beyond the capture's own length
FRACTIONS = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999))


def ask_tcpdump(*arguments) -> bytes:
    done = subprocess.run(["tcpdump", *arguments], capture_output=True, check=False, timeout=600)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise Trouble(f"tcpdump {arguments[1]}: {said[-1] if said else done.returncode}")
    return done.stdout


def normal(source: Path, target: Path) -> Path:
    """Whatever tcpdump reads, as pcap with nanoseconds."""
    ask_tcpdump("-r", str(source), "--time-stamp-precision=nano", "-w", str(target), "-Z", "root")
    return target


def frames_of(path: Path) -> list:
    """(nanoseconds, bytes) of each frame of a pcap that tcpdump wrote here."""
    data, at, found = path.read_bytes(), 24, []
    if len(data) < 24 or struct.unpack_from("<I", data)[0] != NANO:
        raise Trouble(f"{path.name}: is no pcap with nanoseconds of this machine's byte order")
    while at + RECORD.size <= len(data):
        seconds, fraction, kept, length = RECORD.unpack_from(data, at)
        if kept != length:
            raise Trouble(f"{path.name}: frame {len(found) + 1} was cut to {kept} of {length} bytes: give a capture of whole frames")
        found.append((seconds * 1_000_000_000 + fraction, kept))
        at += RECORD.size + kept
    return found


def shown(path: Path) -> list:
    """Each frame's bytes, in order, as tcpdump prints them: without times, names and what it makes of them."""
    found = []
    for line in ask_tcpdump("-r", str(path), "-t", "-nn", "-q", "-xx").decode(errors="replace").splitlines():
        if not line.startswith("\t0x"):
            found.append([])
        elif found:
            found[-1].append(line)
    return [frame for frame in found if frame]


def require_same(before: Path, after: Path):
    for number, (sent, came) in enumerate(zip_longest(shown(before), shown(after)), 1):
        if sent != came:
            raise Trouble(f"frame {number} {'did not come' if came is None else 'is one more than was sent' if sent is None else 'is another than was sent'}")


def gap_errors(before: list, after: list, speed: float) -> list:
    """By how much each gap differs from what it was, in nanoseconds, the least first."""
    pairs = list(zip(before, after))
    return sorted(abs((b[1][0] - a[1][0]) - (b[0][0] - a[0][0]) / speed) for a, b in zip(pairs, pairs[1:]))


def percentiles(errors: list, name: str) -> dict:
    """The smallest error that so many do not exceed."""
    values = {f"{name}_{word}_us": errors[math.ceil(fraction * len(errors)) - 1] / 1e3 for word, fraction in FRACTIONS}
    return values | {f"{name}_max_us": errors[-1] / 1e3}


def not_the_kernels(fabric: Fabric, near) -> str:
    """A filter without the reports of groups (IGMP) that interfaces of the set-up itself send once they are up, a bridge's too."""
    own = [near.mac, *re.findall(r"link/ether (\S+)", fabric.steps.do(["ip", "-n", fabric.space, "-o", "link"]))]
    return " and ".join(f"not (ether src {mac} and ether dst {REPORTS})" for mac in own)


def listen(fabric: Fabric, near, far, target: Path):
    command = ["tcpdump", "-i", far.name, "-Q", "in", "--immediate-mode", "-B", "65536", "-s", "0", "--time-stamp-precision=nano", "-Z", "root", "-w", str(target), not_the_kernels(fabric, near)]
    child = fabric.steps.start(fabric.inside(far.node, command), fabric.run, "tcpdump")
    end = time.monotonic() + PATIENCE
    while child and "listening on" not in child.err.read_text(errors="replace"):
        if not child.running() or time.monotonic() > end:
            raise Trouble(f"tcpdump: does not listen: {child.said()}")
        time.sleep(0.05)
    return child


def send(fabric: Fabric, near, source: Path, speed: float, blocking: bool, seconds: float) -> dict:
    how = ["--speed", f"{speed:g}", "--json"] + (["-B"] if blocking else [])
    child = fabric.steps.start(fabric.house.command(near.node, [fabric.program, "send", "-R", near.name, "--pcap", str(source), *how], pin=True), fabric.run, "send")
    if child is None:
        return {}
    status = child.wait(PATIENCE + seconds)
    line = last_line(child.out.read_text(errors="replace"))
    if status or not line.get("final"):
        raise Trouble(f"send: ended with {status}: {child.said()}")
    return line


def replay(fabric: Fabric, source: Path, speed: float, blocking: bool) -> Measurement:
    if fabric.switch.on_ports:
        raise Unavailable(f"{fabric.switch.name}: tcpdump captures from interfaces, and its ends are ports of DPDK: choose veth or a switch with sockets")
    ((near, far),) = fabric.pairs
    for nic in (near, far):  # so that no IP stack answers to what comes
        fabric.steps.do(["ip", "-n", nic.node.space, "address", "flush", "dev", nic.name])
    before, after = fabric.run / "before.pcap", fabric.run / "after.pcap"
    if fabric.steps.dry:
        listen(fabric, near, far, after)
        send(fabric, near, source, speed, blocking, 0)
        return None
    needs.require("replay", NEEDS)
    frames = frames_of(normal(source, before))
    if len(frames) < 2:
        raise Trouble(f"{source}: has {len(frames)} frames, and so no gap: give a capture with more")
    seconds = (frames[-1][0] - frames[0][0]) / 1e9 / speed
    child = listen(fabric, near, far, after)
    watch = Watch(fabric)
    line = send(fabric, near, before, speed, blocking, seconds)
    stolen, _ = watch.stolen_and_share()
    time.sleep(1)  # what is on its way
    child.stop()
    require_same(before, after)
    result = measurement_of(fabric, frames, frames_of(after), line, speed, blocking)
    result.stolen = stolen
    return result


def measurement_of(fabric: Fabric, frames: list, again: list, line: dict, speed: float, blocking: bool) -> Measurement:
    values = {"sent": line["sent"], "received": len(again), "bytes": sum(length for _, length in again), "cpu_share": line["cpu_share"]}
    values |= percentiles(gap_errors(frames, again, speed), "gap") | {"mean_size": values["bytes"] / len(again)}
    if own := line.get("gap_error_ns"):
        values |= {f"own_{name}_us": own[name] / 1e3 for name in ("p50", "p90", "p99", "p999", "max")}
    result = Measurement("replay", "", fabric.switch.name, values)
    result.shortfall = None if blocking else 1 - (line["cpu_share"] or 0.0)
    return result
