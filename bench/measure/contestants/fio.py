# SPDX-License-Identifier: BSD-3-Clause
"""fio, sequential O_DIRECT writes into preallocated files: what the drives take."""

import json
import time

from ..bed import cputime
from ..bed import Bed
from ..bed.process import Process
from ..measurement import Measurement
from ..trouble import Trouble

RAMP_SECONDS = 0.3  # as wirespool's warm-up
ENGINES = ["io_uring", "libaio", "psync"]


def depth_of(engine: str, bed: Bed) -> int:
    return 1 if engine == "psync" else bed.depth  # pwrite(2) returns when it is done


def command(bed: Bed, engine: str, directories: list, file_bytes: int) -> list:
    shared = [
        "fio", f"--ioengine={engine}", "--rw=write", f"--bs={bed.block_kib}k", "--direct=1", f"--iodepth={depth_of(engine, bed)}",
        f"--size={file_bytes}", "--fallocate=native", "--end_fsync=0", f"--ramp_time={int(RAMP_SECONDS * 1000)}ms",
        f"--runtime={bed.seconds}s", "--output-format=json",
    ]  # fmt: skip
    jobs = [word for i, d in enumerate(directories) for word in (f"--name=drive{i}", f"--directory={d}")]
    return [*shared, *jobs]


def sampled(process: Process, seconds: float) -> list:
    """CPU times of fio and its jobs while they write."""
    samples, end = [], time.monotonic() + seconds
    while process.running() and time.monotonic() < end:
        samples.append(process.sample())
        time.sleep(0.1)
    return samples


def first_and_last(samples: list) -> tuple:
    """After the jobs have started and before the first of them has gone."""
    most = max(len(s.threads) for s in samples)
    steady = [s for s in samples if len(s.threads) == most and s.at - samples[0].at > RAMP_SECONDS]
    if len(steady) < 2:
        raise Trouble("fio: ended before there was anything to measure: give it more --seconds, or more room")
    return steady[0], steady[-1]


def write(bed: Bed, engine: str, directories: list, file_bytes: int, wrapped: list = ()) -> Measurement:
    """`wrapped`: what to put before the command."""
    line = [*wrapped, *command(bed, engine, directories, file_bytes)]
    with Process(line) as process:
        samples = sampled(process, bed.seconds + 60)
        text = "\n".join(process.lines(10))
        if process.wait(10) != 0:
            raise Trouble(f"fio: {process.said()}")
    jobs = json.loads(text[text.index("{") :])["jobs"]
    before, after = first_and_last(samples)
    cpu, system = cputime.cpu_seconds(before, after)
    speed = sum(job["write"]["bw_bytes"] for job in jobs) / 1e9
    seconds = after.at - before.at
    result = Measurement("disk", "", "")
    result.values = {
        "gb_per_s": speed,
        "cpu_s_per_gb": cpu / seconds / speed,
        "system_s_per_gb": system / seconds / speed,
        "p99_write_ms": max(job["write"]["clat_ns"]["percentile"]["99.000000"] for job in jobs) / 1e6,
    }
    result.stolen = cputime.stolen(before, after)
    return result
