# SPDX-License-Identifier: BSD-3-Clause
"""Cycles per stage, costs as things grow, and how well `wirespool plan` predicts."""

from ..measurement import Results
from .table import Table, cell, number, percent


def cycles(results: Results) -> Table:
    rows = []
    for case in results.names("cycles", "case"):
        for name in results.names("cycles", "contestant"):
            stages = dict.fromkeys(stage for m in results.select("cycles", case, name) for stage in m["values"])
            rows += [[f"{case}: {name}", stage, cell(results.summary("cycles", case, name, stage))] for stage in stages]
    note = (
        "Counted by wirespool itself (-Dstage_cycles=true), rdtsc around every Burst; the time-stamp counter's cycles, not the core's. "
        "rx is the driver's receive call: net_pcap's copy. Rounds that found nothing to do are left out."
    )
    return Table("Cycles per packet", ["what", "stage", "cycles"], rows, [note])


def scaling(results: Results) -> Table:
    rows = []
    for name in results.names("scaling", "contestant"):
        for case in dict.fromkeys(m["case"] for m in results.select("scaling", contestant=name)):
            cost, speed, kernel = (
                results.summary("scaling", case, name, value) for value in ("ns_per_packet", "gb_per_s", "system_s_per_gb")
            )
            rows.append([f"{name}: {case}", cell(cost), cell(speed), cell(kernel)])
    columns = ["what grows", "ns per packet, dropped", "GB/s, stored", "CPU s per GB in the kernel"]
    note = "One RX lcore, --handoff blocks. Dropped: 64-byte frames (Blocks end in memory). Stored: the CAIDA-like trace on one drive."
    return Table("As there is more of everything", columns, rows, [note])


def model(results: Results) -> Table:
    rows = []
    for m in results.select("model"):
        measured = results.middle("stages", m["case"], m["contestant"], "mpps")
        predicted = m["values"]["mpps"]
        off = percent(predicted / measured - 1) if measured else "-"
        rows.append([f"{m['contestant']}: {m['case']}", number(predicted), number(measured), off])
    note = "Predicted from the rates of frames of one length; the mix itself is in none of them."
    return Table("wirespool plan, Mpps of one lcore", ["what", "predicted", "measured", "off by"], rows, [note])


def tables(results: Results) -> list:
    found = [(cycles, "cycles"), (scaling, "scaling"), (model, "model")]
    return [table(results) for table, experiment in found if results.select(experiment)]
