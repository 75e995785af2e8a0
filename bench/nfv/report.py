# SPDX-License-Identifier: BSD-3-Clause
"""One HTML file of results: figures in the papers' shape, tables of the same numbers, published ones beside. Nothing in it is from elsewhere."""

import os
from html import escape
from pathlib import Path

from measure.measurement import summarize
from measure.report.page import STYLE
from measure.report.table import Table, cell
from measure.trouble import Trouble

from . import beside, charts
from .figures import ABSENT, ORDER, SHAPES, Figure, figures_of, mode_words, rate_words, total, verdict, word
from .results import LINES, identity, name_of, read_lines
from .switches import SWITCHES

# Of each colour one for light and one for dark paper.
COLOURS = (
    ("#1f6fb4", "#6fb3ec"), ("#c85f14", "#f0a060"), ("#2a8a5f", "#63c79b"), ("#8a4fb5", "#c49be6"),
    ("#b32d4c", "#f0869d"), ("#6b6a14", "#c9c65a"), ("#3a7f8c", "#74c4d2"),
)
OWN_STYLE = """
body { max-width: 74rem; } .panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1rem; }
.panel .what { margin: 0; color: var(--ink); } figcaption { font-weight: 400; font-size: .85rem; } figcaption b { font-size: 1rem; }
th, td { padding: .3rem .5rem; } td { white-space: nowrap; } th:last-child, td:last-child { text-align: left; }
td:last-child { white-space: normal; min-width: 11rem; }
.wide td { white-space: normal; text-align: left; } .wide th { text-align: left; }
.hollow { fill: var(--card); stroke-width: 1.5; stroke-dasharray: 2 1.5; } .join { stroke-width: 1.6; }
text.doubt { fill: var(--ink); font-weight: 700; } .legend svg { width: 14px; height: 14px; vertical-align: -2px; margin-right: .3rem; }
.whisker { stroke-opacity: .55; } .unsure { stroke-dasharray: 2 2; }
@media (prefers-color-scheme: dark) { .warning { color: #f0a060; } }
.inconclusive td { color: var(--soft); }
"""
HOW_TO_READ = (
    "Frames are counted without their FCS: 64 B here is 68 on a wire. Gbit/s are bits of frames.",
    "A number with ? is inconclusive: an application or a poller of the switch had less than 98 % of its CPU, or a hypervisor took more than 2 % of one. It says what the machine "
    "left room for, and limits no switch: its mark is hollow, and no line goes through it.",
    "Lost, twice and out of order are packets of all runs, counted by their numbers; what is lost after the last one that came is not in it, but in the "
    "difference between Mpps sent and Mpps. Numbers are medians of the runs; ±: half of what is between the least and the most.",
    "Latency is there and back, from when a packet was meant to be sent: what waits because the one before it was late counts.",
)
SECURE = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"


def style() -> str:
    def rules(which: int) -> str:
        return "".join(f".s{i}{{fill:{pair[which]};stroke:{pair[which]}}}" for i, pair in enumerate(COLOURS))

    return STYLE + rules(0) + "@media (prefers-color-scheme: dark) {" + rules(1) + "}" + OWN_STYLE


def files_of(paths: list) -> list:
    return list(dict.fromkeys((path / LINES if path.is_dir() else path).resolve() for path in paths))


def gather(paths: list) -> list:
    """All lines, which have to be of one machine."""
    lines, first = [], None
    for path in files_of(paths):
        found = read_lines(path)
        if not any("trouble" not in line for line in found):
            raise Trouble(f"{path}: results with no line: nothing was measured there")
        for line in found:
            first = first or (path, line["machine"])
            if identity(line["machine"]) != identity(first[1]):
                raise Trouble(f"{path}: is of another machine than {first[0]}: {name_of(line['machine'])}, not {name_of(first[1])}: make a report of each")
        lines += found
    return lines


def html_table(table: Table, kind: str = "") -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.columns)
    body = ""
    for row in table.rows:
        unsure = ' class="inconclusive"' if row[-1].startswith("?") else ""
        body += f"<tr{unsure}>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
    notes = "".join(f"<p><small>{escape(note)}</small></p>" for note in table.notes)
    return f'<div class="scroll {kind}"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{notes}'


