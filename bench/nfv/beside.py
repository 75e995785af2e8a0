# SPDX-License-Identifier: BSD-3-Clause
"""Published figures with ours beside them. What was not measured here has no figure."""

from measure.measurement import summarize
from measure.report.table import Table, cell, number, percent

from .figures import ABSENT, ORDER
from .published import PUBLISHED, SOURCES, Published


def fitting(lines: list, experiment: str, place: dict) -> list:
    return [line for line in lines if line["experiment"] == experiment and all(line["place"][key] == value for key, value in place.items())]


def one_house(lines: list) -> list:
    """Namespaces if they were measured: what containers cost is not mixed in."""
    return [line for line in lines if line["place"]["house"] == "namespace"] or lines


def packets(lines: list, place: dict) -> str:
    found = summarize(one_house(fitting(lines, "throughput", place | {"rate": "0"})), "mpps")
    return f"{cell(found)} Mpps" if found else ABSENT


def delay(lines: list, place: dict) -> str:
    having = [line for line in one_house(fitting(lines, "latency", place)) if line["load"].get("rate") == "1000"]
    mean, middle = summarize(having, "mean_us"), summarize(having, "p50_us")
    return f"mean {cell(mean)} us, p50 {cell(middle)} us" if mean and middle else ABSENT


def pairs_loss(lines: list, place: dict) -> str:
    for size in (1500, 1514):
        alone, four = (
            summarize(one_house(fitting(lines, "throughput", place | {"size": size, "pairs": pairs, "chain": 0, "rate": "0"})), "mpps") for pairs in (1, 4)
        )
        if alone and four and alone.middle:
            return f"{percent(1 - four.middle / 4 / alone.middle)}{'' if alone.sure and four.sure else ' ?'} ({size} B)"
    return ABSENT


def share_of_one(lines: list, _place: dict) -> str:
    """Of each switch, its longest chain by its shortest, at the smallest frame that both have."""
    words = []
    for switch in ORDER:
        by_length = {}
        for line in one_house(fitting(lines, "throughput", {"switch": switch, "rate": "0"})):
            if line["place"]["chain"]:
                by_length.setdefault((line["place"]["size"], line["place"]["burst"], line["place"]["mode"]), {}).setdefault(line["place"]["chain"], []).append(line)
        for lengths in (chains for _, chains in sorted(by_length.items())):
            longest, one = max(lengths), summarize(lengths.get(1, []), "mpps")
            far = summarize(lengths[longest], "mpps")
            if longest > 1 and one and far and one.middle:
                doubt = "" if one.sure and far.sure else " ?"
                words.append(f"{switch}, {longest}: {number(far.middle / one.middle)} of 1, where 1/{longest} is {number(1 / longest)}{doubt}")
                break
    return "; ".join(words) or ABSENT


COMPARISONS = {"mpps": packets, "delay": delay, "pair's loss": pairs_loss, "share of length 1": share_of_one}


def row_of(entry: Published, lines: list) -> list:
    source = SOURCES[entry.source]
    return [
        entry.what,
        f"{source.paper.split(':')[0]}, {entry.where}",
        entry.figure,
        COMPARISONS[entry.ours](lines, entry.place),
        entry.differs or "as noted below",
    ]


def table(lines: list) -> Table:
    notes = [f"{source.paper}. Machine: {source.machine}. What differs: {source.differs}." for source in SOURCES.values()]
    notes.append("A published 64 B may count the FCS, ours never does: ours of 64 B is 68 on a wire. ?: inconclusive, no limit of a switch.")
    return Table("Beside what others published", ["what", "published in", "published", "ours", "what differs"], [row_of(entry, lines) for entry in PUBLISHED], notes)
