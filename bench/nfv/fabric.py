# SPDX-License-Identifier: BSD-3-Clause
"""A switch, nodes, and their interfaces or ports on it: made from data, in namespaces of its own."""

import os
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from measure.bed import cputime
from measure.trouble import Trouble, Unavailable

from . import needs
from .housing import Namespace
from .steps import JOURNALS, Steps
from .switches import SWITCHES, Daemon, Switch

# What such threads are called: those of Open vSwitch with DPDK, of EAL (dpdk-forward), of VPP and of Snabb. Open vSwitch without DPDK has none.
POLLER = re.compile(r"^(pmd-c|(lcore|rte|dpdk)-worker|vpp_(main|wk)|snabb)")
EAL_MIB = 64  # of hugepages that each application takes
SWITCH_PATIENCE = 20  # seconds until a daemon listens


def tag() -> str:
    """What all names of this run begin with."""
    return f"wst{os.getpid() % 100000}"


@dataclass
class Nic:
    number: int  # of its port, from 1
    node: "Node"
    name: str
    mac: str
    ip: str
    device: list = field(default_factory=list)  # EAL options, if it is a port of DPDK

    @property
    def port(self) -> str:
        return f"p{self.number}"


@dataclass
class Node:
    """Whoever runs an application: a namespace, or a container in it."""

    name: str
    cpu: int
    nics: list = field(default_factory=list)

    @property
    def space(self) -> str:
        return self.name


def mac_of(number: int) -> str:
    return f"02:57:53:00:{number >> 8:02x}:{number & 255:02x}"


def cpus() -> list:
    return sorted(os.sched_getaffinity(0))


