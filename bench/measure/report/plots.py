# SPDX-License-Identifier: BSD-3-Clause
"""Which numbers are drawn."""

from ..measurement import Results
from .svg import Bar, Group, bars


def bar(summary):
    return Bar(summary.middle, summary.low, summary.high, summary.sure) if summary else None


def plot(results: Results, experiment: str, value: str, title: str, unit: str, cases: list = None) -> str:
    names = results.names(experiment, "contestant")
    groups = [
        Group(case, [bar(results.summary(experiment, case, name, value)) for name in names])
        for case in cases or results.names(experiment, "case")
    ]
    return bars(title, unit, names, groups)


def grown(results: Results) -> list:
    having = (m["case"] for m in results.select("scaling") if "ns_per_packet" in m["values"])
    return list(dict.fromkeys(having)) or None


def all_plots(results: Results) -> list:
    return [
        plot(results, "stages", "mpps", "Packets received, handed over, copied", "Mpps"),
        plot(results, "stages", "gbit", "The same in bits", "Gbit/s of frames"),
        plot(results, "scaling", "ns_per_packet", "Cost of a packet as there is more of everything", "ns", grown(results)),
        plot(results, "disk", "gb_per_s", "To disk", "GB/s"),
        plot(results, "drives", "gb_per_s", "More drives, of a known speed each", "GB/s"),
        plot(results, "disk", "system_s_per_gb", "What the kernel takes for it", "CPU s per GB"),
        plot(results, "peers", "stored_share", "Peers on one veth: stored of what was offered", "%"),
        plot(results, "peers", "cpu_s_per_million", "Peers: CPU time", "s per million packets stored"),
        plot(results, "peers", "memory_mib", "Peers: peak memory", "MiB"),
    ]
