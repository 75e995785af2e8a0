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

from . import housing, needs, options, probe, replay, report, results, runs
from .fabric import Fabric, find
from .results import Kept
from .steps import Steps, clean, left_behind
from .switches import SWITCHES

NOT_READY = 2
TREE = Path(__file__).resolve().parents[2]


def say(text: str):
    print(text, flush=True)


def show_list() -> int:
    for switch in SWITCHES.values():
        lacking = needs.missing(switch.needs)
        say(f"{switch.name:<14} {'here' if not lacking else 'not here: ' + '; '.join(lacking)}\n{'':<14} {switch.what}")
    return 0


def places_of(asked, switch):
    """Each fabric that is made, with the loads that are put on it."""
    sizes = [(pairs, 0) for pairs in getattr(asked, "pairs", [])] + [(1, length) for length in getattr(asked, "lengths", [])]
    for pairs, chain in sizes:
        loads = list(product(asked.bursts, asked.sizes, asked.rates))
        yield pairs, chain, [options.place_of(asked, switch, pairs, chain, *load) for load in loads]


def load_record(load) -> dict:
    return {"rate": load.rate, "seconds": load.seconds, "warmup": load.warmup}


def measure_fabric(asked, fabric: Fabric, places: list, log: Log, kept: Kept, tally: "Tally"):
    for place in places:
        load = replace(options.load_of(asked), frame_bytes=str(place["size"]), burst=place["burst"], rate=place["rate"])
        case = runs.case_of(load, place["pairs"], place["chain"])
        for experiment, measure, applied in (("throughput", runs.throughput, load), ("latency", runs.latency, options.latency_load(load))):
            for repeat in range(asked.repeats):
                if getattr(asked, "resume", False) and kept.has(experiment, place, repeat):
                    continue
                try:
                    result = measure(fabric, applied)
                except Trouble as trouble:
                    log.say(f"FAILED: {fabric.switch.name}: {experiment}: {case}: {trouble}")
                    kept.keep_trouble(fabric.switch.name, "failed", f"{experiment}: {case}: {trouble}")
                    tally.failed.append(fabric.switch.name)
                    continue
                if result is None:
                    continue
                result.experiment, result.case, result.repeat = experiment, case, repeat
                log.keep(result)
                kept.keep(result, place, load_record(applied))


def replay_on(asked, fabric: Fabric, place: dict, log: Log, kept: Kept, tally: "Tally"):
    for repeat in range(asked.repeats):
        result = replay.replay(fabric, asked.file.resolve(), asked.speed, asked.blocking)
        if result is None:
            return
        values = result.values
        result.case, result.repeat = f"{asked.file.name}, speed {asked.speed:g}", repeat
        kept.keep(result, place | {"size": round(values["mean_size"])}, {"rate": "0", "seconds": 0.0, "speed": asked.speed, "file": asked.file.name})
        gaps = ", ".join(f"{name} {values[f'gap_{name}_us']:.1f}" for name in ("p50", "p90", "p99", "max"))
        log.say(f"same: {fabric.switch.name}: {values['received']} frames, bytes and order; gaps wrong by us: {gaps}{'' if result.conclusive else ' (inconclusive)'}")
    tally.exact.append(fabric.switch.name)


def probe_on(asked, fabric: Fabric, places: list, log: Log, kept: Kept, tally: "Tally"):
    needs_of_probe = () if asked.dry_run else probe.NEEDS
    needs.require("probe", needs_of_probe)
    folder = asked.out / f"probe-{os.getpid()}"
    fabric.steps.folder(folder)
    probe.require_mirror(fabric)
    counts = probe.exact(fabric, folder)
    if counts:
        kept.keep(counts, *exact_place(asked, fabric.switch, 1, 0))
        log.say(f"exact: {fabric.switch.name}: {counts.values['sent']} sent, {counts.values['received']} received, {counts.values['stored']} stored by the probe")
    tally.exact.append(fabric.switch.name)
    for place, repeat in product(places if not asked.check_only else (), range(asked.repeats)):
        load = replace(options.load_of(asked), frame_bytes=str(place["size"]), burst=place["burst"], rate=place["rate"])
        result = probe.cost(fabric, folder, load, repeat)
        if result:
            result.experiment, result.case, result.repeat = "probe", runs.case_of(load), repeat
            log.keep(result)
            kept.keep(result, place, load_record(load))


class Tally:
    def __init__(self):
        self.exact, self.absent, self.failed = [], [], []


