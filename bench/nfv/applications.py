# SPDX-License-Identifier: BSD-3-Clause
"""The applications of wirespool as command lines, and what their last line says."""

import json
import time
from dataclasses import dataclass

from measure.trouble import Trouble

from .fabric import Fabric, Nic

PORTS = {"send": 13994, "recv": 16994, "client": 16803, "clientst": 16803, "server": 16196}
WORKERS = {"client": 2, "forward": 2}
LINK_PATIENCE = 45  # DPDK's applications wait 30 s for their link


@dataclass(frozen=True)
class Load:
    """What is sent, and how: nfv.md's parameters."""

    frame_bytes: str = "64"  # without FCS, or a mix
    burst: int = 32
    rate: str = "0"  # packets a second, 0: as many as go
    seconds: float = 2.0
    warmup: float = 0.5
    raw: bool = False
    blocking: bool = False
    many: bool = True  # -m
    check: bool = False
    count: int = 0


def last_line(text: str) -> dict:
    lines = [line for line in text.splitlines() if line.startswith("{")]
    try:
        return json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}


class Application:
    """One of them, at a nic; `peer` is the other end, `other` the second nic of a forwarder."""

    def __init__(self, fabric: Fabric, name: str, nic: Nic, peer: Nic, load: Load, other: Nic = None):
        self.fabric, self.name, self.nic, self.peer, self.load, self.other = fabric, name, nic, peer, load, other
        self.child = None

    @property
    def sends(self) -> bool:
        return self.name in ("send", "client", "clientst")

    def own(self) -> list:
        load, on_ports = self.load, self.fabric.switch.on_ports
        words = ["-b", str(load.burst), "--json"]
        if self.name != "forward":
            # An end of UDP sockets has the kernel find the other's address.
            resolved = not on_ports and not load.raw
            words = [self.nic.ip, "-", self.peer.ip, "-" if resolved or not self.sends else self.peer.mac, *words]
        if not on_ports:
            raw = load.raw or self.name == "forward"
            words += [word for nic in (self.nic, self.other) if nic and raw for word in ("-R", nic.name)]
            words += ["-m"] if load.many else []
        if load.blocking:
            words.append("-B")
        if load.check and self.name != "forward":
            words.append("-c")
        if self.sends:
            words += ["-p", load.frame_bytes] + (["-r", load.rate] if load.rate != "0" else [])
            words += ["--count", str(load.count)] if load.count else ["--duration", f"{load.seconds}s"]
            words += ["--warmup", f"{load.warmup}s"] if load.warmup and not load.count else []
        elif self.name == "recv":
            words += ["--idle-exit", "1s"]
        return words

    def command(self) -> list:
        fabric, node = self.fabric, self.nic.node
        if not fabric.switch.on_ports:
            return fabric.house.command(node, [fabric.program, self.name, *self.own()], pin=True)
        eal = fabric.eal(f"{node.name}", WORKERS.get(self.name, 1), node.cpu)
        devices = self.nic.device + (self.other.device if self.other else [])
        if "-a" in devices:
            eal.remove("--no-pci")
        return fabric.house.command(node, [fabric.program, f"dpdk-{self.name}", *eal, *devices, "--", *self.own()], pin=False)

    def start(self):
        self.child = self.fabric.steps.start(self.command(), self.fabric.run, f"{self.name}-{self.nic.node.name}")
        return self

    def text(self) -> str:
        return self.child.out.read_text(errors="replace")

    def is_ready(self) -> bool:
        """It listens, as far as can be seen from outside; who has a link only with its peer is not waited for."""
        switch = self.fabric.switch
        if switch.on_ports:
            sockets = [word.split(mark)[1].split(",")[0] for word in self.nic.device for mark in ("socket=", "iface=", "path=") if mark in word]
            return all((self.fabric.run / name).exists() for name in sockets) and (switch.direct or self.sends or bool(last_line(self.text())))
        kind = "packet" if self.load.raw or self.name == "forward" else "udp"
        listening = self.fabric.steps.do(self.fabric.inside(self.nic.node, ["cat", f"/proc/net/{kind}"]))
        if kind == "packet":
            return len(listening.splitlines()) > (2 if self.name == "forward" else 1)
        return f":{PORTS[self.name]:04X} " in listening

    def wait_ready(self):
        if self.child is None:
            return
        end = time.monotonic() + LINK_PATIENCE
        while not self.is_ready():
            if not self.child.running():
                raise Trouble(f"{self.name}: {self.child.said()}")
            if time.monotonic() > end:
                raise Trouble(f"{self.name}: is not ready after {LINK_PATIENCE} s: {self.child.said()}")
            time.sleep(0.05)

    def result(self, seconds: float) -> dict:
        """Its last line, when it has ended by itself."""
        if self.child is None:
            return {}
        status = self.child.wait(seconds)
        return self.final(status)

    def stopped(self) -> dict:
        return self.final(self.child.stop()) if self.child else {}

    def final(self, status: int) -> dict:
        line = last_line(self.text())
        if not line.get("final"):
            raise Trouble(f"{self.name}: ended with {status} and no result: {self.child.said()}")
        return line
