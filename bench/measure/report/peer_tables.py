# SPDX-License-Identifier: BSD-3-Clause
"""Peers on one veth pair."""

from ..measurement import Results
from .table import Table, cell

VALUES = [
    ("offered_kpps", "offered, kpps"),
    ("stored_share", "stored, %"),
    ("lost", "packets lost"),
    ("cpu_s_per_million", "CPU s per million stored"),
    ("machine_s_per_million", "the same, whole machine"),
    ("memory_mib", "peak memory, MiB"),
]


def exact(results: Results, case: str, name: str) -> str:
    runs = [m["values"]["exact"] for m in results.select("peers", case, name)]
    return f"{sum(runs):.0f} of {len(runs)}"


def tables(results: Results) -> list:
    rows = []
    for case in results.names("peers", "case"):
        for name in results.names("peers", "contestant"):
            if results.select("peers", case, name):
                found = [cell(results.summary("peers", case, name, value)) for value, _ in VALUES]
                rows.append([f"{case}: {name}", exact(results, case, name), *found])
    if not rows:
        return []
    notes = [
        "Exact: every byte of every packet in order. CPU time of the capturing program (of wirespool: of lcores that poll all the time); "
        "of the whole machine: with the sender, and with what the kernel does for both. Memory: resident set and hugepages. "
        "Everyone has a ring of 64 MiB and writes pcap into the same directory."
    ]
    return [Table("Peers on one veth pair, the same frames from tcpreplay", ["rate: program", "exact", *(t for _, t in VALUES)], rows, notes)]
