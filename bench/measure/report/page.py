# SPDX-License-Identifier: BSD-3-Clause
"""One HTML file with everything in it: no script, no font and no picture from elsewhere."""

from html import escape

from ..bed import machine
from ..measurement import Results
from . import plots
from .everything import first_tables, other_tables, remarks
from .table import Table

STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5d6b80; --line: #d9dfe8; --paper: #ffffff; --card: #f6f8fb; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa7b8; --line: #323b48; --paper: #14181e; --card: #1c222b; } }
body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p, li, small, footer { color: var(--soft); } .warning { color: #b3410a; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: right; } th { font-weight: 600; color: var(--soft); }
th:first-child, td:first-child { text-align: left; }
figure { margin: 1.5rem 0; padding: 1rem; background: var(--card); border-radius: 8px; } figcaption { font-weight: 600; }
svg { width: 100%; height: auto; } text { font: 11px system-ui, sans-serif; fill: var(--soft); } text.label, text.value { fill: var(--ink); }
.grid { stroke: var(--line); } .whisker { stroke: var(--ink); stroke-opacity: .65; } .unsure { fill-opacity: .35; }
.legend { margin: .4rem 0 .6rem; font-size: .8rem; color: var(--soft); } .key { margin-right: 1rem; white-space: nowrap; }
.key i { display: inline-block; width: .7rem; height: .7rem; border-radius: 2px; margin-right: .35rem; }
"""
WARM = ["#f4b97f", "#ee9a4d", "#e07b2a", "#c85f14", "#a3480a"]
COOL = ["#7a8799", "#9ec5e8", "#5aa0d8", "#2f74b5", "#4ea58a", "#8f6bb8"]


def colours() -> str:
    named = [(f"w{i}", colour) for i, colour in enumerate(WARM)] + [(f"c{i}", colour) for i, colour in enumerate(COOL)]
    return "".join(f".{name}{{fill:{colour};background:{colour}}}" for name, colour in named)


def html_table(table: Table) -> str:
    head = "".join(f"<th>{escape(word)}</th>" for word in table.columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(word)}</td>" for word in row) + "</tr>" for row in table.rows)
    notes = "".join(f"<p><small>{escape(note)}</small></p>" for note in table.notes)
    return f'<h2>{escape(table.title)}</h2><div class="scroll"><table><tr>{head}</tr>{body}</table></div>{notes}'


def page(results: Results) -> str:
    document = results.document
    warnings = "".join(f'<p class="warning">{escape(remark)}</p>' for remark in remarks(document))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>wirespool: measured {escape(document['started'])}</title><style>{STYLE}{colours()}</style></head><body>"
        f"<h1>wirespool, measured</h1><p>{escape(document['started'])}: {escape(machine.one_line(document['machine']))}</p>{warnings}"
        + "".join(map(html_table, first_tables(results)))
        + "".join(plots.all_plots(results))
        + "".join(map(html_table, other_tables(results)))
        + f"<footer><p>commit {escape(document['machine']['software']['commit'])}; how a number is made: bench/README.md</p></footer></body></html>\n"
    )
