# SPDX-License-Identifier: BSD-3-Clause
"""Do several drives give as much more as there are more of them? On loop drives, all of one known speed."""

from functools import partial

from .. import rounds
from ..bed import Bed
from ..bed.loop_drives import MIB, LoopDrives
from ..contestants import fio, wirespool
from ..rounds import Turn
from ..trouble import Trouble
from . import disks
from .stages import handoff_kinds

BYTES_PER_S = 200_000_000
COUNTS = [1, 2, 4]


def case_of(count: int) -> str:
    return f"{count} loop drive{'s' if count > 1 else ''}"


def size_mib(bed: Bed) -> int:
    """Room for what one drive takes in a turn, and for the files that wirespool preallocates ahead of it."""
    return int((bed.seconds + 2) * BYTES_PER_S / MIB) + 1500


def fio_writes(bed: Bed, wrapped: list, folders: list):
    return fio.write(bed, "io_uring", folders, int((bed.seconds + 1.5) * BYTES_PER_S), wrapped)


def wirespool_writes(bed: Bed, trace, options: list, wrapped: list, folders: list):
    return wirespool.to_disk(bed, trace, folders, [*options, "--rotate-size", "1GiB"], wrapped)


def turns(bed: Bed, trace, drives: LoopDrives) -> list:
    wrapped, found = drives.throttle.wrapped(), []
    for count in COUNTS:
        contestants = [("fio io_uring", partial(fio_writes, bed, wrapped))]
        for kind, options in handoff_kinds(bed):
            contestants.append((f"wirespool, {kind}", partial(wirespool_writes, bed, trace, options, wrapped)))
        for name, measure in contestants:
            once = partial(disks.in_fresh_folders, measure, drives.directories(count))
            found.append(Turn("drives", case_of(count), name, once))
    return found


def measure(bed: Bed, trace, log: rounds.Log):
    try:
        with LoopDrives(bed.directories[0], max(COUNTS), BYTES_PER_S, size_mib(bed)) as drives:
            rounds.take(turns(bed, trace, drives), min(2, bed.repeats), log)
    except Trouble as trouble:
        log.trouble(Turn("drives", "loop drives", "all", None), trouble)
