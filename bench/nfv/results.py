# SPDX-License-Identifier: BSD-3-Clause
"""Results on disk: one JSON line a measurement, kept the moment it is made, and the columns that the published framework's plots read."""

import json
from pathlib import Path

from measure.measurement import Measurement, summarize

LINES = "results.jsonl"
COLUMNS = {
    "throughput": ["sent_mpps", "mpps", "gbit", "lost", "cpu_share"],
    "latency": ["min_us", "p50_us", "p90_us", "p99_us", "p999_us", "max_us", "mean_us", "lost", "cpu_share"],
}


class Kept:
    """`place`: burst, switch, size, rate, pairs, chain of each measurement, by which it is found again."""

    def __init__(self, folder: Path):
        self.folder, self.path = folder, folder / LINES
        self.lines = []
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8").split("\n"):
                try:
                    self.lines.append(json.loads(line))
                except ValueError:
                    continue  # the last one of a run that was killed, and the empty one at the end

    def has(self, experiment: str, place: dict, repeat: int) -> bool:
        return any(line["experiment"] == experiment and line["place"] == place and line["repeat"] == repeat for line in self.lines)

    def keep(self, measurement: Measurement, place: dict):
        line = measurement.to_json() | {"place": place}
        self.lines.append(line)
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")
        self.write_dat(measurement.experiment, place)

    def write_dat(self, experiment: str, place: dict):
        """out/<burst>/<switch>/<size>/<rate>/<experiment>.dat: a row for each number of pairs, or length of a chain."""
        if experiment not in COLUMNS:
            return
        folder = self.folder.joinpath(*(str(place[key]) for key in ("burst", "switch", "size", "rate")))
        folder.mkdir(parents=True, exist_ok=True)
        rows = {}
        for line in self.lines:
            if line["experiment"] == experiment and all(line["place"][key] == place[key] for key in ("burst", "switch", "size", "rate", "house")):
                rows.setdefault((line["place"]["pairs"], line["place"]["chain"]), []).append(line)
        text = "# pairs chain " + " ".join(COLUMNS[experiment]) + " conclusive\n"
        for (pairs, chain), lines in sorted(rows.items()):
            cells = [summarize(lines, column) for column in COLUMNS[experiment]]
            words = ["nan" if cell is None else f"{cell.middle:.6g}" for cell in cells]
            text += f"{pairs} {chain} {' '.join(words)} {int(all(line['conclusive'] for line in lines))}\n"
        (folder / f"{experiment}.dat").write_text(text)
