# SPDX-License-Identifier: BSD-3-Clause
"""Reading back what was captured."""

from ..measurement import Results
from ..measures.reading import COLD, EXTRACT, FIO, MERGE, MERGECAP, TCPDUMP, VERIFY, WARM, WHOLE
from .table import Table, cell

VALUES = [
    ("seconds", "seconds"),
    ("gb_per_s", "GB/s"),
    ("mpps", "million packets/s"),
    ("cpu_s", "CPU s"),
    ("memory_mib", "peak memory, MiB"),
]
# (case, ours, theirs, at least as many times as fast)
GOALS = [(MERGE, EXTRACT, MERGECAP, 5), (COLD, EXTRACT, TCPDUMP, 50), (WARM, EXTRACT, TCPDUMP, 50), (WHOLE, VERIFY, FIO, 0.8)]


def tables(results: Results) -> list:
    rows = []
    for case in results.names("reading", "case"):
        for name in results.names("reading", "contestant"):
            if results.select("reading", case, name):
                rows.append([f"{case}: {name}", *(cell(results.summary("reading", case, name, value)) for value, _ in VALUES)])
    if not rows:
        return []
    notes = [
        "GB and packets are those of all files, also where only some of them had to be read. The merge is written to nothing, with the files "
        "in the page cache; tcpdump and tshark merge nothing, they read one file after the other. Cold: the page cache was dropped before."
    ]
    return [Table("Reading back", ["what: program", *(title for _, title in VALUES)], rows, notes)]
