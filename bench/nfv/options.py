# SPDX-License-Identifier: BSD-3-Clause
"""What can be asked of bench/nfv/run.sh."""

import argparse
import re
from dataclasses import replace
from pathlib import Path

from .applications import Load
from .housing import HOUSES
from .runs import mode_of
from .switches import SWITCHES, Switch

USAGE = 1
UNITS = {"K": 1e3, "M": 1e6, "G": 1e9}

EPILOG = """\
examples:
  bench/nfv/run.sh list                               what is here, and what each switch lacks
  bench/nfv/run.sh local --switch linux-bridge        one switch: exact at a low rate, then throughput and latency
  bench/nfv/run.sh sweep --quick                      all switches that are here, two sizes: some minutes
  bench/nfv/run.sh sweep --sizes '64 512 1514' --bursts '4 32 64' --pairs '1 2 4'
  bench/nfv/run.sh chain --lengths 1..8 --switch 'linux-bridge ovs-netdev'
  bench/nfv/run.sh replay trace.pcap                  a capture again with its own gaps, and how exact these are
  bench/nfv/run.sh probe                              a capture that hears two others talk, over a hub
  bench/nfv/run.sh report build-bench/nfv -o my.html  the report once more; each run writes report.html beside its results
  bench/nfv/run.sh clean                              undoes what a run left that was killed
"""


def numbers(text: str) -> list:
    """`64 128 512`, or `min..step..max`, or `min..max`."""
    found = []
    for word in text.replace(",", " ").split():
        parts = word.split("..")
        if not 1 <= len(parts) <= 3 or not all(re.fullmatch(r"\d+", part) for part in parts):
            raise argparse.ArgumentTypeError(f"'{word}': give numbers as 64 128 512, 1..8 or 64..64..512")
        values = [int(part) for part in parts]
        low, high, step = values[0], values[-1], values[1] if len(values) == 3 else 1
        if step < 1 or high < low:
            raise argparse.ArgumentTypeError(f"'{word}': goes nowhere: min..step..max, with a step of 1 or more")
        found += range(low, high + 1, step)
    if not found:
        raise argparse.ArgumentTypeError("no number at all")
    return found


def between(what: str, low: int, high: int):
    def check(text: str) -> list:
        found = numbers(text)
        for number in found:
            if not low <= number <= high:
                raise argparse.ArgumentTypeError(f"{number}: {what} is {low} to {high}")
        return found

    return check


def names(known: dict, what: str):
    def check(text: str) -> list:
        found = text.replace(",", " ").split()
        for name in found:
            if name not in known:
                raise argparse.ArgumentTypeError(f"no {what} '{name}': there are {', '.join(known)}")
        return found or list(known)

    return check


def per_second(word: str) -> float:
    return float(word[:-1]) * UNITS[word[-1]] if word[-1] in UNITS else float(word)


def rates(text: str) -> list:
    found = text.replace(",", " ").split()
    for word in found:
        if not re.fullmatch(r"max|\d+(\.\d+)?[KMG]?", word):
            raise argparse.ArgumentTypeError(f"'{word}': a rate is packets a second, as 1000, 100K or 2M, or max")
        if word == "max":
            continue
        if per_second(word) == 0:
            raise argparse.ArgumentTypeError("0: at this rate nothing is ever sent: give packets a second, or max for as many as go")
        if not 1 <= per_second(word) <= 1e9:
            raise argparse.ArgumentTypeError(f"'{word}': a rate is 1 to 1G packets a second, or max")
    return ["0" if word == "max" else word for word in found]


def seconds(text: str) -> float:
    try:
        value = float(text.removesuffix("s"))
    except ValueError:
        value = 0.0
    if not 0.2 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"'{text}': 0.2 to 3600 seconds")
    return value


def speed(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.001 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"'{text}': gaps are divided by 0.001 to 1000")
    return value


def repeats(text: str) -> int:
    found = between("repeats", 1, 100)(text)
    if len(found) > 1:
        raise argparse.ArgumentTypeError(f"'{text}': one number")
    return found[0]


SIZES = between("a frame without FCS", 64, 1514)
BURSTS = between("a burst", 1, 1024)
PAIRS = between("pairs", 1, 8)
LENGTHS = between("a chain's length", 1, 8)


def add_common(command: argparse.ArgumentParser):
    command.add_argument("--dry-run", action="store_true", help="prints every command and does none")
    command.add_argument("--switch", dest="switches", type=names(SWITCHES, "switch"), metavar="LIST", help=f"of {' '.join(SWITCHES)} [all that are here]")
    command.add_argument("--in", dest="house", choices=list(HOUSES), default="namespace", help="what nodes live in [namespace]")
    command.add_argument("--seconds", type=seconds, default=2.0, metavar="S", help="of every measurement [2]")
    command.add_argument("--repeats", type=repeats, default=1, metavar="N", help="of every measurement [1]")
    command.add_argument("--raw", action="store_true", help="raw frames, not UDP sockets (-R)")
    command.add_argument("--blocking", action="store_true", help="applications wait in the kernel and poll nothing (-B)")
    command.add_argument("--one-by-one", action="store_true", help="without sendmmsg and recvmmsg (-m)")
    command.add_argument("--check-only", action="store_true", help="only that each set-up is exact at a low rate")
    command.add_argument("--out", type=Path, metavar="DIR", help="results and report [build-bench/nfv]")


