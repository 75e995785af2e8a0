# SPDX-License-Identifier: BSD-3-Clause
"""Tables 2 to 4 of the 2019 paper and the vendors' figures, with wirespool beside them: what a buyer looks at first."""

from ..bed.traces import line_rate_mpps
from ..measurement import Results
from ..measures.disks import ONE
from ..measures.limits import NICS, case_of
from . import published
from .disk_tables import best_fio
from .stage_tables import copying, ours
from .table import Table, number, percent

# 64 MiB of distinct frames are called memory; `wirespool plan` draws the line there, too.
MEMORY_BYTES = 64 << 20


def regime(document: dict) -> str:
    """Where the frames of a run came from, in words."""
    most = max((trace["packets"] * trace["mean_bytes"] for trace in document["traces"]), default=0)
    if not most:
        return "Where the frames came from is not known."
    where = "out of memory" if most >= MEMORY_BYTES else "from the cache, as packets of a NIC do not: through memory an lcore does less"
    return f"The frames came {where} ({most / 1e6:.1f} MB of distinct ones)."


def share(mpps: float, line: float, sure: bool) -> str:
    return percent(min(1.0, mpps / line)) + ("" if sure else " ?")


def shares(results: Results, case: str, name: str, line: float, gbit: int) -> list:
    """With nothing in front of the lcores, and behind the NIC; dashes where that was not measured, or is not known."""
    found = results.summary("stages", case, name, "mpps")
    if not found:
        return ["-", "-"]
    limit = results.middle("limits", case_of(case, gbit), NICS[gbit], "mpps")
    behind = share(min(found.middle, limit), line, found.sure) if limit else "-"
    return [share(found.middle, line, found.sure), behind]


def captured(results: Results) -> Table:
    """The shape of tables 2 and 3."""
    own = [name for name in ours(results) if " rx" in name] + copying(results)
    lengths = {trace["name"]: trace["mean_bytes"] for trace in results.document["traces"]}
    columns = ["frames", "40 GbE, Mpps", *published.CAPTURING_SYSTEMS]
    columns += [f"{name}, {gbit}G{behind}" for gbit in NICS for name in own for behind in ("", f" behind {NICS[gbit]}")]
    rows = []
    for case in results.names("stages", "case"):
        known = published.CAPTURED.get(case, {})
        row = [case, number(line_rate_mpps(lengths[case], 40))]
        row += [f"{known[system]} %" if system in known else "-" for system in published.CAPTURING_SYSTEMS]
        for gbit in NICS:
            line = line_rate_mpps(lengths[case], gbit)
            row += [cell for name in own for cell in shares(results, case, name, line, gbit)]
        rows.append(row)
    notes = [
        f"Published: {published.SOURCES['leira2019']}; tcpdump: {published.SOURCES['leira2019-tcpdump']}. They include the NIC.",
        "wirespool: its rate, measured from net_pcap, as a share of the line rate of 40 and 100 GbE, one RX lcore and at most one writer "
        "lcore. No NIC was involved: this says what the software leaves room for, not what a port delivers.",
        "Behind a NIC: the smaller of that rate and of what others published of the card and its PCIe slot (`wirespool plan "
        "--nic` says which documents, of when), through as many queues as it takes. Computed, not measured.",
        regime(results.document),
    ]
    return Table("Captured, % of a saturated link (tables 2 and 3)", columns, rows, notes)


def stored(results: Results) -> Table:
    """The shape of table 4."""
    goal = published.STORED_AT_GBIT
    rows = [[f"{system} (2019), 5 NVMe drives", number(goal), f"{part} %"] for system, part in published.STORED.items()]
    for name in results.names("disk", "contestant"):
        for case in results.names("disk", "case"):
            found = results.summary("disk", case, name, "gbit")
            if found:
                rows.append([f"{name}, {case}, this machine", number(found.middle), share(found.middle, goal, found.sure)])
    best = best_fio(results, ONE)
    if best:
        most = results.middle("disk", ONE, best, "gb_per_s") * 8
        rows.append([f"what {ONE} of this machine takes at most ({best})", number(most), percent(min(1.0, most / goal))])
    notes = [
        f"The table's other trace, {published.CAMPUS}, is not here: no share of it was at hand, and no such mix is measured.",
        "wirespool's include the drives of this machine, the time index and checksums; no NIC.",
    ]
    return Table(f"Stored, % of the CAIDA mix at {goal:.2f} Gbit/s (table 4)", ["system", "Gbit/s", "stored"], rows, notes)


def each(value: float, cores: float) -> str:
    return number(value / cores if value and cores else None)


def recorder_row(recorder: published.Recorder) -> list:
    cores = f"{recorder.cores:g}" if recorder.cores else "-"
    numbers = [number(recorder.mpps), number(recorder.gbit), cores, each(recorder.mpps, recorder.cores), each(recorder.gbit, recorder.cores)]
    return [recorder.system, *numbers, recorder.includes]


def per_core(results: Results) -> Table:
    """What a core does: 64-byte frames where nobody says otherwise."""
    rows = [recorder_row(recorder) for recorder in published.RECORDERS]
    for name in copying(results):
        rates = [results.middle("stages", "64 B", name, "mpps"), results.middle("stages", "CAIDA-like", name, "gbit")]
        includes = "net_pcap's frames, stamped and copied into Blocks that end there: no NIC, index, checksum or drive"
        rows.append(recorder_row(published.Recorder(name, includes, *rates, 2)))
    for name in (name for name in results.names("disk", "contestant") if name.startswith("wirespool")):
        rates = [results.middle("disk", ONE, name, value) for value in ("mpps", "gbit")]
        includes = "net_pcap's frames, CAIDA-like, stored with the time index and checksums; one drive is the limit, no NIC"
        rows.append(recorder_row(published.Recorder(f"{name}, {ONE}", includes, *rates, 2)))
    columns = ["system", "Mpps", "Gbit/s", "cores", "Mpps a core", "Gbit/s a core", "includes"]
    notes = [
        "Published by the vendors and authors, on their hardware; a dash was not said. Mpps of wirespool's rows are of 64-byte frames and Gbit/s of the "
        "CAIDA-like mix, unless the row says what it stored.",
        regime(results.document),
    ]
    return Table("Packets and bits a core, and what each number includes", columns, rows, notes)


def tables(results: Results) -> list:
    found = [captured(results), per_core(results)] if results.select("stages") else []
    return found[:1] + ([stored(results)] if results.select("disk") else []) + found[1:]
