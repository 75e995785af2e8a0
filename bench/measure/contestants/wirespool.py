# SPDX-License-Identifier: BSD-3-Clause
"""wirespool capture, up to a stage or onto directories. Rates come from its ledger, between two of its lines."""

import json
import subprocess

from ..bed import cputime
from ..bed import Bed, trace_device
from ..bed.process import Process
from ..measurement import Measurement
from ..trouble import Trouble

# Not counted: the caches are cold, files are being opened, drives spend what their buffers save.
WARM_UP_NS = 300_000_000
INTERVAL = "200ms"


class Run:
    """A running `wirespool capture`: its ledger lines, each with the CPU times of that moment."""

    def __init__(self, command: list):
        self.command = command
        self.moments = []  # (ledger, sample)

    def watch(self, patience: float):
        with Process(self.command) as process:
            for line in process.lines(patience):
                if line.startswith("{"):
                    self.moments.append((json.loads(line), process.sample()))
            status = process.wait(patience)
            if status != 0:
                raise Trouble(f"wirespool: exit code {status}: {process.said()}")
        return self

    def window(self) -> tuple:
        """The first and the last moment of what counts."""
        steady = [m for m in self.moments if not m[0]["final"] and m[0]["elapsed_ns"] >= WARM_UP_NS]
        if len(steady) < 2:
            raise Trouble("wirespool: ended before there was anything to measure: give it more --seconds")
        return steady[0], steady[-1]


def taken(ledger: dict) -> int:
    totals = ledger["totals"]
    return totals["received"] - totals["drop_handoff"] - totals["drop_drive"]


def supports(bed: Bed, option: str) -> bool:
    done = subprocess.run([bed.wirespool, "capture", "--help"], capture_output=True, text=True, check=False)
    return option in done.stdout


def command(bed: Bed, trace, own: list, priority: list) -> list:
    duration = f"{bed.seconds + WARM_UP_NS / 1e9:.1f}s"
    options = ["--duration", duration, "--stats", "json", "--stats-interval", INTERVAL]
    return [*priority, bed.wirespool, "capture", *bed.eal(2), trace_device(trace.path), "--", *options, *own]


def judge(measurement: Measurement, ledger: dict, first: cputime.Sample, last: cputime.Sample):
    lcores = {line["lcore"] for line in ledger["lcores"]}
    measurement.shortfall = cputime.shortfall(first, last, cputime.polling(last, lcores))
    measurement.stolen = cputime.stolen(first, last)


def stage(bed: Bed, trace, until: str, extra: list = ()) -> Measurement:
    """--until rx, handoff or block."""
    run = Run(command(bed, trace, ["--until", until, *extra], bed.priority())).watch(bed.seconds + 30)
    (first, before), (last, after) = run.window()
    seconds = (last["elapsed_ns"] - first["elapsed_ns"]) / 1e9
    packets = taken(last) - taken(first)
    result = Measurement("stages", trace.name, "")
    result.values = {"mpps": packets / seconds / 1e6, "gbit": packets * trace.mean_bytes * 8 / seconds / 1e9}
    judge(result, last, before, after)
    return result


def with_nothing_to_do(bed: Bed, own: list) -> Measurement:
    """A port on which nothing comes: what each lcore's thread took of a CPU all the same."""
    options = ["--until", "handoff", "--duration", f"{bed.seconds + WARM_UP_NS / 1e9:.1f}s", "--stats", "json", "--stats-interval", INTERVAL]
    run = Run([bed.wirespool, "capture", *bed.eal(2), "--vdev=net_ring0", "--", *options, *own]).watch(bed.seconds + 30)
    (first, before), (last, after) = run.window()
    result = Measurement("idle", "", "")
    for line, earlier in zip(last["lcores"], first["lcores"]):
        asleep = (line["asleep_ns"] - earlier["asleep_ns"]) / (last["elapsed_ns"] - first["elapsed_ns"])
        result.values[f"{line['role']}_percent"] = 100 * cputime.share_of_lcore(before, after, line["lcore"])
        result.values[f"{line['role']}_asleep_percent"] = 100 * asleep
    result.values["longest_ms"] = max(ledger["clock"]["longest_sleep_ns"] for ledger, _ in run.moments) / 1e6
    result.values["overslept"] = sum(line["overslept"] for line in last["lcores"] if line["role"] == "rx")
    result.stolen = cputime.stolen(before, after)
    return result


def to_disk(bed: Bed, trace, directories: list, extra: list = (), wrapped: list = ()) -> Measurement:
    """`wrapped`: what to put before the command."""
    outputs = [word for directory in directories for word in ("--output", str(directory))]
    block = ["--block-size", f"{bed.block_kib}KiB", "--io-depth", str(bed.depth)]
    run = Run(command(bed, trace, [*outputs, *block, *extra], wrapped)).watch(bed.seconds + 60)
    (first, before), (last, after) = run.window()
    seconds = (last["elapsed_ns"] - first["elapsed_ns"]) / 1e9
    written = sum(d["bytes"] for d in last["drives"]) - sum(d["bytes"] for d in first["drives"])
    stored = last["totals"]["stored_bytes"] - first["totals"]["stored_bytes"]
    cpu, system = cputime.cpu_seconds(before, after)
    result = Measurement("disk", "", "")
    result.values = {
        "gb_per_s": written / seconds / 1e9,
        "gbit": stored * 8 / seconds / 1e9,
        "mpps": (last["totals"]["stored"] - first["totals"]["stored"]) / seconds / 1e6,
        "cpu_s_per_gb": cpu / (written / 1e9) if written else None,
        "system_s_per_gb": system / (written / 1e9) if written else None,
        "p99_write_ms": max(d["write_latency_ns"]["p99"] for d in last["drives"]) / 1e6,
    }
    judge(result, last, before, after)
    if any(line.get("asleep_ns") for line in last["lcores"]):
        result.shortfall = None  # who sleeps is off its CPU on purpose
    return result
