# SPDX-License-Identifier: BSD-3-Clause
"""The probe among others: two talk over a switch that copies what they say to a third, where `wirespool capture` stores it. Does it store all, and what does it cost the two?"""

import os
import time
from pathlib import Path

from measure.measurement import Measurement
from measure.trouble import Trouble, Unavailable

from . import runs
from .applications import PORTS, Load, last_line
from .fabric import Fabric
from .replay import ask_tcpdump

NEEDS = (("program", "tcpdump", "tcpdump"), ("hugepages", "128", ""))
PATIENCE = 30  # seconds until a capture counts
LAST_FRAMES = 1.5  # seconds that what is on its way has to be told in a line


class Capture:
    """`wirespool capture` on the port that the others are copied to; its files go with the run."""

    def __init__(self, fabric: Fabric, folder: Path, name: str):
        self.fabric, self.output = fabric, folder / name
        (nic,) = fabric.spares
        if not fabric.steps.dry:
            self.output.mkdir()
        eal = fabric.eal(f"{nic.node.name}c", 2, nic.node.cpu)
        own = [*eal, "--vdev", f"net_af_packet0,iface={nic.name}", "--", "--output", str(self.output), "--mbufs", "8191", "--blocks", "16"]
        self.child = fabric.steps.start(fabric.inside(nic.node, [fabric.program, "capture", *own]), fabric.run, name)
        if self.child:
            fabric.daemons.append(self.child)  # so that what its lcores had of their CPUs is watched as a switch's pollers are

    def wait_ready(self):
        end = time.monotonic() + PATIENCE
        while self.child and not last_line(self.child.out.read_text(errors="replace")):
            if not self.child.running() or time.monotonic() > end:
                raise Trouble(f"capture: does not begin: {self.child.said()}")
            time.sleep(0.05)

    def ended(self) -> dict:
        """Its last ledger line."""
        if not self.child:
            return {}
        self.fabric.daemons.remove(self.child)
        time.sleep(LAST_FRAMES)
        status = self.child.stop(60)
        line = last_line(self.child.out.read_text(errors="replace"))
        if status or not line.get("final"):
            raise Trouble(f"capture: ended with {status}: {self.child.said()}")
        return line

    def stored(self) -> int:
        """Frames of ours in its files, as tcpdump reads them: what the kernel says of its own is left out."""
        files = sorted(self.output.glob("*.pcap"))
        return sum(len(ask_tcpdump("-r", str(file), "-nn", "-t", "-q", f"udp dst port {PORTS['recv']}").splitlines()) for file in files)


def require_mirror(fabric: Fabric):
    if fabric.switch.on_ports:
        raise Unavailable(f"{fabric.switch.name}: the probe captures from an interface here: choose a switch with sockets")
    (nic,) = fabric.spares
    fabric.mirror_to(nic)


def told(ledger: dict) -> dict:
    """What the capture counted; missed is None where its port does not say."""
    missed = [port.get("nic_missed") for port in ledger["ports"]]
    return {f"probe_{name}": ledger["totals"][name] for name in ("received", "stored")} | {"probe_missed": None if None in missed else sum(missed)}


def exact(fabric: Fabric, folder: Path) -> Measurement:
    """At a low rate each packet has to be stored, once."""
    capture = Capture(fabric, folder, "exact")
    capture.wait_ready()
    counts = runs.counted(fabric)
    capture.ended()
    if fabric.steps.dry:
        return None
    counts |= {"stored": capture.stored()}
    if counts["stored"] != counts["sent"]:
        raise Trouble(f"{fabric.switch.name}: {counts['sent']} packets were sent and received, and {counts['stored']} stored by the probe")
    return Measurement("probe exact", "", fabric.switch.name, counts)


def cost(fabric: Fabric, folder: Path, load: Load, repeat: int) -> Measurement:
    """The same throughput without the probe and with it."""
    without = runs.throughput(fabric, load)
    capture = Capture(fabric, folder, f"cost-{load.frame_bytes}-{load.burst}-{load.rate}-{repeat}")
    capture.wait_ready()
    result = runs.throughput(fabric, load)
    ledger = capture.ended()
    if fabric.steps.dry:
        return None
    result.values |= {"probe_cpu_share": result.values.pop("switch_cpu_share"), "mpps_without": without.values["mpps"], **told(ledger)}
    result.shortfall = max((one.shortfall for one in (without, result) if one.shortfall is not None), default=None)
    needed, here = 4, len(os.sched_getaffinity(0))
    if needed > here:
        result.notes.append(f"two who talk and two lcores of the probe on {here} CPUs")
    return result
