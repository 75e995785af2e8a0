# SPDX-License-Identifier: BSD-3-Clause
"""memcpy: what copying the same frames out of as much memory into as large buffers costs, and nothing else."""

import json

from ..bed import cputime
from ..bed import Bed
from ..bed.process import Process
from ..measurement import Measurement


def copy(bed: Bed, trace, mbufs: int, into_bytes: int) -> Measurement:
    own = ["--mbufs", str(mbufs), "--block-size", str(into_bytes), "--seconds", str(bed.seconds)]
    on_cpu = ["taskset", "-c", str(bed.cpus[2])]
    program = bed.program("bench/micro/memory/frame_copy")
    lines = []
    with Process([*bed.priority(), *on_cpu, program, *own, str(trace.path)]) as process:
        for line in process.lines(bed.seconds + 20):
            lines.append((json.loads(line), process.sample()))
        process.wait(10)
    (started, before), (ended, after) = lines[0], lines[-1]
    result = Measurement("stages", trace.name, "")
    result.values = {"mpps": ended["mpps"], "gbit": ended["mpps"] * trace.mean_bytes * 8 / 1e3}
    result.shortfall = 1 - ended["cpu_s"] / ended["wall_s"]
    result.stolen = cputime.stolen(before, after)
    result.notes = [started["memory"]]
    return result
