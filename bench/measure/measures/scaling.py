# SPDX-License-Identifier: BSD-3-Clause
"""What a packet costs as there is more of everything: queues, ports, directories, files, time."""

from functools import partial
from pathlib import Path

from ..bed import Bed
from ..bed.traces import Trace, make_one
from ..contestants import wirespool
from ..contestants.wirespool import Run, WARM_UP_NS, taken
from ..measurement import Measurement
from ..rounds import Turn
from .disks import in_fresh_folders

# A queue keeps its own copy of the trace: few packets, so that eight of them are no more memory than one trace elsewhere.
SMALL_TRACE = 500
COUNTS = [1, 2, 4, 8]
OLD_FILES = [0, 1_000, 10_000, 100_000]
FILE_SIZES = ["16MiB", "64MiB", "256MiB", "1GiB"]
BLOCKS = ["--handoff", "blocks"]
LONG_SECONDS = 20


def queues_of(trace: Trace, count: int) -> list:
    return ["--vdev=net_pcap0," + ",".join([f"rx_pcap={trace.path}"] * count) + ",infinite_rx=1"]


def ports_of(trace: Trace, count: int) -> list:
    return [f"--vdev=net_pcap{i},rx_pcap={trace.path},infinite_rx=1" for i in range(count)]


def dropped(bed: Bed, devices: list, own: list) -> Measurement:
    """One RX lcore that builds Blocks, which end there."""
    duration = f"{bed.seconds + WARM_UP_NS / 1e9:.1f}s"
    options = ["--duration", duration, "--stats", "json", "--stats-interval", "200ms", "--until", "block", *BLOCKS, *own]
    run = Run([bed.wirespool, "capture", *bed.eal(1), *devices, "--", *options]).watch(bed.seconds + 30)
    (first, before), (last, after) = run.window()
    seconds = (last["elapsed_ns"] - first["elapsed_ns"]) / 1e9
    result = Measurement("scaling", "", "")
    result.values = {"ns_per_packet": seconds * 1e9 / max(1, taken(last) - taken(first))}
    wirespool.judge(result, last, before, after)
    return result


def stored(bed: Bed, trace: Trace, own: list, folders: list) -> Measurement:
    return wirespool.to_disk(bed, trace, folders, [*BLOCKS, *own])


def in_folders(measure, directory: str, count: int) -> Measurement:
    return in_fresh_folders(measure, [directory] * count)


def among_old_files(measure, count: int, folders: list) -> Measurement:
    for i in range(count):
        Path(folders[0], f"old-{i:06}.pcap").touch()
    return measure(folders)


def over_time(bed: Bed, trace: Trace) -> list:
    """Early and late in one long run: (the first seconds, the last ones) as two measurements of one case."""
    options = ["--duration", f"{LONG_SECONDS}s", "--stats", "json", "--stats-interval", "1s", "--until", "block", *BLOCKS]
    device = f"--vdev=net_pcap0,rx_pcap={trace.path},infinite_rx=1"
    run = Run([bed.wirespool, "capture", *bed.eal(1), device, "--", *options]).watch(LONG_SECONDS + 30)
    lines = [moment for moment in run.moments if not moment[0]["final"]]
    found = []
    for at in range(0, len(lines) - 5, 5):
        (first, before), (last, after) = lines[at], lines[at + 5]
        packets = taken(last) - taken(first)
        one = Measurement("scaling", f"{taken(first) * trace.mean_bytes / 1e12:.2f} TB received before", "packets received")
        one.values = {"ns_per_packet": (last["elapsed_ns"] - first["elapsed_ns"]) / max(1, packets)}
        wirespool.judge(one, last, before, after)
        found.append(one)
    return found


def turns(bed: Bed, trace: Trace, folder: Path) -> list:
    small = make_one(bed.program("tests/make_trace"), folder, "64 B", SMALL_TRACE)
    found = []
    for count in COUNTS:
        queues = partial(dropped, bed, queues_of(small, count), ["--rx-queues", str(count)])
        found.append(Turn("scaling", f"{count} of one port", "RX queues of one lcore", queues))
    for count in COUNTS:
        found.append(Turn("scaling", f"{count} of one queue", "ports of one lcore", partial(dropped, bed, ports_of(small, count), [])))
    for count in [*COUNTS, 16]:
        measure = partial(stored, bed, trace, [])
        found.append(Turn("scaling", f"{count} open", "directories and open files", partial(in_folders, measure, bed.directories[0], count)))
    for size in FILE_SIZES:
        measure = partial(stored, bed, trace, ["--rotate-size", size])
        found.append(Turn("scaling", size, "size of a file", partial(in_folders, measure, bed.directories[0], 1)))
    for count in OLD_FILES:
        measure = partial(among_old_files, partial(stored, bed, trace, ["--rotate-size", "64MiB"]), count)
        found.append(Turn("scaling", f"{count:,} files", "files in the directory", partial(in_folders, measure, bed.directories[0], 1)))
    return found
