# SPDX-License-Identifier: BSD-3-Clause
"""Results in the shape of the papers: which of them are one figure, drawn and as a table."""

from dataclasses import dataclass, field
from typing import Callable

from measure.measurement import SHORTFALL_LIMIT, summarize
from measure.report.table import Table, cell

from .charts import Panel, Point, Series
from .switches import SWITCHES

ORDER = list(SWITCHES)
ABSENT = "not measured"
MODES = {
    "udp": "UDP sockets",
    "udp mmsg": "UDP sockets, a burst a call (-m)",
    "raw": "raw frames (-R)",
    "raw mmsg": "raw frames, a burst a call (-R, -m)",
    "dpdk": "ports of DPDK",
}
THROUGHPUT = (("Mpps", "mpps"), ("Gbit/s", "gbit"), ("Mpps sent", "sent_mpps"))
LATENCY = (("min", "min_us"), ("p50", "p50_us"), ("p90", "p90_us"), ("p99", "p99_us"), ("p99.9", "p999_us"), ("max", "max_us"), ("mean", "mean_us"))
COUNTS = (("lost", "lost"), ("twice", "duplicates"), ("out of order", "reordered"))


@dataclass(frozen=True)
class Shape:
    """A kind of figure: what goes from left to right, and what has a panel (or chart) of its own."""

    title: str
    experiment: str
    across: str  # a key of place
    beside: str  # another one, or ""
    fits: Callable  # which places
    least: int = 1  # steps that make a figure


SHAPES = (
    Shape("Throughput by frame size", "throughput", "size", "", lambda place: place["pairs"] == 1 and not place["chain"]),
    Shape("Throughput by participants", "throughput", "pairs", "size", lambda place: not place["chain"], 2),
    Shape("Throughput by length of a chain", "throughput", "chain", "size", lambda place: place["chain"] > 0),
    Shape("Latency by frame size and burst", "latency", "size", "burst", lambda place: place["pairs"] == 1 and not place["chain"]),
    Shape("Latency by participants", "latency", "pairs", "size", lambda place: not place["chain"], 2),
    Shape("Latency by length of a chain", "latency", "chain", "size", lambda place: place["chain"] > 0),
)
ACROSS = {"size": "bytes of a frame, without FCS", "pairs": "pairs side by side", "chain": "forwarders"}


@dataclass
class Figure:
    caption: str
    panels: list
    table: Table
    notes: list = field(default_factory=list)


def word(key: str, value) -> str:
    return {"size": f"{value} B", "pairs": f"{value}vs{value}", "burst": f"burst {value}", "chain": str(value)}[key]


def span(key: str, values) -> str:
    return ", ".join(word(key, value) for value in sorted(values))


def mode_words(mode: str) -> str:
    plain = mode.removesuffix(" blocking")
    return MODES.get(plain, plain) + (", waiting in the kernel (-B)" if mode != plain else ", polling")


def rate_words(rates) -> str:
    return ", ".join("as many as go" if rate == "0" else f"{rate}/s" for rate in sorted(rates))


def tuple_of(lines: list) -> str:
    """The parameters of the published framework, each with all its values, and what ours has beyond them."""
    place = [line["place"] for line in lines]
    chains = {one["chain"] for one in place}
    parts = [
        ("what", lines[0]["experiment"]),
        ("where", "local"),
        ("pairs", span("pairs", {one["pairs"] for one in place})),
        ("forwarders", span("chain", chains)),
        ("switch", ", ".join(sorted({one["switch"] for one in place}, key=ORDER.index))),
        ("frame without FCS", span("size", {one["size"] for one in place})),
        ("rate of each pair", rate_words({line["load"]["rate"] for line in lines})),
        ("burst", ", ".join(str(burst) for burst in sorted({one["burst"] for one in place}))),
        ("in", place[0]["house"]),
        ("by", mode_words(place[0]["mode"])),
        ("seconds", ", ".join(f"{seconds:g}" for seconds in sorted({line["load"]["seconds"] for line in lines}))),
    ]
    return "(" + "; ".join(f"{name}: {value}" for name, value in parts) + ")"


def verdict(lines: list) -> str:
    """Why it says nothing of the switch, if it does not."""
    good = [line for line in lines if line["conclusive"]]
    if good:
        return "conclusive" if len(good) == len(lines) else f"conclusive, {len(good)} of {len(lines)} runs"
    worst = max(lines, key=lambda line: line.get("shortfall") or 0.0)
    why = [f"who polls had {1 - worst['shortfall']:.0%} of a CPU"] if (worst.get("shortfall") or 0.0) > SHORTFALL_LIMIT else []
    stolen = max(line.get("stolen") or 0.0 for line in lines)
    why += [f"a hypervisor took {stolen:.0%} of one"] if stolen > SHORTFALL_LIMIT else []
    return "? inconclusive: " + "; ".join(why + sorted({note for line in lines for note in line["notes"]}))


