# SPDX-License-Identifier: BSD-3-Clause
"""Results on disk: one JSON line a measurement, kept the moment it is made, and the columns that the published framework's plots read."""

import json
import os
import time
from pathlib import Path

from measure.bed import machine
from measure.measurement import Measurement, summarize
from measure.trouble import Trouble

from .switches import SWITCHES

LINES = "results.jsonl"
COLUMNS = {
    "throughput": ["sent_mpps", "mpps", "gbit", "lost", "duplicates", "reordered", "cpu_share", "switch_cpu_share"],
    "latency": ["min_us", "p50_us", "p90_us", "p99_us", "p999_us", "max_us", "mean_us", "lost", "duplicates", "reordered", "cpu_share", "switch_cpu_share"],
}
PLACE = {"burst": int, "switch": str, "size": int, "rate": str, "pairs": int, "chain": int, "house": str, "mode": str}
MEASURED = {"experiment": str, "values": dict, "notes": list, "repeat": int, "conclusive": bool, "place": dict, "load": dict}
# What makes a machine another one, as far as figures go.
IDENTITY = ("cpu", "cpus", "usable_cpus", "threads_per_core", "virtual", "system", "kernel")


def first_line(*command) -> str:
    return machine.output_of(*command).split("\n")[0]


def this_machine(program: str) -> dict:
    cpu = machine.processor()
    return {
        "cpu": cpu["model"],
        "cpus": cpu["cpus"],
        "usable_cpus": len(os.sched_getaffinity(0)),
        "threads_per_core": cpu["threads_per_core"],
        "numa_nodes": cpu["numa_nodes"],
        "governor": cpu["governor"],
        "isolated": cpu["isolated"],
        "virtual": cpu["virtual"],
        "memory_gib": machine.memory()["gib"],
        "system": machine.first_match(r'^PRETTY_NAME="(.*)"', machine.text_of("/etc/os-release")),
        "kernel": machine.platform.release(),
        "wirespool": ", ".join(machine.output_of(program, "--version").split("\n")[:2]),
        "openvswitch": first_line("ovs-vsctl", "--version"),
    }


def identity(described: dict) -> tuple:
    return tuple(described.get(key) for key in IDENTITY)


def name_of(described: dict) -> str:
    cores = described["cpus"] // max(1, described["threads_per_core"])
    usable = "" if described["usable_cpus"] == described["cpus"] else f" ({described['usable_cpus']} of them usable)"
    virtual = "" if described["virtual"] in ("no", "none") else f", virtual machine ({described['virtual']})"
    return f"{described['cpu']}, {cores} cores, {described['cpus']} CPUs{usable}{virtual}; {described['system']}, Linux {described['kernel']}"


def wrong_switch(name) -> str:
    return "" if isinstance(name, str) and name in SWITCHES else f"is of an unknown switch, '{name}'"


def wrong_with(line) -> str:
    """What a line lacks, or "" if it is a result, or says why there is none."""
    if not isinstance(line, dict):
        return "is no JSON object"
    if not isinstance(line.get("machine"), dict) or any(key not in line["machine"] for key in IDENTITY):
        return "names no machine"
    if "trouble" in line:
        return wrong_switch(line.get("switch")) if isinstance(line.get("said"), str) else "does not say what the trouble was"
    for key, kind in MEASURED.items():
        if not isinstance(line.get(key), kind):
            return f"has no {key}"
    if not all(value is None or isinstance(value, (int, float)) for value in line["values"].values()):
        return "has values that are no numbers"
    if not isinstance(line["load"].get("rate"), str) or not isinstance(line["load"].get("seconds"), (int, float)):
        return "has no load"
    lacking = [key for key, kind in PLACE.items() if not isinstance(line["place"].get(key), kind)]
    return f"has no place.{lacking[0]}" if lacking else wrong_switch(line["place"]["switch"])


