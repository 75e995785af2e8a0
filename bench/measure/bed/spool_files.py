# SPDX-License-Identifier: BSD-3-Clause
"""A capture of some gigabytes over several folders, as something to read: hosts come and go, as they do on a link."""

import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..trouble import Trouble
from . import Bed
from .process import Process

SEGMENT_PACKETS = 25_000  # about 20 MB: this long a host is on the link
FLOWS = 400  # conversations in a segment
ETHERNET, RECORD, HEADER = 14, 16, 24
SOURCE, DESTINATION = ETHERNET + 12, ETHERNET + 16  # addresses in an IPv4 frame
NETWORKS = 200


@dataclass
class Spool:
    folders: list
    files: list
    packets: int
    bytes: int  # of the files
    host: str  # one that is in one segment only


def segment(bed: Bed) -> bytearray:
    path = bed.work / "traces" / "segment.pcap"
    command = [bed.program("tests/make_trace"), "--kind", "caida", "--packets", str(SEGMENT_PACKETS)]
    done = subprocess.run([*command, "--flows", str(FLOWS), "--out", str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Trouble(f"make_trace: {done.stderr.strip()}: is the build whole?")
    return bytearray(path.read_bytes())


def addresses(data: bytes) -> list:
    """Offsets of all IPv4 addresses, by the pcap's own record headers (pcap-savefile(5))."""
    at, found = HEADER, []
    while at < len(data):
        (caplen,) = struct.unpack_from("<I", data, at + 8)
        frame = at + RECORD
        if data[frame + 12 : frame + 14] == b"\x08\x00":
            found += [frame + SOURCE, frame + DESTINATION]
        at = frame + caplen
    return found


def write_trace(bed: Bed, path: Path, size: int) -> tuple:
    """The segment over and over, each time in networks of its own. Packets, and an address of the one in the middle."""
    data = segment(bed)
    offsets = addresses(data)
    seconds = [data[offset + 1] for offset in offsets]
    count, host = max(2, size // len(data)), ""
    with path.open("wb") as out:
        out.write(data[:HEADER])
        for number in range(count):
            for offset, second in zip(offsets, seconds):
                data[offset] = 11 + number % NETWORKS
                data[offset + 1] = second ^ (number // NETWORKS)
            out.write(memoryview(data)[HEADER:])
            if number == count // 2:
                host = ".".join(str(byte) for byte in data[offsets[0] : offsets[0] + 4])
    return count * SEGMENT_PACKETS, host


def make(bed: Bed, size: int, folders: list) -> Spool:
    trace = Path(folders[0]) / "trace.pcap"
    try:
        packets, host = write_trace(bed, trace, size)
        outputs = [word for folder in folders for word in ("--output", folder)]
        command = [bed.wirespool, "capture", *bed.eal(2), f"--vdev=net_pcap0,rx_pcap={trace}", "--", "--stats", "none"]
        command += ["--packets", str(packets), "--idle-exit", "20s", "--index", "flow", "--rotate-size", "1GiB", *outputs]
        with Process(command) as process:
            if process.wait(60 + size / 50e6) != 0:
                raise Trouble(f"wirespool: {process.said()}")
    finally:
        trace.unlink(missing_ok=True)
    files = sorted(path for folder in folders for path in Path(folder).glob("*.pcap"))
    return Spool(folders, files, packets, sum(path.stat().st_size for path in files), host)
