# SPDX-License-Identifier: BSD-3-Clause
"""How far apart the RX and the writer lcore's CPUs are. Virtual ones are moved about, and what crosses between them costs
accordingly."""

import json
import subprocess

from ..bed import Bed
from ..trouble import Trouble

# Between what two threads or cores under one cache take (50 to 150 ns) and what two dies do (400 to 600 ns).
FAR_NS = 250
VALUE = "round_trip_ns"


def round_trip_ns(bed: Bed) -> float:
    command = [bed.program("bench/micro/memory/line_round_trip"), str(bed.cpus[1]), str(bed.cpus[2])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Trouble(done.stderr.strip())
    return json.loads(done.stdout)["round_trip_ns"]


def around(bed: Bed, measure) -> object:
    """measure(), with the distance before and after; if the CPUs were moved meanwhile it says nothing."""
    before = round_trip_ns(bed)
    result = measure()
    after = round_trip_ns(bed)
    result.values[VALUE] = max(before, after)
    result.moved = (before > FAR_NS) != (after > FAR_NS)
    return result
