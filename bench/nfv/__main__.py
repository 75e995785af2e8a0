# SPDX-License-Identifier: BSD-3-Clause
"""bench/nfv/run.sh: lists, checks, measures, cleans up."""

import os
import shutil
import signal
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

from measure.rounds import Log
from measure.trouble import Trouble, Unavailable

from . import housing, needs, options, runs
from .fabric import Fabric, find
from .results import Kept
from .steps import Steps, clean
from .switches import SWITCHES

USAGE, NOT_READY = 1, 2


def say(text: str):
    print(text, flush=True)


def show_list() -> int:
    for switch in SWITCHES.values():
        lacking = needs.missing(switch.needs)
        say(f"{switch.name:<14} {'here' if not lacking else 'not here: ' + '; '.join(lacking)}\n{'':<14} {switch.what}")
    return 0


def places_of(asked, switch: str):
    """Each fabric that is made, with the loads that are put on it."""
    sizes = [(pairs, 0) for pairs in getattr(asked, "pairs", [])] + [(1, length) for length in getattr(asked, "lengths", [])]
    for pairs, chain in sizes:
        loads = list(product(asked.bursts, asked.sizes, asked.rates))
        yield pairs, chain, [
            {"burst": burst, "switch": switch, "size": size, "rate": rate, "pairs": pairs, "chain": chain, "house": asked.house} for burst, size, rate in loads
        ]


def measure_fabric(asked, fabric: Fabric, places: list, log: Log, kept: Kept):
    for place in places:
        load = replace(options.load_of(asked), frame_bytes=str(place["size"]), burst=place["burst"], rate=place["rate"])
        for experiment, measure, applied in (("throughput", runs.throughput, load), ("latency", runs.latency, options.latency_load(load))):
            for repeat in range(asked.repeats):
                if getattr(asked, "resume", False) and kept.has(experiment, place, repeat):
                    continue
                try:
                    result = measure(fabric, applied)
                except Trouble as trouble:
                    log.say(f"FAILED: {fabric.switch.name}: {experiment}: {trouble}")
                    continue
                if result is None:
                    continue
                result.experiment, result.case, result.repeat = experiment, runs.case_of(applied, place["pairs"], place["chain"]), repeat
                log.keep(result)
                kept.keep(result, place)


class Tally:
    def __init__(self):
        self.exact, self.absent, self.failed = [], [], []


def one_fabric(asked, switch, pairs: int, chain: int, places: list, log: Log, kept: Kept, tally: Tally):
    name = f"{switch.name}, " + (f"chain of {chain}" if chain else f"{pairs}vs{pairs}")
    segments = chain + 1 if chain else pairs
    with Fabric(Steps(asked.dry_run), switch, str(asked.program), segments, bool(chain), house=housing.find(asked.house)) as fabric:
        runs.ping(fabric)
        exact = runs.counted(fabric)
        if exact:
            log.say(f"exact: {name}, in {asked.house}: {exact['sent']} sent, {exact['received']} received")
            tally.exact.append(name)
        if not asked.check_only:
            measure_fabric(asked, fabric, places, log, kept)


def run(asked) -> int:
    log, kept, tally = Log(), Kept(asked.out), Tally()
    for name in asked.switches or SWITCHES:
        switch = find(name)
        for pairs, chain, places in places_of(asked, name):
            try:
                one_fabric(asked, switch, pairs, chain, places, log, kept, tally)
            except Unavailable as trouble:
                log.say(f"SKIPPED: {trouble}")
                tally.absent.append(name)
                break
            except Trouble as trouble:
                log.say(f"FAILED: {trouble}")
                tally.failed.append(name)
    say(f"{len(tally.exact)} set-ups exact, {len(tally.failed)} failed, {len(tally.absent)} switches not here")
    if tally.failed:
        return NOT_READY
    # A switch that was asked for by its name and is not here is no success.
    return NOT_READY if asked.switches and tally.absent and not tally.exact else 0


def check_program(asked):
    found = str(asked.program or shutil.which("wirespool") or "")
    if not found or not os.access(found, os.X_OK):
        raise Trouble("wirespool: is neither built nor installed: run bench/nfv/run.sh, which builds it, or set WIRESPOOL")
    asked.program = Path(found).resolve()
    asked.out = (asked.out or Path("build-bench/nfv")).resolve()


def ended_by_signal(number, _frame):
    raise SystemExit(128 + number)


def main(arguments: list) -> int:
    asked = options.parse(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ended_by_signal)  # what was made is undone on the way out
    try:
        if asked.command == "list":
            return show_list()
        if asked.command == "clean":
            undone, running = clean()
            say(f"{undone} runs undone" + (f", {running} are still going on and were left alone" if running else ""))
            return 0
        check_program(asked)
        return run(asked)
    except Trouble as trouble:
        print(f"bench/nfv/run.sh: {trouble}", file=sys.stderr)
        return NOT_READY
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
