# SPDX-License-Identifier: BSD-3-Clause
import json
import os
import signal
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

from . import rounds
from .bed import machine, quiet, traces
from .bed import Bed, choose_cpus, may_run_realtime, watch_before_others
from .measurement import Results
from .measures import cycles, disks, drives, idle, limits, micro, model, peers, reading, scaling, stages
from .options import parse
from .report import everything, page, readme
from .trouble import Trouble

TREE = Path(__file__).resolve().parents[2]


def make_bed(asked) -> Bed:
    work = asked.build / "bench-run"
    (work / "traces").mkdir(parents=True, exist_ok=True)
    return Bed(
        build=asked.build,
        work=work,
        cpus=choose_cpus(asked.cpus),
        seconds=asked.seconds,
        repeats=asked.repeats,
        realtime=asked.realtime and may_run_realtime(),
        hugepages=not asked.no_huge,
        directories=asked.directory or [disks.default_directory(work)],
    )


def check_quiet(force: bool) -> dict:
    seen = quiet.wait_for_quiet()
    found = {"quiet": quiet.is_quiet(seen), "seen": quiet.describe(seen)}
    if not found["quiet"] and not force:
        raise Trouble(f"not a quiet machine: {found['seen']}: end what runs there, or give --force and get a report that says so")
    return found


def measure(bed: Bed, asked, log: rounds.Log) -> list:
    """All experiments asked for; the traces they were made with."""
    names = traces.QUICK if asked.quick else list(traces.KINDS)
    made = traces.make(bed.program("tests/make_trace"), bed.work / "traces", names)
    if "stages" in asked.only:
        rounds.take(stages.turns(bed, made), bed.repeats, log)
    caida = next(trace for trace in made if trace.name == "CAIDA-like")
    if "cycles" in asked.only:
        rounds.take(cycles.turns(bed, [trace for trace in made if trace.name in traces.QUICK]), 1, log)
    if "scaling" in asked.only:
        rounds.take(scaling.turns(bed, caida, bed.work / "traces"), 1, log)
        for part in scaling.over_time(bed, caida):
            log.keep(part)
    if "disk" in asked.only:
        rounds.take(disks.turns(bed, caida), bed.repeats, log)
    if "drives" in asked.only and not disks.two_drives(bed):
        drives.measure(bed, caida, log)
    if "idle" in asked.only:
        rounds.take(idle.turns(bed), bed.repeats, log)
    if "peers" in asked.only:
        peers.measure(bed, asked.quick, log)
    if "reading" in asked.only:
        reading.measure(bed, asked.reading_gb, log)
    if "micro" in asked.only:
        micro.measure(bed, log)
    return made


def run(asked) -> dict:
    os.environ.setdefault("LC_ALL", "C")
    found, bed, log = check_quiet(asked.force), make_bed(asked), rounds.Log()
    started = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    if bed.realtime:
        watch_before_others()
    described = machine.describe(bed.wirespool, str(TREE), bed.directories)
    log.say(machine.one_line(described))
    made = measure(bed, asked, log)
    document = {
        "schema": 1,
        "started": started,
        "took_s": round(log.took(), 1),
        "machine": described,
        "quiet": found,
        "settings": {
            "seconds": bed.seconds,
            "repeats": bed.repeats,
            "depth": bed.depth,
            "block_kib": bed.block_kib,
            "realtime": bed.realtime,
            "hugepages": bed.hugepages,
            "cpus": bed.cpus,
            "different_drives": disks.two_drives(bed),
        },
        "traces": traces.to_json(made),
        "measurements": [measurement.to_json() for measurement in log.measurements],
        "troubles": log.troubles,
    }
    if "stages" in asked.only:
        planned = model.predictions(bed, document) + limits.limits(bed, document["traces"])
        document["measurements"] += [measurement.to_json() for measurement in planned]
    return document


def report(document: dict, folder: Path, update_readme: bool):
    results = Results(document)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(document, indent=1) + "\n")
    (folder / "tables.md").write_text(everything.as_markdown(results))
    (folder / "report.html").write_text(page.page(results))
    if update_readme:
        readme.update(TREE / "bench/README.md", everything.as_markdown(results))
    print(everything.as_text(results))
    print(f"{folder}/report.html, tables.md, results.json")


def interrupted(*_):
    raise KeyboardInterrupt  # so that a SIGTERM, too, takes down what was put up


def main(arguments: list) -> int:
    asked = parse(arguments)
    signal.signal(signal.SIGTERM, interrupted)
    try:
        document = json.loads(asked.report.read_text()) if asked.report else run(asked)
        folder = asked.out or (asked.report.parent if asked.report else asked.build / "reports" / time.strftime("%Y%m%dT%H%M%S"))
        report(document, folder, asked.update_readme)
    except (Trouble, OSError) as trouble:
        print(f"bench/run.sh: {trouble}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench/run.sh: interrupted", file=sys.stderr)
        return 130
    return 0 if document["measurements"] else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
