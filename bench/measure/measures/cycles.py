# SPDX-License-Identifier: BSD-3-Clause
"""Where an lcore's time goes: TSC cycles per packet and stage, counted by a wirespool built with -Dstage_cycles=true."""

from functools import partial

from ..bed import Bed
from ..contestants import wirespool
from ..contestants.wirespool import Run
from ..measurement import Measurement
from ..rounds import Turn
from .disks import in_fresh_folders
from .stages import handoff_kinds

PROGRAM = "stage-cycles/src/wirespool"


def per_packet(first: dict, last: dict) -> dict:
    """{"rx lcore: stamp": cycles per packet, ...} between two ledger lines. Waiting is nobody's cost."""
    found = {}
    for before, after in zip(first["lcores"], last["lcores"]):
        packets = after["packets"] - before["packets"]
        for stage, cycles in after["cycles"].items():
            if stage != "idle" and packets:
                found[f"{after['role']} lcore: {stage}"] = (cycles - before["cycles"][stage]) / packets
    return found


def stages_of(bed: Bed, trace, own: list) -> Measurement:
    line = wirespool.command(bed, trace, own, [])
    line[line.index(bed.wirespool)] = bed.program(PROGRAM)
    run = Run(line).watch(bed.seconds + 60)
    (first, before), (last, after) = run.window()
    result = Measurement("cycles", trace.name, "")
    result.values = per_packet(first, last)
    wirespool.judge(result, last, before, after)
    return result


def to_disk(bed: Bed, trace, options: list, folders: list) -> Measurement:
    return stages_of(bed, trace, [*options, "--output", folders[0]])


def turns(bed: Bed, traces: list) -> list:
    found = []
    for kind, options in handoff_kinds(bed):
        for trace in traces:
            dropped = partial(stages_of, bed, trace, ["--until", "block", *options])
            found.append(Turn("cycles", f"{trace.name}, dropped", f"wirespool, {kind}", dropped))
            stored = partial(in_fresh_folders, partial(to_disk, bed, trace, options), bed.directories[:1])
            found.append(Turn("cycles", f"{trace.name}, stored", f"wirespool, {kind}", stored))
    return found
