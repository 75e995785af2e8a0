# SPDX-License-Identifier: BSD-3-Clause
"""A table of words, and how numbers become words."""

from dataclasses import dataclass, field

UNSURE = "?"


@dataclass
class Table:
    title: str
    columns: list
    rows: list
    notes: list = field(default_factory=list)

    def useful(self) -> bool:
        return any(cell not in ("", "-") for row in self.rows for cell in row[1:])


def number(value: float) -> str:
    """Three digits that mean something."""
    if value is None:
        return "-"
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:,.{digits}f}"


def percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def cell(summary, shown=number) -> str:
    """Median and spread (largest minus smallest, of the median); "?" if no repeat had the CPUs it needed."""
    if summary is None:
        return "-"
    spread = f" ±{summary.spread * 50:.0f}%" if summary.runs > 1 else ""
    return f"{shown(summary.middle)}{spread}{'' if summary.sure else ' ' + UNSURE}"


def text(table: Table) -> str:
    rows = [table.columns, *table.rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.columns))]
    lines = [table.title]
    for at, row in enumerate(rows):
        cells = [row[0].ljust(widths[0])] + [row[i].rjust(widths[i]) for i in range(1, len(row))]
        lines.append("  ".join(cells).rstrip())
        if at == 0:
            lines.append("  ".join("-" * width for width in widths))
    return "\n".join([*lines, *(f"  {note}" for note in table.notes)]) + "\n"


def markdown(table: Table) -> str:
    def line(cells):
        return "| " + " | ".join(word.replace("|", "\\|") for word in cells) + " |"

    rule = "|" + "---|" + "--:|" * (len(table.columns) - 1)
    notes = [f"{note}" for note in table.notes]
    return "\n".join([f"**{table.title}**", "", line(table.columns), rule, *map(line, table.rows), "", *notes]).rstrip() + "\n"