def html_figure(figure: Figure, number: int) -> str:
    title, _, parameters = figure.caption.partition(" (")
    drawings = "".join(charts.svg(panel) for panel in figure.panels)
    notes = "".join(f"<p><small>{escape(note)}</small></p>" for note in figure.notes)
    return (
        f"<figure><figcaption><b>Figure {number}. {escape(title)}</b> ({escape(parameters)}</figcaption>{charts.legend(figure.panels)}"
        f'<div class="panels">{drawings}</div>{html_table(figure.table)}{notes}</figure>'
    )


def sections(measured: list) -> str:
    parts, number = [], 0
    for shape in SHAPES:
        parts.append(f"<h2>{escape(shape.title)}</h2>")
        found = figures_of(shape, measured)
        if not found:
            parts.append(f"<p>{ABSENT}</p>")
        for figure in found:
            number += 1
            parts.append(html_figure(figure, number))
    return "".join(parts)


def set_ups(measured: list, troubles: list) -> Table:
    """Every switch: exact where, or why not here."""
    body = []
    for switch in ORDER:
        exact = {}
        for line in measured:
            if line["experiment"] == "exact" and line["place"]["switch"] == switch:
                place = line["place"]
                exact[(place["house"], place["mode"], place["chain"], place["pairs"])] = line["values"]
        for (house, mode, chain, pairs), values in sorted(exact.items()):
            where = f"chain of {chain}" if chain else word("pairs", pairs)
            found = [values.get(name) for name in ("sent", "received", "lost", "duplicates", "reordered")]
            counts = [ABSENT if count is None else f"{count:,}" for count in found]
            whole = found[0] == found[1] and found[2:] == [0, 0, 0]
            body.append([switch, where, house, mode_words(mode).split(",")[0], *counts, "exact" if whole else "not exact"])
        if exact:
            continue
        said = [line["said"] for line in troubles if line["switch"] == switch]
        body.append([switch, ABSENT, *[""] * 7, said[-1] if said else ""])
    columns = ["switch", "how many", "in", "by", "sent", "received", "lost", "twice", "out of order", "counted at a low rate"]
    return Table("", columns, body, ["What is not exact at a low rate is not measured. Each packet has to come once, in order and whole."])


def replays(measured: list) -> str:
    """Captures that were sent again, came whole and in order, and by how much their gaps were wrong."""
    found = {}
    for line in measured:
        if line["experiment"] == "replay":
            load = line["load"]
            found.setdefault((line["place"]["switch"], load.get("file", ""), load.get("speed", 1), line["place"]["mode"]), []).append(line)
    if not found:
        return ""
    names = ("gap_p50_us", "gap_p90_us", "gap_p99_us", "gap_p999_us", "gap_max_us", "own_p50_us", "own_p99_us")
    body = []
    for (switch, file, speed, mode), lines in sorted(found.items()):
        count, size = (summarize(lines, name) for name in ("received", "bytes"))
        cells = [cell(summarize(lines, name)) for name in names]
        body.append([switch, file, f"{speed:g}", mode_words(mode), f"{count.middle:,.0f}", f"{size.middle:,.0f}", *cells, verdict(lines)])
    columns = ["switch", "capture", "speed", "by", "frames", "bytes", "gaps p50", "p90", "p99", "p99.9", "max", "send's own p50", "p99", "verdict"]
    notes = [
        "Every frame came, with the same bytes and in the same order: what does not is a failure and has no row. By how much gaps were wrong, in us: by the stamps of a capture behind "
        "the switch, which have the kernel's and the switch's own part; send's own is when it gave a frame to the socket."
    ]
    return "<h2>Captures sent again</h2>" + html_table(Table("", columns, body, notes))


