# SPDX-License-Identifier: BSD-3-Clause
"""Stored: rates beside fio's, CPU time a GB, and drives."""

from ..measurement import Results, summarize
from ..measures.disks import ONE
from ..measures.drives import BYTES_PER_S
from . import published
from .table import Table, cell, number

VALUES = [
    ("gb_per_s", "GB/s written"),
    ("gbit", "Gbit/s of frames"),
    ("mpps", "Mpps"),
    ("cpu_s_per_gb", "CPU s per GB"),
    ("system_s_per_gb", "of it in the kernel"),
    ("p99_write_ms", "p99 of a write, ms"),
]


def best_fio(results: Results, case: str):
    """The engine with the highest median."""
    speeds = {
        name: results.middle("disk", case, name, "gb_per_s")
        for name in results.names("disk", "contestant")
        if name.startswith("fio")
    }
    speeds = {name: speed for name, speed in speeds.items() if speed}
    return max(speeds, key=speeds.get) if speeds else None


def rates(results: Results) -> Table:
    rows = []
    for case in results.names("disk", "case"):
        best = best_fio(results, case)
        for name in results.names("disk", "contestant"):
            found = [results.summary("disk", case, name, value) for value, _ in VALUES]
            if found[0]:
                ratio = results.ratio("disk", case, name, best, "gb_per_s") if best else None
                rows.append([f"{case}: {name}", *map(cell, found), cell(ratio)])
    notes = [
        "Sequential O_DIRECT writes of {block_kib} KiB into preallocated files, {depth} in flight a drive (psync: 1); the first 0.3 s are not "
        "counted. wirespool stores the CAIDA-like trace, and its lcores poll all the time unless it says --idle adaptive: their CPU "
        "seconds are those of two CPUs, whatever they do; the column beside is what the kernel took of them for the writes.".format(**results.document["settings"]),
    ]
    return Table("To disk", ["contestant", *(title for _, title in VALUES), "of the best fio"], rows, notes)


def drives(results: Results) -> Table:
    rows = [[f"{what} (2019)", gbit] for what, gbit in published.DRIVES]
    for case in results.names("disk", "case"):
        best = best_fio(results, case)
        if best:
            rows.append([f"{case} of this machine ({best})", number(results.middle("disk", case, best, "gb_per_s") * 8)])
    return Table("Drives, Gbit/s", ["drives", "Gbit/s"], rows)


def scaling(results: Results) -> Table:
    """More drives, each of a known speed."""
    cases, rows = results.names("drives", "case"), []
    for name in results.names("drives", "contestant"):
        for case in cases:
            found = results.summary("drives", case, name, "gb_per_s")
            more = times_one(results, case, name)
            rows.append([f"{case}: {name}", cell(found), cell(results.summary("drives", case, name, "gbit")), cell(more)])
    speed = number(BYTES_PER_S / 1e6)
    note = f"Loop devices on the one drive of this machine, each held to {speed} MB/s by a cgroup; how much more there is of them is known."
    return Table("More drives", ["drives: contestant", "GB/s written", "Gbit/s of frames", "times one drive"], rows, [note])


def times_one(results: Results, case: str, name: str):
    first = results.names("drives", "case")[0]
    one = {m["repeat"]: m["values"]["gb_per_s"] for m in results.select("drives", first, name)}
    some = [m | {"values": {"times": m["values"]["gb_per_s"] / one[m["repeat"]]}} for m in results.select("drives", case, name) if m["repeat"] in one]
    return summarize(some, "times")


def tables(results: Results) -> list:
    found = [rates(results), drives(results)] if results.select("disk") else []
    return found + ([scaling(results)] if results.select("drives") else [])
