# SPDX-License-Identifier: BSD-3-Clause
"""What wirespool set out to reach, each goal with its value."""

from ..measurement import Results
from ..measures.disks import ONE, TWO
from ..measures.drives import case_of
from ..measures.stages import MEMORY, RXONLY, name_of
from .disk_tables import best_fio, times_one
from .reading_tables import GOALS as READING
from .table import Table, cell, number

# (handoff, trace, limit, at least): rates of `--until block`.
STAGES = [
    ("blocks", "64 B", RXONLY, 0.85),
    ("blocks", "CAIDA-like", MEMORY, 0.95),
    ("blocks", "1518 B", MEMORY, 0.95),
    ("packets", "64 B", RXONLY, 0.60),
    ("packets", "CAIDA-like", MEMORY, 0.75),
]
OF_FIO = 0.97
OF_ONE = 1.9
SLEEPING_OF_FIO = 2
IDLE_PERCENT = 2
MPPS_40G = 59.5  # 64-byte frames of 40 GbE: as good as the ratio for --handoff packets


def verdict(summary, reached: bool) -> str:
    if summary is None:
        return "not measured"
    return ("reached" if reached else "short of it") + ("" if summary.sure else " (?)")


def row(what: str, goal: str, summary, reached) -> list:
    return [what, goal, cell(summary), verdict(summary, bool(summary) and reached(summary.middle))]


def stage_row(results: Results, kind: str, case: str, limit: str, least: float) -> list:
    name = name_of("block", kind)
    found = results.ratio("stages", case, name, limit, "mpps")
    mpps = results.middle("stages", case, name, "mpps") or 0
    line_rate_will_do = kind == "packets" and case == "64 B"
    goal = f"≥ {least} of {limit}" + (f", or {MPPS_40G} Mpps" if line_rate_will_do else "")
    made = row(f"{name}: {case}", goal, found, lambda ratio: ratio >= least or (line_rate_will_do and mpps >= MPPS_40G))
    if line_rate_will_do and mpps:
        made[2] += f" ({number(mpps)} Mpps)"
    return made


def disk_rows(results: Results, kind: str) -> list:
    name, best = f"wirespool, {kind}", best_fio(results, ONE)
    if not best or not results.select("disk", ONE, name):
        return []
    speed = results.ratio("disk", ONE, name, best, "gb_per_s")
    cost = results.ratio("disk", ONE, name, best, "cpu_s_per_gb")
    kernel = results.ratio("disk", ONE, name, best, "system_s_per_gb")
    rows = [
        row(f"{name}: to disk", f"≥ {OF_FIO} of {best}", speed, lambda ratio: ratio >= OF_FIO),
        row(f"{name}: CPU s per GB, polling included", f"< 1 of {best}", cost, lambda ratio: ratio < 1),
        row(f"{name}: CPU s per GB in the kernel", f"< 1 of {best}", kernel, lambda ratio: ratio < 1),
    ]
    return rows + [two_drives_row(results, name)]


def sleeping_row(results: Results, kind: str) -> list:
    """Whose lcores sleep when they have nothing to do."""
    name, best = f"wirespool, {kind}, --idle adaptive", best_fio(results, ONE)
    if not best or not results.select("disk", ONE, name):
        return []
    cost = results.ratio("disk", ONE, name, best, "cpu_s_per_gb")
    return [row(f"{name}: CPU s per GB", f"≤ {SLEEPING_OF_FIO} of {best}", cost, lambda ratio: ratio <= SLEEPING_OF_FIO)]


def idle_row(results: Results, case: str) -> list:
    found = results.summary("idle", case, "--idle adaptive", "rx_percent")
    return row(f"an idle RX lcore: {case}", f"≤ {IDLE_PERCENT} % of a CPU", found, lambda percent: percent <= IDLE_PERCENT)


def two_drives_row(results: Results, name: str) -> list:
    one, two = (results.summary("disk", case, name, "gb_per_s") for case in (ONE, TWO))
    what, goal = f"{name}: two drives", f"≥ {OF_ONE} of one"
    if one and two:
        two.middle, two.low, two.high = (value / one.middle for value in (two.middle, two.low, two.high))
    elif results.select("drives", case_of(2), name):
        what, two = f"{what} (loop drives)", times_one(results, case_of(2), name)
    return row(what, goal, two, lambda ratio: ratio >= OF_ONE)


def reading_row(results: Results, case: str, ours: str, theirs: str, least: float) -> list:
    found = results.ratio("reading", case, ours, theirs, "gb_per_s")
    return row(f"{ours}: {case}", f"≥ {least} of {theirs}", found, lambda ratio: ratio >= least)


def tables(results: Results) -> list:
    rows = [stage_row(results, *goal) for goal in STAGES if results.select("stages", goal[1], name_of("block", goal[0]))]
    for kind in ("blocks", "packets"):
        rows += disk_rows(results, kind) + sleeping_row(results, kind)
    rows += [idle_row(results, case) for case in results.names("idle", "case")]
    rows += [reading_row(results, *goal) for goal in READING if results.select("reading", goal[0], goal[1])]
    return [Table("Goals", ["what", "goal", "measured", "verdict"], rows)] if rows else []