def read_lines(path: Path, torn: bool = False) -> list:
    """Every line as it was kept. `torn`: the last one may be half, of a run that was killed; it is left out."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(f"{path}: {getattr(error, 'strerror', None) or 'is no text'}: give {LINES}, or the folder it is in") from error
    pieces = text.split("\n")
    half = pieces.pop()
    if half and not torn:
        raise Trouble(f"{path}:{len(pieces) + 1}: half a line, of a run that was killed: sweep --resume goes on with it, or delete this line")
    found = []
    for at, piece in enumerate(pieces, 1):
        try:
            line = json.loads(piece)
        except ValueError:
            raise Trouble(f"{path}:{at}: broken line, not JSON: delete it; sweep --resume measures it again") from None
        if wrong := wrong_with(line):
            raise Trouble(f"{path}:{at}: no line of bench/nfv/run.sh's: it {wrong}: delete it, or measure again into another --out")
        found.append(line)
    return found


class Kept:
    """`place`: burst, switch, size, rate, pairs, chain, house, mode of each measurement, by which it is found again.

    `described`: this machine, or None for a run that only shows its commands: then nothing is written.
    """

    def __init__(self, folder: Path, described: dict):
        self.folder, self.path, self.machine = folder, folder / LINES, described
        self.lines, self.came = [], 0
        if not self.path.exists():
            return
        lines = read_lines(self.path, torn=True)
        for line in lines:
            if described and identity(line["machine"]) != identity(described):
                raise Trouble(f"{self.path}: has results of another machine ({name_of(line['machine'])}): choose another --out")
        self.lines = [line for line in lines if "trouble" not in line]
        if described:
            self.cut_half_a_line()

    def cut_half_a_line(self):
        """What a killed run was writing, so that the next line does not continue it."""
        data = self.path.read_bytes()
        if data and not data.endswith(b"\n"):
            os.truncate(self.path, data.rfind(b"\n") + 1)

    def has(self, experiment: str, place: dict, repeat: int) -> bool:
        return any(line["experiment"] == experiment and line["place"] == place and line["repeat"] == repeat for line in self.lines)

    def append(self, line: dict):
        if not self.machine:
            return
        line |= {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": self.machine}
        with self.path_to_write().open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")
        self.came += 1

    def path_to_write(self) -> Path:
        """Asked for before the first measurement, too, so that none is made for nothing."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.path.open("a").close()
        except OSError as error:
            raise Trouble(f"{self.folder}: {error.strerror}: give --out a folder that can be written") from error
        return self.path

    def keep(self, measurement: Measurement, place: dict, load: dict):
        """`load`: what place does not say: the rate that was applied, and for how long."""
        line = measurement.to_json() | {"place": place, "load": load}
        self.append(line)
        self.lines.append(line)
        self.write_dat(measurement.experiment, place)

    def keep_trouble(self, switch: str, what: str, said: str):
        """Why there is no result: `what` is absent or failed."""
        self.append({"trouble": what, "switch": switch, "said": said})

    def write_dat(self, experiment: str, place: dict):
        """out/<burst>/<switch>/<size>/<rate>/<experiment>.dat: a row for each number of pairs, or length of a chain."""
        if experiment not in COLUMNS:
            return
        folder = self.folder.joinpath(*(str(place[key]) for key in ("burst", "switch", "size", "rate")))
        folder.mkdir(parents=True, exist_ok=True)
        rows = {}
        for line in self.lines:
            if line["experiment"] == experiment and all(line["place"][key] == place[key] for key in place if key not in ("pairs", "chain")):
                rows.setdefault((line["place"]["pairs"], line["place"]["chain"]), []).append(line)
        text = "# pairs chain " + " ".join(COLUMNS[experiment]) + " conclusive\n"
        for (pairs, chain), lines in sorted(rows.items()):
            cells = [summarize(lines, column) for column in COLUMNS[experiment]]
            words = ["nan" if cell is None else f"{cell.middle:.6g}" for cell in cells]
            text += f"{pairs} {chain} {' '.join(words)} {int(all(line['conclusive'] for line in lines))}\n"
        (folder / f"{experiment}.dat").write_text(text)
