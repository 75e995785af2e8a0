# SPDX-License-Identifier: BSD-3-Clause
"""Instructions per packet, counted by callgrind, against a kept baseline: bench/instructions.sh

Wall-clock time on a shared machine says little about a change; the number of instructions hardly varies at all. It depends
on compiler, DPDK and target CPU, so each of their combinations has a baseline of its own.
"""

import argparse
import json
import re
import sys
from pathlib import Path

from ..report import readme
from ..report.option_costs import option_costs
from ..report.table import Table, markdown, text

# Of the baseline. A few ticks of the clock more or less are far below it; an instruction per packet in the loop is above.
TOLERANCE = 1.01
WITHIN, WORSE, NO_BASELINE = 0, 1, 3


def counted(folder: Path) -> dict:
    """{name: instructions} of callgrind's dumps, one for each CALLGRIND_DUMP_STATS_AT."""
    found = {}
    for path in folder.glob("callgrind.out.*"):
        words = path.read_text(errors="replace")
        name = re.search(r"^desc: Trigger: Client Request: (.*)$", words, re.MULTILINE)
        total = re.search(r"^(?:summary|totals): (\d+)", words, re.MULTILINE)
        if name and total:
            found[name.group(1).strip()] = int(total.group(1))
    return found


def per_packet(folder: Path) -> dict:
    totals, found = counted(folder), {}
    for line in (folder / "packets.txt").read_text().splitlines():
        name, packets = line.rsplit("\t", 1)
        if name not in totals:
            raise SystemExit(f"bench/instructions.sh: callgrind left no count of '{name}': look into {folder}")
        found[name] = round(totals[name] / int(packets), 2)
    return found


def of_tcpdump(folder: Path) -> dict:
    """Instructions per packet of a whole tcpdump, out of its runs over a short and a long trace; and what its filter adds."""
    runs = {}
    for path in folder.glob("tcpdump-*.out"):
        kind, filtered, packets = re.fullmatch(r"tcpdump-(.*)-(all|filter)-(\d+)\.out", path.name).groups()
        total = re.search(r"^(?:summary|totals): (\d+)", path.read_text(errors="replace"), re.MULTILINE)
        runs.setdefault((kind, filtered), []).append((int(packets), int(total.group(1))))
    rates = {}
    for key, of_key in runs.items():
        (few, short), (many, long) = sorted(of_key)
        rates[key] = (long - short) / (many - few)
    found = {}
    for kind in {kind for kind, _ in rates}:
        found[f"tcpdump --count, {kind}"] = rates[kind, "all"]
        found[f"tcpdump's filter, {kind}"] = rates[kind, "filter"] - rates[kind, "all"]
    return found


def compare(now: dict, kept: dict) -> tuple:
    rows, worse = [], False
    for name, value in now.items():
        before = kept.get(name)
        ratio = value / before if before else None
        too_many = ratio is not None and ratio > TOLERANCE
        worse = worse or too_many
        verdict = "TOO MANY" if too_many else "fewer: keep it with --update" if ratio and ratio < 1 / TOLERANCE else ""
        rows.append([name, f"{value:.2f}", f"{before:.2f}" if before else "-", f"{ratio:.3f}" if ratio else "-", verdict])
    missing = sorted(set(kept) - set(now))
    rows += [[name, "-", f"{kept[name]:.2f}", "-", "not counted any more"] for name in missing]
    return rows, worse or bool(missing)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench/instructions.sh", description=__doc__)
    parser.add_argument("--counts", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--toolchain", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--baseline", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--readme", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--update", action="store_true", help="keep what was counted as the baseline of this toolchain, and in bench/README.md")
    asked = parser.parse_args()
    now = per_packet(asked.counts)
    everyone = json.loads(asked.baseline.read_text()) if asked.baseline.exists() else {}
    kept = everyone.get(asked.toolchain, {})
    rows, worse = compare(now, kept)
    costs = option_costs(now, of_tcpdump(asked.counts), asked.toolchain)
    columns = ["what", "instructions", "baseline", "ratio", ""]
    print(text(Table(f"Instructions per packet ({asked.toolchain})", columns, rows)))
    print(text(costs))
    if asked.update:
        everyone[asked.toolchain] = now
        asked.baseline.write_text(json.dumps(everyone, indent=2, sort_keys=True) + "\n")
        readme.update(asked.readme, markdown(costs), readme.INSTRUCTIONS)
        print(f"kept in {asked.baseline} and {asked.readme}")
        return WITHIN
    if not kept:
        print(f"no baseline for this toolchain ({asked.toolchain}): nothing was judged; --update makes one")
        return NO_BASELINE
    print(f"more than {TOLERANCE} of the baseline" if worse else f"within {TOLERANCE} of the baseline")
    return WORSE if worse else WITHIN


if __name__ == "__main__":
    sys.exit(main())
