# SPDX-License-Identifier: BSD-3-Clause
"""Received, handed over, copied: rates, ratios, and the published shape."""

from ..bed.traces import line_rate_mpps
from ..measurement import Results, summarize
from ..measures import distance
from ..measures.stages import MEMCPY, MEMORY, RXONLY
from . import published
from .table import Table, cell, number, percent

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


def share_of_line(results: Results, case: str, name: str, mean_bytes: float, gbit: float) -> str:
    found = results.summary("stages", case, name, "mpps")
    if not found:
        return "-"
    return percent(min(1.0, found.middle / line_rate_mpps(mean_bytes, gbit))) + ("" if found.sure else " ?")


def captured(results: Results) -> Table:
    """The shape of tables 2 and 3 of the 2019 paper."""
    own = [name for name in ours(results) if " rx" in name] + copying(results)
    lengths = {trace["name"]: trace["mean_bytes"] for trace in results.document["traces"]}
    columns = ["frames", "40 GbE, Mpps", *published.CAPTURING_SYSTEMS]
    columns += [f"{name}, {gbit}G" for gbit in (40, 100) for name in own]
    rows = []
    for case in results.names("stages", "case"):
        known = published.CAPTURED.get(case, {})
        row = [case, number(line_rate_mpps(lengths[case], 40))]
        row += [f"{known[system]} %" if system in known else "-" for system in published.CAPTURING_SYSTEMS]
        row += [share_of_line(results, case, name, lengths[case], gbit) for gbit in (40, 100) for name in own]
        rows.append(row)
    return Table(
        "Captured, % of a saturated link",
        columns,
        rows,
        [
            f"Published: {published.SOURCES['leira2019']}; tcpdump: {published.SOURCES['leira2019-tcpdump']}.",
            "wirespool: the rate of the table above as a share of the line rate of 40 and 100 GbE, one RX lcore and at most one "
            "writer lcore. No NIC was involved: this says what the software leaves room for, not what a port delivers.",
        ],
    )


def per_core(results: Results) -> Table:
    rows = [
        [f"{system} ({published.SOURCES[system]})", number(mpps), str(cores or "FPGA"), number(mpps / cores if cores else None)]
        for system, mpps, cores in published.PER_CORE
    ]
    for name in copying(results):
        mpps = results.middle("stages", "64 B", name, "mpps")
        if mpps:
            rows.append([f"{name}, Blocks dropped", number(mpps), "2", number(mpps / 2)])
    return Table("64-byte frames per core", ["system", "Mpps", "cores", "Mpps per core"], rows)


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
    return [rates(results, "mpps", "Mpps"), rates(results, "gbit", "Gbit/s of frames"), ratios(results), apart(results), captured(results), per_core(results)]
