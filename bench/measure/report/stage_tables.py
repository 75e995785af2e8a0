# SPDX-License-Identifier: BSD-3-Clause
"""Received, handed over, copied: rates and ratios."""

from ..measurement import Results, summarize
from ..measures import distance
from ..measures.stages import MEMCPY, MEMORY, RXONLY
from .table import Table, cell

SPREAD = "Median of the repeats; ± half of the spread between the largest and the smallest. ?: no repeat had its CPUs for 98 % of the time."


def ours(results: Results) -> list:
    return [name for name in results.names("stages", "contestant") if name.startswith("wirespool")]


def copying(results: Results) -> list:
    return [name for name in ours(results) if name.startswith("wirespool block")]


def rates(results: Results, value: str, unit: str) -> Table:
    names = results.names("stages", "contestant")
    rows = [
        [case, *(cell(results.summary("stages", case, name, value)) for name in names)]
        for case in results.names("stages", "case")
    ]
    return Table(f"{unit}, net_pcap from memory", ["frames", *names], rows, [SPREAD])


def of_both(results: Results, case: str, name: str):
    """Of what one lcore could do that receives like testpmd and then copies like memcpy."""
    return results.compare("stages", case, [name, RXONLY, MEMCPY], "mpps", lambda own, rx, copy: own * (1 / rx + 1 / copy))


def ratios(results: Results) -> Table:
    pairs = [(name, RXONLY) for name in ours(results)] + [(name, copy) for copy in (MEMCPY, MEMORY) for name in copying(results)]
    on_one_lcore = [name for name in copying(results) if name.endswith("blocks")]
    short = [f"{a.removeprefix('wirespool ')} / {b.removeprefix('testpmd ')}" for a, b in pairs]
    short += [f"{name.removeprefix('wirespool ')} / rxonly and memcpy" for name in on_one_lcore]
    rows = []
    for case in results.names("stages", "case"):
        found = [results.ratio("stages", case, a, b, "mpps") for a, b in pairs]
        found += [of_both(results, case, name) for name in on_one_lcore]
        rows.append([case, *map(cell, found)])
    notes = ["rxonly and memcpy: what one lcore could do that receives as testpmd does and then copies as memcpy does."]
    return Table("Ratios to the limits measured in the same run", ["frames", *short], rows, notes if on_one_lcore else [])


def at_distance(results: Results, case: str, name: str, far: bool):
    found = [m for m in results.select("stages", case, name) if (m["values"].get(distance.VALUE) or 0) > 0]
    found = [m for m in found if (m["values"][distance.VALUE] > distance.FAR_NS) == far]
    return summarize(found, "mpps"), summarize(found, distance.VALUE)


def apart(results: Results) -> Table:
    columns = ["frames: contestant", "CPUs near: Mpps", "a line there and back, ns", "CPUs far: Mpps", "a line there and back, ns"]
    rows = []
    for case in results.names("stages", "case"):
        for name in ours(results):
            near, far = at_distance(results, case, name, False), at_distance(results, case, name, True)
            if near[0] or far[0]:
                rows.append([f"{case}: {name}", *map(cell, [*near, *far])])
    note = (
        "Before and after each measurement, a cache line goes from one CPU to the other and back. The hypervisor puts two virtual CPUs "
        f"under one cache or on two dies, and changes that while it runs; far is more than {distance.FAR_NS} ns."
    )
    return Table("What crosses between two CPUs, by how far apart they are", columns, rows, [note])


def tables(results: Results) -> list:
    if not results.select("stages"):
        return []
    return [rates(results, "mpps", "Mpps"), rates(results, "gbit", "Gbit/s of frames"), ratios(results), apart(results)]