def probes(measured: list) -> str:
    """Two who talk, and a capture that hears them: exact at a low rate, and what it costs them."""
    body = []
    for line in (line for line in measured if line["experiment"] == "probe exact"):
        values = line["values"]
        low = f"{line['load']['rate']}/s"
        body.append([line["place"]["switch"], word("size", line["place"]["size"]), low, *[f"{values[name]:,}" for name in ("sent", "received", "stored")], "", "", "", "exact"])
    found = {}
    for line in (line for line in measured if line["experiment"] == "probe"):
        place = line["place"]
        found.setdefault((place["switch"], place["size"], place["rate"], place["burst"], place["mode"]), []).append(line)
    for (switch, size, rate, _, _), lines in sorted(found.items()):
        counts = [total(lines, name) for name in ("probe_received", "probe_stored", "probe_missed")]
        cells = [cell(summarize(lines, name)) for name in ("mpps_without", "mpps")]
        body.append([switch, word("size", size), rate_words([rate]), "", *counts, *cells, verdict(lines)])
    if not body:
        return ""
    columns = ["switch", "frame", "rate", "sent", "received", "stored by the probe", "missed by it", "Mpps without it", "Mpps with it", "verdict"]
    notes = ["Received: by the other end where it is exact, else by the probe, with what the kernel itself sent and what came while the two warmed up. Missed: what found its ring full."]
    return "<h2>The probe among others</h2>" + html_table(Table("", columns, body, notes))


def failures(measured: list, troubles: list) -> str:
    """What the table of set-ups does not say: some of a switch's runs failed, or lacked something (such as hugepages for more pairs)."""
    here = {line["place"]["switch"] for line in measured}
    said = list(dict.fromkeys(f"{line['switch']}: {line['said']}" for line in troubles if line["trouble"] == "failed" or line["switch"] in here))
    if not said:
        return ""
    return "<h2>What failed or lacked something</h2><ul>" + "".join(f"<li>{escape(line)}</li>" for line in said) + "</ul>"


def software(lines: list) -> str:
    """Versions may have changed between runs: all are named."""
    named = {}
    for line in lines:
        for key in ("wirespool", "openvswitch"):
            if line["machine"].get(key):
                named.setdefault(line["machine"][key])
    return "; ".join(named)


def head(lines: list, measured: list) -> str:
    described, times = lines[0]["machine"], sorted(line["time"] for line in lines if line.get("time"))
    doubtful = [line for line in measured if not line["conclusive"]]
    figures = [line for line in measured if line["experiment"] not in ("exact", "probe exact")]
    when = f"{times[0]} to {times[-1]}; " if times else ""
    details = f"{described.get('memory_gib')} GiB, NUMA nodes: {described.get('numa_nodes')}"
    details += f", governor {described.get('governor')}, isolated CPUs: {described.get('isolated')}"
    said = f"{len(doubtful)} of {len(figures)} measurements are inconclusive (?): this machine lacked CPUs for them. They limit no switch."
    warning = f'<p class="warning">{said}</p>' if doubtful else ""
    return (
        f"<h1>What this machine's switches carry</h1><p><b>Machine:</b> {escape(name_of(described))}; {escape(details)}<br>"
        f"<b>Programs:</b> {escape(software(lines))}<br><b>Measured:</b> {escape(when)}{len(figures)} measurements, "
        f"{len({line['place']['switch'] for line in measured})} of {len(SWITCHES)} switches</p>{warning}"
    )


def page(lines: list) -> str:
    measured = [line for line in lines if "trouble" not in line]
    troubles = [line for line in lines if "trouble" in line]
    reading = "".join(f"<li>{escape(text)}</li>" for text in HOW_TO_READ)
    published = beside.table(measured)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"{SECURE}<title>wirespool: what switches carry</title><style>{style()}</style></head><body>{head(lines, measured)}"
        f"<h2>How to read it</h2><ul>{reading}</ul><h2>Set-ups</h2>{html_table(set_ups(measured, troubles))}{sections(measured)}{replays(measured)}{probes(measured)}"
        f'<h2>{escape(published.title)}</h2>{html_table(published, "wide")}{failures(measured, troubles)}'
        "<footer><p>Made by bench/nfv/run.sh from results.jsonl; how a number is made: bench/nfv/README.md</p></footer></body></html>\n"
    )


def write(paths: list, output: Path) -> Path:
    """The report of all results, whole or not at all."""
    lines = gather(paths)
    target = (output or files_of(paths)[0].with_name("report.html")).resolve()
    half = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        half.write_text(page(lines), encoding="utf-8")
        half.replace(target)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise Trouble(f"{target}: {error.strerror}: give -o a file that can be written") from error
    return target
