# SPDX-License-Identifier: BSD-3-Clause
"""What lcores with nothing to do take of their CPUs."""

from ..measurement import Results
from .table import Table, cell

VALUES = [
    ("rx_percent", "RX lcore, % of a CPU"),
    ("writer_percent", "writer lcore"),
    ("rx_asleep_percent", "RX lcore asleep, %"),
    ("writer_asleep_percent", "writer lcore asleep"),
    ("longest_ms", "longest sleep, ms"),
    ("overslept", "overslept"),
]


def idle(results: Results) -> Table:
    rows = []
    for case in results.names("idle", "case"):
        for name in results.names("idle", "contestant"):
            rows.append([f"{case}: {name}", *(cell(results.summary("idle", case, name, value)) for value, _ in VALUES)])
    note = (
        "A net_ring port on which nothing comes, --until handoff. Asleep is what the lcores count themselves, from going to sleep to running "
        "again; overslept, how many sleeps of the RX lcore took longer than its descriptors last at line rate."
    )
    return Table("With nothing to do", ["what", *(title for _, title in VALUES)], rows, [note])


def tables(results: Results) -> list:
    return [idle(results)] if results.select("idle") else []
