# SPDX-License-Identifier: BSD-3-Clause
"""What can be asked of bench/run.sh."""

import argparse
from pathlib import Path

EXPERIMENTS = ["stages", "cycles", "scaling", "disk", "drives", "idle", "peers", "reading", "micro"]
QUICK = ["stages", "disk", "idle", "peers", "micro"]

EPILOG = """\
examples:
  bench/run.sh                          everything, below 12 minutes
  bench/run.sh --quick                  three traces, short: below 3 minutes
  bench/run.sh --only disk --directory /data/nvme0 --directory /data/nvme1
  bench/run.sh --update-readme          and the tables into bench/README.md
  bench/run.sh --report FILE.json       only makes the tables and the page again
"""


def experiments(text: str) -> list:
    asked = text.split(",")
    for name in asked:
        if name not in EXPERIMENTS:
            raise argparse.ArgumentTypeError(f"no experiment '{name}': there are {', '.join(EXPERIMENTS)}")
    return asked


def directory(text: str) -> str:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"'{text}' is no directory")
    return str(Path(text).resolve())


def parse(arguments: list) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench/run.sh",
        description="Measures wirespool beside testpmd, memcpy, fio and its peers.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)  # bench/run.sh's own
    parser.add_argument("--no-huge", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="three traces, two short repeats: a first idea")
    parser.add_argument("--force", action="store_true", help="measure although others use the CPUs; the report says so")
    parser.add_argument("--only", type=experiments, metavar="LIST", help="of " + ",".join(EXPERIMENTS))
    parser.add_argument("--repeats", type=int, help="of every measurement [3; 2 with --quick]")
    parser.add_argument("--seconds", type=float, help="of every measurement [2; 1 with --quick]")
    parser.add_argument("--directory", type=directory, action="append", help="where to write; twice for two drives, which then stand in for the loop drives [in the build folder]")
    parser.add_argument("--reading-gb", type=float, default=2.0, metavar="GB", help="how much is read back [2]")
    parser.add_argument("--cpus", default="", metavar="M,R,W", help="CPUs of main, RX and writer lcore [chosen]")
    parser.add_argument("--realtime", action="store_true", help="SCHED_RR for what only needs its CPUs: for a machine that is not quiet")
    parser.add_argument("--out", type=Path, help="folder for results.json, tables.md and report.html [in the build folder]")
    parser.add_argument("--update-readme", action="store_true", help="puts the tables between the markers in bench/README.md")
    parser.add_argument("--report", type=Path, metavar="JSON", help="measure nothing, report on an earlier run")
    asked = parser.parse_args(arguments)
    asked.only = asked.only or (QUICK if asked.quick else EXPERIMENTS)
    asked.repeats = asked.repeats or (2 if asked.quick else 3)
    asked.seconds = asked.seconds or (1.0 if asked.quick else 2.0)
    if asked.reading_gb < 0.1:
        parser.error("--reading-gb: below 0.1 there is nothing to measure")
    if asked.repeats < 1 or asked.seconds < 0.6:
        parser.error("at least one repeat of 0.6 seconds is needed to see anything")
    return asked
