# SPDX-License-Identifier: BSD-3-Clause
"""All tables of a run, in the order in which they are read, and what has to be known before believing them."""

from ..bed import machine
from ..measurement import Results
from . import cost_tables, disk_tables, first_page, goals, idle_tables, micro_tables, peer_tables, reading_tables, stage_tables
from .table import markdown, text


def tables_of(results: Results, parts: tuple) -> list:
    tables = [table for part in parts for table in part.tables(results)]
    return [table for table in tables if table.useful()]


def first_tables(results: Results) -> list:
    return tables_of(results, (first_page,))


def other_tables(results: Results) -> list:
    return tables_of(results, (goals, stage_tables, cost_tables, disk_tables, idle_tables, peer_tables, reading_tables, micro_tables))


def all_tables(results: Results) -> list:
    return first_tables(results) + other_tables(results)


def remarks(document: dict) -> list:
    quiet = document["quiet"]
    found = [] if quiet["quiet"] else [f"Not a quiet machine: {quiet['seen']}. Measured all the same, because --force was given."]
    unsure = sum(not m["conclusive"] for m in document["measurements"])
    if unsure:
        found.append(f"{unsure} of {len(document['measurements'])} measurements are inconclusive: their lcores did not have their CPUs.")
    return found + [f"Left out: {trouble}" for trouble in document["troubles"]]


def conditions(document: dict) -> str:
    settings = document["settings"]
    priority = "SCHED_RR (chrt -r 10) for all that only need their CPUs" if settings["realtime"] else "ordinary priority"
    memory = "2 MiB hugepages" if settings["hugepages"] else "no hugepages"
    return (
        f"{document['started']}, {settings['repeats']} repeats of {settings['seconds']:g} s, {priority}, {memory}, "
        f"CPUs {','.join(map(str, settings['cpus']))} (main, RX, writer), {document['took_s']:.0f} s in all."
    )


def as_text(results: Results) -> str:
    document = results.document
    head = [machine.one_line(document["machine"]), conditions(document), *remarks(document), ""]
    return "\n".join(head + [text(table) for table in all_tables(results)])


def as_markdown(results: Results) -> str:
    document = results.document
    head = [f"{machine.one_line(document['machine'])}.", "", conditions(document), ""]
    head += [f"- {remark}" for remark in remarks(document)]
    return "\n".join(head + [""] + [markdown(table) for table in all_tables(results)])
