# SPDX-License-Identifier: BSD-3-Clause
"""Programs that capture from a network interface into a pcap. All get a ring of 64 MiB."""

import re
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from ..bed import Bed
from ..bed.process import Process
from ..bed.wire import Wire
from ..trouble import Unavailable

RING_MIB = 64
FRAME_BYTES = 2048  # of a slot in af_packet's ring: with its header a frame fits into an mbuf of the usual size


@dataclass
class Capturer:
    """How one starts; `helpers` are started before it, and their CPU time and memory are its own."""

    name: str
    command: list
    helpers: list = field(default_factory=list)
    stop_by: int = signal.SIGINT
    sockets: int = 1  # packet sockets that show that it listens
    settle: float = 0.7  # seconds from there to being ready


def needed(program: str) -> str:
    found = shutil.which(program)
    if not found:
        raise Unavailable(f"{program}: not installed")
    return found


def af_packet(wire: Wire) -> str:
    frames = (RING_MIB << 20) // FRAME_BYTES
    return f"--vdev=net_af_packet0,iface={wire.port},blocksz=65536,framesz={FRAME_BYTES},framecnt={frames}"


def wirespool(kind: str, bed: Bed, wire: Wire, folder: Path) -> Capturer:
    own = ["--output", str(folder), "--stats", "none", "--rotate-size", "1TiB", *(["--handoff", kind] if kind else [])]
    command = [bed.wirespool, "capture", *bed.eal(2), af_packet(wire), "--", *own]
    return Capturer(f"wirespool{', ' + kind if kind else ''}", command)


def tcpdump(_bed: Bed, wire: Wire, folder: Path) -> Capturer:
    # -Z root: it would give up root and then not be allowed to write here.
    own = ["-i", wire.port, "-n", "-s", "0", "-B", str(RING_MIB << 10), "-Z", "root", "-w", str(folder / "a.pcap")]
    return Capturer("tcpdump", [needed("tcpdump"), *own])


def dumpcap(_bed: Bed, wire: Wire, folder: Path) -> Capturer:
    own = ["-q", "-P", "-i", wire.port, "-B", str(RING_MIB), "-w", str(folder / "a.pcap")]
    return Capturer("dumpcap", [needed("dumpcap"), *own])


def netsniff(_bed: Bed, wire: Wire, folder: Path) -> Capturer:
    own = ["--silent", "--in", wire.port, "--out", str(folder / "a.pcap"), "--ring-size", f"{RING_MIB}MiB"]
    return Capturer("netsniff-ng", [needed("netsniff-ng"), *own])


def same_mempools(testpmd: str) -> list:
    """dpdk-dumpcap finds dpdk-testpmd's mempools by the number of their driver, which is its place in the order of loading.
    Debian's testpmd is linked to one such driver and dumpcap to none, so every clone fails; loading it first mends that."""
    linked = subprocess.run(["ldd", testpmd], capture_output=True, text=True, check=False).stdout
    drivers = re.findall(r"librte_mempool_\S+ => (\S+)", linked)
    return ["env", f"LD_PRELOAD={':'.join(drivers)}"] if drivers else []


def dpdk_dumpcap(bed: Bed, wire: Wire, folder: Path) -> Capturer:
    """Needs a primary process that owns the port: testpmd, receiving and freeing."""
    if not bed.hugepages:
        raise Unavailable("dpdk-dumpcap: a second process needs hugepages to share")
    prefix = wire.port
    lcores = f"0@{bed.cpus[0]},1@{bed.cpus[1]}"
    testpmd = needed("dpdk-testpmd")
    # With a statistics period it neither reads commands nor ends at the end of its input.
    own = ["--forward-mode=rxonly", "--nb-cores=1", "--total-num-mbufs=16384", "--stats-period=60"]
    primary = [testpmd, "--lcores", lcores, "--no-pci", "--file-prefix", prefix, af_packet(wire), "--", *own]
    own = ["--file-prefix", prefix, "-q", "-P", "-i", "0", "-w", str(folder / "a.pcap")]
    command = [*same_mempools(testpmd), needed("dpdk-dumpcap"), *own]
    return Capturer("dpdk-dumpcap", command, helpers=[primary], settle=2.0)


def remove_shared_memory(prefix: str):
    """What a primary process leaves behind for a second one that will not come."""
    for path in Path("/dev/hugepages").glob(f"{prefix}map_*"):
        path.unlink(missing_ok=True)
    shutil.rmtree(f"/var/run/dpdk/{prefix}", ignore_errors=True)


class Running:
    """A Capturer with its helpers: asked for their CPU time and memory together."""

    def __init__(self, processes: list):
        self.processes = processes

    def samples(self) -> list:
        return [process.sample() for process in self.processes]

    def memory_mib(self) -> float:
        return sum(peak_memory_kib(process.pid) for process in self.processes) / 1024

    def main(self) -> Process:
        return self.processes[-1]


def peak_memory_kib(pid: int) -> int:
    """Peak resident set, and hugepages, which proc(5) keeps apart."""
    text = Path(f"/proc/{pid}/status").read_text()
    return sum(int(kib) for kib in re.findall(r"^(?:VmHWM|HugetlbPages):\s+(\d+)", text, re.MULTILINE))
