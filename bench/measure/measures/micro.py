# SPDX-License-Identifier: BSD-3-Clause
"""The small programs under bench/micro: each measures its contestants in turns and prints JSON lines."""

import json

from ..bed import cputime
from ..bed import Bed
from ..bed.process import Process
from ..measurement import Measurement
from ..rounds import Log, Turn
from ..trouble import Trouble

# program, its arguments, whether it only needs its CPUs
PROGRAMS = [
    ("bench/micro/record/append_bench", [], True),
    ("bench/micro/policy/timebase_bench", [], True),
    ("bench/micro/flow/flow_bench", [], True),
    ("bench/micro/format/crc32c_bench", [], True),
    ("bench/micro/capture/handoff_bench", [], True),
]


def pinned(bed: Bed, command: list) -> list:
    return ["taskset", "-c", f"{bed.cpus[1]},{bed.cpus[2]}", *command]


def one_line(line: dict, stolen: float) -> Measurement:
    found = Measurement("micro", line["case"], line["name"])
    found.values = {key: line[key] for key in ("ns", "low_ns", "high_ns")}
    found.shortfall, found.stolen = line.get("shortfall"), stolen
    return found


def run(bed: Bed, program: str, arguments: list, realtime: bool, log: Log):
    command = pinned(bed, [bed.program(program), "--json", *arguments])
    before, lines = cputime.read_machine(), []
    with Process([*(bed.priority() if realtime else []), *command]) as process:
        lines = [json.loads(line) for line in process.lines(120) if line.startswith("{")]
        if process.wait(10) != 0:
            raise Trouble(f"{program}: {process.said()}")
    stolen = cputime.read_machine().steal - before.steal
    for line in lines:
        log.keep(one_line(line, stolen))


def measure(bed: Bed, log: Log):
    io = ("bench/micro/storage/io_queue_bench", [bed.directories[0], "256"], False)
    for program, arguments, realtime in [*PROGRAMS, io]:
        try:
            run(bed, program, arguments, realtime, log)
        except Trouble as trouble:
            log.trouble(Turn("micro", program, "", None), trouble)
