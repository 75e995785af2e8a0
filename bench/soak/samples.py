# SPDX-License-Identifier: BSD-3-Clause
"""What a process takes, and what its ledger says, read while it runs."""

import json
import os
import statistics

TICKS = os.sysconf("SC_CLK_TCK")


def taken(pid):
    """Memory, descriptors, threads and CPU seconds of a process."""
    status = dict(line.split(":", 1) for line in open(f"/proc/{pid}/status") if ":" in line)
    words = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return {
        "rss_kib": int(status["VmRSS"].split()[0]),
        "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
        "threads": int(status["Threads"]),
        "cpu_s": (int(words[11]) + int(words[12])) / TICKS,
    }


class Ledger:
    """The lines of a capture's standard output, as they come."""

    def __init__(self, path):
        self.path, self.offset, self.rest = path, 0, b""
        self.lines, self.last, self.unbalanced = 0, None, []

    def read(self):
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            text = file.read()
        self.offset += len(text)
        *whole, self.rest = (self.rest + text).split(b"\n")
        for raw in whole:
            self.last = json.loads(raw)
            self.lines += 1
            if self.last.get("imbalance"):
                self.unbalanced.append(f"{self.last['time']}: {self.last['imbalance']}")
        return self.last

    def losses(self):
        """By cause, of the last line; what is not counted is not in it."""
        found = {cause: self.last["totals"][cause] for cause in ("drop_handoff", "drop_drive")}
        for port in self.last["ports"]:
            for cause in ("nic_missed", "nic_errors", "no_mbuf"):
                if port[cause] is not None:
                    found[cause] = found.get(cause, 0) + port[cause]
        return {cause: count for cause, count in found.items() if count}


def growth(samples, name):
    """The median of the last quarter over that of the second: the first is for filling what is there to be filled."""
    quarter = len(samples) // 4
    if not quarter:
        return None
    of = lambda part: statistics.median(sample[name] for sample in part)  # noqa: E731
    return of(samples[-quarter:]) / of(samples[quarter:2 * quarter])