def total(lines: list, value: str) -> str:
    having = [line["values"][value] for line in lines if line["values"].get(value) is not None]
    return f"{sum(having):,}" if having else ABSENT


def least(lines: list, value: str) -> str:
    """Nobody who polls is "-": who waits in the kernel is not asked for a share."""
    found = summarize(lines, value)
    return f"{found.low:.0%}" if found else "-"


def shown(lines: list, value: str) -> str:
    found = summarize(lines, value)
    return cell(found) if found else ABSENT


def rows_of(shape: Shape, lines: list) -> dict:
    """The repeats of each row, by (switch, beside, across)."""
    rows = {}
    for line in lines:
        place = line["place"]
        key = (place["switch"], place[shape.beside] if shape.beside else 0, place[shape.across])
        rows.setdefault(key, []).append(line)
    return dict(sorted(rows.items(), key=lambda row: (ORDER.index(row[0][0]), *row[0][1:])))


def table_of(shape: Shape, rows: dict) -> Table:
    values = THROUGHPUT if shape.experiment == "throughput" else LATENCY
    if shape.across == "pairs" and shape.experiment == "throughput":
        values = (*values, ("least of a pair", "least_pair_mpps"), ("most of a pair", "most_pair_mpps"))
    named = [("frame" if shape.beside == "size" else shape.beside)] if shape.beside else []
    unit = " us" if shape.experiment == "latency" else ""
    columns = ["switch", *named, {"size": "frame"}.get(shape.across, shape.across)]
    columns += [f"{name}{unit}" for name, _ in values] + [name for name, _ in COUNTS] + ["CPU share", "the switch's", "runs", "of the switch?"]
    body = []
    for (switch, beside, across), lines in rows.items():
        places = [str(beside) if shape.beside == "burst" else word(shape.beside, beside)] if shape.beside else []
        body.append(
            [switch, *places, word(shape.across, across), *(shown(lines, value) for _, value in values), *(total(lines, value) for _, value in COUNTS)]
            + [least(lines, "cpu_share"), least(lines, "switch_cpu_share"), str(len(lines)), verdict(lines)]
        )
    return Table("", columns, body)


def holes(shape: Shape, rows: dict) -> list:
    """What others of the figure have and a switch has not."""
    steps = {row[1:] for row in rows}
    lacking = {}
    for switch in dict.fromkeys(row[0] for row in rows):
        for beside, across in sorted(step for step in steps if (switch, *step) not in rows):
            lacking.setdefault(switch, []).append(" ".join(([word(shape.beside, beside)] if shape.beside else []) + [word(shape.across, across)]))
    return [f"{switch}: {ABSENT}: {', '.join(places)}" for switch, places in lacking.items()]


def point_of(step: int, lines: list, value: str, high: str):
    middle = summarize(lines, value)
    if middle is None:
        return None
    upper = summarize(lines, high) if high else None
    return Point(step, middle.middle, middle.middle if high else middle.low, upper.middle if upper else middle.high, middle.sure)


def panel_of(shape: Shape, rows: dict, beside, title: str, unit: str, value: str, high: str = "") -> Panel:
    steps = sorted({row[2] for row in rows})
    found = []
    for switch in dict.fromkeys(row[0] for row in rows):
        points = [point_of(steps.index(row[2]), lines, value, high) for row, lines in rows.items() if row[0] == switch and row[1] == beside]
        found.append(Series(switch, ORDER.index(switch), [point for point in points if point]))
    return Panel(title, unit, ACROSS[shape.across], [word(shape.across, step) for step in steps], found, bool(high))


def panels_of(shape: Shape, rows: dict) -> list:
    if shape.experiment == "throughput" and not shape.beside:
        return [panel_of(shape, rows, 0, "packets", "Mpps", "mpps"), panel_of(shape, rows, 0, "bits of frames without FCS", "Gbit/s", "gbit")]
    besides = sorted({row[1] for row in rows})
    if shape.experiment == "throughput":
        return [panel_of(shape, rows, one, word(shape.beside, one), "Mpps, all pairs", "mpps") for one in besides]
    return [panel_of(shape, rows, one, f"{word(shape.beside, one)}: p50, up to p99", "us there and back", "p50_us", "p99_us") for one in besides]


def figures_of(shape: Shape, lines: list) -> list:
    """One for each combination of what is neither across nor beside."""
    groups = {}
    for line in lines:
        place = line["place"]
        if line["experiment"] == shape.experiment and shape.fits(place):
            fixed = tuple(place[key] for key in ("mode", "house", "rate", "burst", "size", "pairs") if key not in (shape.across, shape.beside))
            groups.setdefault(fixed, []).append(line)
    found = []
    for members in groups.values():
        if len({line["place"][shape.across] for line in members}) < shape.least:
            continue
        rows = rows_of(shape, members)
        found.append(Figure(f"{shape.title} {tuple_of(members)}", panels_of(shape, rows), table_of(shape, rows), holes(shape, rows)))
    return found
