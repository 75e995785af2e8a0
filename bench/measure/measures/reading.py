# SPDX-License-Identifier: BSD-3-Clause
"""Reading back: the merge of all files, what one host did, and whether all is well, beside others on the same files."""

import shutil
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path

from .. import rounds
from ..bed import spool_files
from ..bed import Bed
from ..bed.process import Process
from ..bed.spool_files import Spool
from ..measurement import Measurement
from ..rounds import Turn
from ..trouble import Trouble
from . import disks

MERGE, COLD, WARM, WHOLE = "merge", "one host, cold", "one host, warm", "verify"
EXTRACT, MERGECAP, TCPDUMP, TSHARK = "wirespool extract", "mergecap", "tcpdump -r", "tshark"
VERIFY, FIO, DD = "wirespool verify", "fio, O_DIRECT reads", "dd, O_DIRECT reads"


def drop_caches():
    subprocess.run(["sync"], check=False)
    Path("/proc/sys/vm/drop_caches").write_text("3\n")


def fill_caches(spool: Spool):
    """Twice: the second time a page is read, Linux moves it to the list of those in use, at the cost of whoever reads it."""
    paths = [*spool.files, *(file.with_suffix(".idx") for file in spool.files)]
    for path in paths * 2:
        with path.open("rb", buffering=0) as file:
            while file.read(1 << 24):
                pass


def timed(commands: list, spool: Spool, told: Path) -> dict:
    """One after the other; peak memory is that of the largest. GNU time starts them, because what a process began as counts
    too (getrusage(2), ru_maxrss), and this one is larger than some of them."""
    begin, cpu, memory = time.monotonic(), 0.0, 0
    for command in commands:
        with Process(["/usr/bin/time", "-f", "%M", "-o", told, *command]) as process:
            if process.finish() != 0:
                raise Trouble(f"{command[0]}: exit code {process.child.returncode}: {process.said()}")
            cpu += process.usage.ru_utime + process.usage.ru_stime
        memory = max(memory, int(told.read_text().split()[-1]))
    seconds = time.monotonic() - begin
    return {
        "seconds": seconds,
        "gb_per_s": spool.bytes / seconds / 1e9,
        "mpps": spool.packets / seconds / 1e6,
        "cpu_s": cpu,
        "memory_mib": memory / 1024,
    }


def run(commands: list, spool: Spool, told: Path, prepare) -> Measurement:
    prepare()
    result = Measurement("reading", "", "", timed(commands, spool, told))
    result.command = " ; ".join(" ".join(map(str, command)) for command in commands[:1])
    return result


def merges(bed: Bed, spool: Spool) -> dict:
    """Into nothing: what it takes to read and to put in order. tcpdump and tshark only read, a file after the other."""
    return {
        EXTRACT: [[bed.wirespool, "extract", *spool.folders, "-w", "/dev/null"]],
        MERGECAP: [["mergecap", "-F", "nsecpcap", "-w", "/dev/null", *spool.files]],
        TCPDUMP: [["tcpdump", "-r", file, "-w", "/dev/null"] for file in spool.files],
        TSHARK: [["tshark", "-n", "-r", file, "-w", "/dev/null"] for file in spool.files],
    }


def queries(bed: Bed, spool: Spool, out: Path) -> dict:
    words = f"host {spool.host}"
    return {
        EXTRACT: [[bed.wirespool, "extract", *spool.folders, "--filter", words, "-w", out]],
        TCPDUMP: [["tcpdump", "-r", file, "-w", f"{out}-{at}", words] for at, file in enumerate(spool.files)],
    }


def checks(bed: Bed, spool: Spool) -> dict:
    fio = ["fio", "--rw=read", "--direct=1", "--bs=2m", "--ioengine=libaio", "--iodepth=4", "--readonly", "--name=all"]
    return {
        VERIFY: [[bed.wirespool, "verify", *spool.folders]],
        FIO: [[*fio, f"--filename={file}"] for file in spool.files],
        DD: [["dd", f"if={file}", "of=/dev/null", "bs=4M", "iflag=direct"] for file in spool.files],
    }


def turns(bed: Bed, spool: Spool, out: Path) -> list:
    nothing, warm = (lambda: None), partial(fill_caches, spool)
    cases = [
        (MERGE, merges(bed, spool), warm),
        (COLD, queries(bed, spool, out), drop_caches),
        (WARM, queries(bed, spool, out), warm),
        (WHOLE, checks(bed, spool), nothing),
    ]
    return [
        Turn("reading", case, name, partial(run, commands, spool, out.with_suffix(".time"), prepare))
        for case, contestants, prepare in cases
        for name, commands in contestants.items()
    ]


def look_for_room(folder: str, size: int):
    free = shutil.disk_usage(folder).free
    if free < 2.2 * size:
        raise Trouble(f"{folder}: {free >> 30} GiB are free: --reading-gb {size / 1e9:g} needs {2.2 * size / 1e9:.0f} GB")


def measure(bed: Bed, gigabytes: float, log: rounds.Log):
    size = int(gigabytes * 1e9)

    def in_folders(folders: list):
        spool = spool_files.make(bed, size, folders)
        log.say(f"reading: {spool.bytes / 1e9:.2f} GB in {len(spool.files)} files, {spool.packets} packets, host {spool.host}")
        with tempfile.TemporaryDirectory(dir=bed.work) as out:
            rounds.take(turns(bed, spool, Path(out) / "found.pcap"), bed.repeats, log)

    try:
        look_for_room(bed.directories[0], size)
        disks.in_fresh_folders(in_folders, (bed.directories * 2)[:2])
    except Trouble as trouble:
        log.trouble(Turn("reading", "all", "all", None), trouble)
