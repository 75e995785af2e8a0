# SPDX-License-Identifier: BSD-3-Clause
"""One measurement, and what many of them say together."""

from dataclasses import asdict, dataclass, field
from statistics import median

# A polling lcore that was off its CPU for longer than this share of the time did not show what it can do.
SHORTFALL_LIMIT = 0.02


@dataclass
class Measurement:
    experiment: str  # stages, disk, peers, micro
    case: str  # a trace, a number of directories, an offered rate
    contestant: str
    values: dict = field(default_factory=dict)  # name: number
    shortfall: float = None  # of the wall time, of the lcore that got least; None: has no lcore that polls
    stolen: float = 0.0  # CPUs, by the hypervisor
    moved: bool = False  # the hypervisor put the CPUs elsewhere meanwhile
    notes: list = field(default_factory=list)
    command: str = ""
    repeat: int = 0

    @property
    def conclusive(self) -> bool:
        return (self.shortfall or 0.0) <= SHORTFALL_LIMIT and self.stolen <= SHORTFALL_LIMIT and not self.moved

    def to_json(self) -> dict:
        return asdict(self) | {"conclusive": self.conclusive}


@dataclass
class Summary:
    """Median and extremes of the repeats of one value; conclusive ones only, if there are any."""

    middle: float
    low: float
    high: float
    runs: int
    conclusive: int

    @property
    def spread(self) -> float:
        return (self.high - self.low) / self.middle if self.middle else 0.0

    @property
    def sure(self) -> bool:
        return self.conclusive > 0


def summarize(measurements: list, value: str):
    """Of measurements as in the JSON. None if nobody has that value."""
    having = [m for m in measurements if m["values"].get(value) is not None]
    if not having:
        return None
    good = [m for m in having if m["conclusive"]]
    numbers = [m["values"][value] for m in good or having]
    return Summary(median(numbers), min(numbers), max(numbers), len(having), len(good))


class Results:
    """All measurements of a run, as in the JSON, to be asked for."""

    def __init__(self, document: dict):
        self.document = document
        self.measurements = document["measurements"]

    def select(self, experiment: str, case: str = None, contestant: str = None) -> list:
        return [
            m
            for m in self.measurements
            if m["experiment"] == experiment and case in (None, m["case"]) and contestant in (None, m["contestant"])
        ]

    def summary(self, experiment: str, case: str, contestant: str, value: str):
        return summarize(self.select(experiment, case, contestant), value)

    def ratio(self, experiment: str, case: str, above: str, below: str, value: str):
        """Of two contestants, repeat by repeat, so that both saw the machine in the same mood."""
        return self.compare(experiment, case, [above, below], value, lambda a, b: a / b)

    def compare(self, experiment: str, case: str, names: list, value: str, how):
        """`how` of the values of several contestants, repeat by repeat."""
        by_repeat = [
            {m["repeat"]: m for m in self.select(experiment, case, name) if m["values"].get(value)} for name in names
        ]
        together = [[one[r] for one in by_repeat] for r in by_repeat[0] if all(r in one for one in by_repeat)]
        if not together:
            return None
        good = [some for some in together if all(m["conclusive"] for m in some)]
        numbers = [how(*(m["values"][value] for m in some)) for some in good or together]
        return Summary(median(numbers), min(numbers), max(numbers), len(together), len(good))

    def middle(self, experiment: str, case: str, contestant: str, value: str):
        found = self.summary(experiment, case, contestant, value)
        return found.middle if found else None

    def names(self, experiment: str, what: str) -> list:
        """Cases or contestants in the order in which they first took part."""
        return list(dict.fromkeys(m[what] for m in self.select(experiment)))