def exact_place(asked, switch, pairs: int, chain: int) -> tuple:
    """Where it was exact, and by which load: always waiting in the kernel, at a low rate."""
    load = replace(options.load_of(asked), blocking=True, rate=runs.COUNTED["rate"], warmup=0.0, seconds=runs.COUNTED_PACKETS / int(runs.COUNTED["rate"]))
    place = options.place_of(asked, switch, pairs, chain, **runs.COUNTED) | {"mode": runs.mode_of(switch, load)}
    return place, load_record(load)


def one_fabric(asked, switch, pairs: int, chain: int, places: list, log: Log, kept: Kept, tally: Tally):
    name = f"{switch.name}, " + (f"chain of {chain}" if chain else f"{pairs}vs{pairs}")
    segments, spare = chain + 1 if chain else pairs, int(asked.command == "probe")
    with Fabric(Steps(asked.dry_run), switch, str(asked.program), segments, bool(chain), spare, housing.find(asked.house)) as fabric:
        if asked.command == "replay":
            replay_on(asked, fabric, places[0], log, kept, tally)
            return
        if asked.command == "probe":
            probe_on(asked, fabric, places, log, kept, tally)
            return
        runs.ping(fabric)
        exact = runs.counted(fabric, asked.raw)
        if exact:
            kept.keep(runs.exact_measurement(switch, exact, pairs, chain), *exact_place(asked, switch, pairs, chain))
            log.say(f"exact: {name}, in {asked.house}: {exact['sent']} sent, {exact['received']} received")
            tally.exact.append(name)
        if not asked.check_only:
            measure_fabric(asked, fabric, places, log, kept, tally)


def look_around(asked, log: Log):
    """What would spoil every measurement, before the first one."""
    if asked.dry_run:
        return
    needs.require_root(asked.command)
    killed, running = left_behind()
    if killed:
        raise Trouble(f"what earlier runs that were killed made is still there ({killed}): bench/nfv/run.sh clean")
    if running and not asked.check_only:
        log.say("NOTICE: another run is going on: each takes the other's CPUs")


def run(asked) -> int:
    log, tally = Log(), Tally()
    look_around(asked, log)
    kept = Kept(asked.out, None if asked.dry_run else results.this_machine(str(asked.program)))
    if not asked.dry_run:
        kept.path_to_write()
    for name in asked.switches or SWITCHES:
        switch = find(name)
        for pairs, chain, places in places_of(asked, switch):
            try:
                one_fabric(asked, switch, pairs, chain, places, log, kept, tally)
            except Unavailable as trouble:
                log.say(f"SKIPPED: {trouble}")
                kept.keep_trouble(name, "absent", str(trouble))
                tally.absent.append(name)
                break
            except Trouble as trouble:
                log.say(f"FAILED: {trouble}")
                kept.keep_trouble(name, "failed", str(trouble))
                tally.failed.append(name)
    say(f"{len(tally.exact)} set-ups exact, {len(tally.failed)} failed, {len(tally.absent)} switches not here")
    if kept.lines and kept.came:
        say(f"report: {report.write([kept.path], None)}")
    if tally.failed:
        return NOT_READY
    # A switch that was asked for by its name and is not here is no success.
    return NOT_READY if asked.switches and tally.absent else 0


def check_program(asked):
    found = str(asked.program or shutil.which("wirespool") or "")
    if not found or not os.access(found, os.X_OK):
        raise Trouble("wirespool: is neither built nor installed: run bench/nfv/run.sh, which builds it, or set WIRESPOOL")
    asked.program = Path(found).resolve()
    asked.out = (asked.out or TREE / "build-bench/nfv").resolve()


def ended_by_signal(number, _frame):
    raise SystemExit(128 + number)


def main(arguments: list) -> int:
    asked = options.parse(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ended_by_signal)  # what was made is undone on the way out
    try:
        if asked.command == "list":
            return show_list()
        if asked.command == "report":
            say(f"report: {report.write(asked.results, asked.output)}")
            return 0
        if asked.command == "clean":
            needs.require_root(asked.command)
            undone, running = clean()
            say(f"{undone} runs undone" + (f", {running} are still going on and were left alone" if running else ""))
            return 0
        check_program(asked)
        if asked.command == "replay" and not os.access(asked.file, os.R_OK):
            raise Trouble(f"{asked.file}: is not there, or may not be read")
        return run(asked)
    except Trouble as trouble:
        print(f"bench/nfv/run.sh: {trouble}", file=sys.stderr)
        return NOT_READY
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # such as `list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return NOT_READY


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