def add_sweep(command: argparse.ArgumentParser, sizes: str, bursts: str):
    command.add_argument("--sizes", type=SIZES, default=SIZES(sizes), metavar="LIST", help=f"bytes of frames without FCS [{sizes}]")
    command.add_argument("--bursts", type=BURSTS, default=BURSTS(bursts), metavar="LIST", help=f"packets of a burst [{bursts}]")
    command.add_argument("--rates", type=rates, default=["0"], metavar="LIST", help="packets a second and pair, or max [max]")


class OneLine(argparse.ArgumentParser):
    """What is wrong, without the usage of everything in front of it."""

    def error(self, message: str):
        self.exit(USAGE, f"{self.prog}: {message} (see --help)\n")


def parser() -> argparse.ArgumentParser:
    top = OneLine(
        prog="bench/nfv/run.sh",
        description="Measures networks between namespaces and containers: what a switch carries, and how long it takes.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--program", type=Path, help=argparse.SUPPRESS)  # run.sh's own
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("list", help="switches, and what each lacks here")
    commands.add_parser("clean", help="undoes what a run left that was killed")
    report = commands.add_parser("report", help="an HTML file of results")
    report.add_argument("results", type=Path, nargs="+", metavar="RESULTS", help="results.jsonl of one machine, or folders in which they are")
    report.add_argument("-o", "--output", type=Path, metavar="FILE.html", help="[report.html beside the first results]")
    local = commands.add_parser("local", help="one size, burst and number of pairs")
    add_common(local)
    add_sweep(local, "64", "32")
    local.add_argument("--pairs", type=PAIRS, default=[1], metavar="LIST", help="side by side [1]")
    sweep = commands.add_parser("sweep", help="switches x sizes x bursts x rates x pairs")
    add_common(sweep)
    add_sweep(sweep, "64 256 512 1024 1514", "4 32 64")
    sweep.add_argument("--pairs", type=PAIRS, default=[1, 2, 4, 8], metavar="LIST", help="side by side [1 2 4 8]")
    sweep.add_argument("--quick", action="store_true", help="two sizes, one burst, 1 and 2 pairs, a second each")
    sweep.add_argument("--resume", action="store_true", help="leaves out what --out has already")
    chain = commands.add_parser("chain", help="through so many forwarders")
    add_common(chain)
    add_sweep(chain, "64", "32")
    chain.add_argument("--lengths", type=LENGTHS, default=LENGTHS("1..8"), metavar="LIST", help="forwarders [1..8]")
    among = commands.add_parser("probe", help="two talk, and what they say is copied to a capture: does it store all, and what does it cost them")
    add_common(among)
    add_sweep(among, "64", "32")
    among.set_defaults(switches=["linux-hub"], pairs=[1])
    replay = commands.add_parser("replay", help="a capture with its own gaps: does it come whole and in order, and how exact are the gaps")
    replay.add_argument("file", type=Path, metavar="FILE", help="a capture of whole Ethernet frames, as tcpdump reads it")
    replay.add_argument("--dry-run", action="store_true", help="prints every command and does none")
    socket_switches = [name for name, switch in SWITCHES.items() if not switch.on_ports]
    replay.add_argument("--switch", dest="switches", type=names(SWITCHES, "switch"), default=["veth", "linux-bridge"], metavar="LIST", help=f"of {' '.join(socket_switches)} [veth linux-bridge]")
    replay.add_argument("--speed", type=speed, default=1.0, metavar="X", help="gaps divided by X [1]")
    replay.add_argument("--repeats", type=repeats, default=1, metavar="N", help="of every measurement [1]")
    replay.add_argument("--blocking", action="store_true", help="send sleeps between frames and polls nothing (-B)")
    replay.add_argument("--out", type=Path, metavar="DIR", help="results and report [build-bench/nfv]")
    replay.set_defaults(house="namespace", pairs=[1], bursts=[1], sizes=[0], rates=["0"], seconds=0.0, raw=True, one_by_one=True, check_only=False)
    return top


def parse(arguments: list) -> argparse.Namespace:
    asked = parser().parse_args(arguments)
    if getattr(asked, "quick", False):
        asked.sizes, asked.bursts, asked.pairs, asked.seconds = [64, 1514], [32], [1, 2], 1.0
    return asked


def place_of(asked, switch: Switch, pairs: int, chain: int, burst: int, size: int, rate: str) -> dict:
    where = {"burst": burst, "switch": switch.name, "size": size, "rate": rate, "pairs": pairs, "chain": chain}
    return where | {"house": asked.house, "mode": mode_of(switch, load_of(asked))}


def load_of(asked) -> Load:
    return Load(seconds=asked.seconds, raw=asked.raw, blocking=asked.blocking, many=not asked.one_by_one)


def latency_load(load: Load) -> Load:
    """As published, unless another rate was asked for: 1000 packets a second."""
    return replace(load, rate="1000") if load.rate == "0" else load
