# SPDX-License-Identifier: BSD-3-Clause
"""The small programs, each beside its baseline."""

from ..measurement import Results
from .table import Table, number


def rows_of(results: Results, case: str) -> list:
    rows, baseline = [], None
    for measurement in results.select("micro", case):
        name, values = measurement["contestant"], measurement["values"]
        baseline = baseline or values
        spread = (values["high_ns"] - values["low_ns"]) / values["ns"] * 50 if values["ns"] else 0
        flag = "" if measurement["conclusive"] else " ?"
        rows.append([f"{case}: {name}", f"{number(values['ns'])} ±{spread:.0f}%{flag}", number(values["ns"] / baseline["ns"])])
    return rows


def tables(results: Results) -> list:
    rows = [row for case in results.names("micro", "case") for row in rows_of(results, case)]
    if not rows:
        return []
    note = "The first of each kind is the baseline, measured in turns with the others in the same process."
    return [Table("Small programs, ns per packet (or per write)", ["what", "ns", "of the baseline"], rows, [note])]