class Fabric:
    """`segments` pairs of nodes side by side, or, as a chain, one way through `segments` - 1 forwarders. Gone when the `with` ends."""

    def __init__(self, steps: Steps, switch: Switch, program: str, segments: int = 1, chain: bool = False, spare: int = 0, house=Namespace):
        self.steps, self.switch, self.program, self.chain, self.spare = steps, switch, program, chain, spare
        self.run = JOURNALS / f"run-{os.getpid()}"
        self.space = f"{tag()}s"
        self.house = house(steps, self.run, program)
        self.nodes, self.segments, self.daemons = [], [], []
        self.number = 0
        places = cpus()
        if chain:
            hops = [self.node(f"{tag()}n{i}", places[i % len(places)]) for i in range(segments + 1)]
            self.segments = [(self.nic(a), self.nic(b)) for a, b in zip(hops, hops[1:])]
        else:
            for i in range(segments):
                near, far = (self.node(f"{tag()}{side}{i}", places[at % len(places)]) for at, side in ((2 * i, "a"), (2 * i + 1, "b")))
                self.segments.append((self.nic(near), self.nic(far)))
        # Such as a probe: on the switch, and nobody's peer.
        self.spares = [self.nic(self.node(f"{tag()}x{i}", places[-1 - i % len(places)])) for i in range(spare)]

    def node(self, name: str, cpu: int) -> Node:
        self.nodes.append(Node(name, cpu))
        return self.nodes[-1]

    def nic(self, node: Node) -> Nic:
        self.number += 1
        nic = Nic(self.number, node, f"eth{len(node.nics)}", mac_of(self.number), f"10.77.{self.number >> 8}.{self.number & 255}")
        node.nics.append(nic)
        return nic

    @property
    def forwarders(self) -> list:
        return self.nodes[1:-1] if self.chain else []

    @property
    def pairs(self) -> list:
        """Who sends to whom."""
        return [(self.segments[0][0], self.segments[-1][1])] if self.chain else self.segments

    @property
    def nics(self) -> list:
        return [nic for segment in self.segments for nic in segment] + self.spares

    def needs(self) -> tuple:
        """The switch's, which are those of one pair, with the hugepages of all processes."""
        more = len(self.nodes) - 2 + (len(self.segments) - 1 if self.switch.direct and self.switch.make else 0)
        return tuple((kind, str(int(name) + more * EAL_MIB) if kind == "hugepages" else name, where) for kind, name, where in self.switch.needs)

    def __enter__(self):
        try:
            if not self.steps.dry:
                needs.require(self.switch.name, (*self.needs(), *self.house.needs))
                clash = [name for name in (self.space, *(node.space for node in self.nodes)) if Path(f"/run/netns/{name}").exists()]
                if clash:
                    raise Trouble(f"{clash[0]}: a namespace of this name is there already, of an earlier run that was killed: bench/nfv/run.sh clean")
            self.make()
        except BaseException:
            self.steps.undo_all()
            raise
        return self

    def __exit__(self, *_):
        self.steps.undo_all()

    # --- making it ---

    def make(self):
        self.steps.folder(self.run)
        for name in (self.space, *(node.space for node in self.nodes)):
            self.steps.space(name)
        self.house.set_up(self.nodes)
        if self.switch.direct:
            for at, segment in enumerate(self.segments):
                self.make_wire(at, segment)
        else:
            self.make_switch({"first": "p1", "second": "p2"})
            for at, segment in enumerate(self.segments, 1):
                for command in self.switch.segment if self.chain else ():
                    self.steps.do(command.format(**self.words(segment=at)))
                for nic in segment:
                    self.make_port(nic, at)
            for nic in self.spares:
                self.make_port(nic, 0)
        if not self.switch.on_ports:
            for nic in self.nics:
                self.bring_up(nic)

    def words(self, **more) -> dict:
        switch_cpu = cpus()[-1]
        known = {
            "space": self.space, "run": self.run, "program": self.program, "switch_cpu": switch_cpu, "switch_mask": hex(1 << switch_cpu),
            "prefix": f"{tag()}o", "ports": self.number, "eal": " ".join(self.eal(f"{tag()}f{more.get('first', '')}", 2, switch_cpu)),
        }
        return known | more

    def make_switch(self, names: dict):
        for name, text in self.switch.settings:
            if self.steps.dry:
                self.steps.show(f"cat >{self.run / name} # settings")
                continue
            for key, value in self.words(**names).items():
                text = text.replace(f"{{{key}}}", str(value))
            (self.run / name).write_text(text)
        for step in self.switch.make:
            if isinstance(step, Daemon):
                self.start_daemon(step, names)
            else:
                self.steps.do(step.format(**self.words(**names)))

    def start_daemon(self, daemon: Daemon, names: dict):
        command = f"nsenter --net=/run/netns/{self.space} -- " + daemon.command.format(**self.words(**names))
        child = self.steps.start(command, self.run, f"{daemon.name}-{names['first']}")
        if child is None:
            return
        self.daemons.append(child)
        ready, end = Path(daemon.ready.format(**self.words(**names))), time.monotonic() + SWITCH_PATIENCE
        while not ready.exists():
            if not child.running() or time.monotonic() > end:
                raise Trouble(f"{self.switch.name}: {daemon.name} does not start: {child.said()}")
            time.sleep(0.05)

    def make_wire(self, at: int, segment: tuple):
        a, b = segment
        if self.switch.link == "veth":
            self.steps.do(["ip", "link", "add", a.name, "netns", a.node.space, "type", "veth", "peer", "name", b.name, "netns", b.node.space])
            return
        socket = self.run / f"wire{at}"
        if self.switch.link == "memif":
            # Who receives first is the server: it is started first.
            b.device = ["--vdev", f"net_memif{self.place(b)},role=server,socket={socket},socket-abstract=no,mac={b.mac}"]
            a.device = ["--vdev", f"net_memif{self.place(a)},role=client,socket={socket},socket-abstract=no,mac={a.mac}"]
        elif self.switch.link == "vhost":
            b.device = ["--vdev", f"net_vhost{self.place(b)},iface={socket}"]
            a.device = ["--vdev", f"net_virtio_user{self.place(a)},path={socket},mac={a.mac},queue_size=1024"]
        else:
            self.make_switch({"first": a.port, "second": b.port})
            for nic in segment:
                self.join(nic)

    def place(self, nic: Nic) -> int:
        return nic.node.nics.index(nic)

    def join(self, nic: Nic):
        """A port of DPDK at a switch that is one side of its socket."""
        server = ",server=1" if self.switch.link == "vhost-client" else ""
        nic.device = ["--vdev", f"net_virtio_user{self.place(nic)},path={self.run}/{nic.port}.sock,mac={nic.mac},queue_size=1024{server}"]

    def make_port(self, nic: Nic, segment: int):
        link, node = self.switch.link, nic.node
        if link == "veth":
            self.steps.do(["ip", "link", "add", nic.port, "netns", self.space, "type", "veth", "peer", "name", nic.name, "netns", node.space])
            self.steps.do(["ip", "-n", self.space, "link", "set", nic.port, "up"])
        elif link in ("vhost-client", "vhost-server"):
            self.join(nic)
        elif link == "vf":
            nic.device = ["-a", self.function(nic.number)]
        names = self.words(port=nic.port, at=nic.number, from_0=nic.number - 1, end=nic.name, end_space=node.space, mac=nic.mac, segment=segment)
        isolated = self.switch.isolate if self.chain else self.switch.flow
        for command in (*self.switch.port, *isolated):
            self.steps.do(command.format(**names))

    def function(self, number: int) -> str:
        found = sorted(path.parent.name for path in needs.FUNCTIONS.glob("*/physfn"))
        if number <= len(found):
            return found[number - 1]
        if self.steps.dry:
            return f"PCI-ADDRESS-OF-VF-{number}"
        raise Unavailable(f"{self.switch.name}: {len(found)} virtual functions of NICs are here, {len(self.nics)} are needed: wirespool vf create")

    def bring_up(self, nic: Nic):
        space = nic.node.space
        self.steps.do(["ip", "-n", space, "link", "set", nic.name, "address", nic.mac, "up"])
        if self.chain and nic.node in self.forwarders:
            # What the kernel joined is longer than an interface takes.
            self.steps.do(["nsenter", f"--net=/run/netns/{space}", "--", "ethtool", "-K", nic.name, "tso", "off", "gso", "off", "gro", "off"])
        else:
            self.steps.do(["ip", "-n", space, "address", "add", f"{nic.ip}/16", "dev", nic.name])

    def mirror_to(self, nic: Nic):
        """All that the other ports receive is copied to this one."""
        if not (self.switch.mirror or self.switch.mirrored):
            raise Trouble(f"{self.switch.name}: has no mirror: choose another switch")
        for command in self.switch.mirror:
            self.steps.do(command.format(**self.words(port=nic.port)))
        for other in self.nics:
            for command in self.switch.mirrored if other is not nic else ():
                self.steps.do(command.format(**self.words(port=nic.port, other=other.port)))

    # --- running in it ---

    def pollers(self) -> dict:
        """Seconds that each thread of the switch has been on a CPU that polls all the time, whatever comes."""
        found = {}
        for daemon in self.daemons:
            for task in Path(f"/proc/{daemon.process.pid}/task").glob("*"):
                try:
                    thread = cputime.read_thread(task)
                except OSError:
                    continue  # it has just ended
                if POLLER.match(thread.name):
                    found[task.name] = thread.ran
        return found

    def eal(self, prefix: str, workers: int, cpu: int) -> list:
        places = cpus()
        after = places.index(cpu)
        lcores = ",".join(f"{i}@{cpu if i == 0 else places[(after + i - 1) % len(places)]}" for i in range(workers + 1))
        return ["--lcores", lcores, "--in-memory", "--single-file-segments", "-m", str(EAL_MIB), "--no-pci", "--no-telemetry", "--file-prefix", prefix]

    def inside(self, node: Node, command: list) -> list:
        """In its namespace, but not in its container."""
        return ["nsenter", f"--net=/run/netns/{node.space}", "--", *command]


def find(name: str) -> Switch:
    if name not in SWITCHES:
        raise Trouble(f"no switch '{name}': there are {', '.join(SWITCHES)}")
    return SWITCHES[name]
