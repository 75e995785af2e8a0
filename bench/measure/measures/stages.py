# SPDX-License-Identifier: BSD-3-Clause
"""How fast packets are received, handed over and copied, beside testpmd and memcpy on the same traces."""

import re
import subprocess
from functools import partial

from ..bed import Bed, trace_device
from ..contestants import frame_copy, testpmd, wirespool
from ..rounds import Turn
from ..trouble import Trouble
from . import distance

RXONLY = "testpmd rxonly"
MEMCPY = "memcpy"  # out of as many buffers as wirespool has mbufs, into one Block: all of it stays in the cache
MEMORY = "memcpy, memory"  # out of and into more than any cache holds
FROM_MBUFS, INTO_BYTES = 65536, 64 << 20
HANDOFF_KINDS = "--handoff "


def name_of(until: str, kind: str) -> str:
    return f"wirespool {until}" + (f", {kind}" if until != "rx" else "")


def handoff_kinds(bed: Bed) -> list:
    """(its name, its options) of each way that packets cross to the writer lcores."""
    if not wirespool.supports(bed, HANDOFF_KINDS):
        return [("packets", [])]
    return [(kind, ["--handoff", kind]) for kind in ("packets", "blocks")]


def planned_mbufs(bed: Bed, trace) -> int:
    """How many mbufs wirespool takes for such a port."""
    command = [bed.wirespool, "capture", *bed.eal(2), trace_device(trace.path), "--", "--until", "block", "--dry-run"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"\b(\d+) mbufs of", done.stdout + done.stderr)
    if not found:
        raise Trouble(f"wirespool capture --dry-run: {done.stderr.strip()[-300:] or 'printed no plan'}")
    return int(found.group(1))


def of_trace(bed: Bed, trace, kinds: list) -> list:
    mbufs = planned_mbufs(bed, trace)  # without those that hold the trace, for which wirespool has a pool of their own
    crossing = [(until, *kind) for until in ("handoff", "block") for kind in kinds]
    turns = [Turn("stages", trace.name, RXONLY, partial(testpmd.receive, bed, trace, mbufs + trace.packets))]
    turns += [Turn("stages", trace.name, name_of("rx", ""), partial(wirespool.stage, bed, trace, "rx"))]
    turns += [
        Turn("stages", trace.name, name_of(until, kind), partial(distance.around, bed, partial(wirespool.stage, bed, trace, until, options)))
        for until, kind, options in crossing
    ]
    return turns + [
        Turn("stages", trace.name, MEMCPY, partial(frame_copy.copy, bed, trace, mbufs, bed.block_kib << 10)),
        Turn("stages", trace.name, MEMORY, partial(frame_copy.copy, bed, trace, FROM_MBUFS, INTO_BYTES)),
    ]


def turns(bed: Bed, traces: list) -> list:
    kinds = handoff_kinds(bed)
    return [turn for trace in traces for turn in of_trace(bed, trace, kinds)]
