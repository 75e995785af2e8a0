# SPDX-License-Identifier: BSD-3-Clause
"""Contestants take turns, so that a machine that changes its mood changes it for all of them."""

import sys
import time
from dataclasses import dataclass
from typing import Callable

from .measurement import Measurement
from .trouble import Trouble, Unavailable


@dataclass
class Turn:
    experiment: str
    case: str
    contestant: str
    measure: Callable[[], Measurement]


class Log:
    """One line a measurement on stderr; measurements and troubles are kept."""

    def __init__(self):
        self.measurements = []
        self.troubles = []
        self.start = time.monotonic()

    def took(self) -> float:
        return time.monotonic() - self.start

    def say(self, text: str):
        print(f"[{self.took():5.0f} s] {text}", file=sys.stderr, flush=True)

    def keep(self, measurement: Measurement):
        self.measurements.append(measurement)
        flag = "" if measurement.conclusive else f"  INCONCLUSIVE: {why(measurement)}"
        numbers = ", ".join(f"{name} {value:.4g}" for name, value in measurement.values.items() if value is not None)
        self.say(f"{measurement.experiment}: {measurement.case}: {measurement.contestant}: {numbers}{flag}")

    def trouble(self, turn: Turn, trouble: Trouble):
        line = f"{turn.experiment}: {turn.case}: {turn.contestant}: {trouble}"
        if line not in self.troubles:
            self.troubles.append(line)
        self.say(f"LEFT OUT: {line}")


def why(measurement: Measurement) -> str:
    parts = []
    if measurement.shortfall:
        parts.append(f"its lcore was off its CPU {measurement.shortfall:.1%} of the time")
    if measurement.stolen > 0.005:
        parts.append(f"the hypervisor took {measurement.stolen:.2f} CPUs")
    if measurement.moved:
        parts.append("its CPUs were moved")
    return ", ".join(parts)


def take(turns: list, repeats: int, log: Log):
    """All turns, `repeats` times, beginning with another one each time. Who cannot take part is asked once only."""
    absent = set()
    for repeat in range(repeats):
        shift = repeat * len(turns) // repeats
        for turn in turns[shift:] + turns[:shift]:
            key = (turn.case, turn.contestant)
            if key in absent:
                continue
            try:
                measurement = turn.measure()
            except Unavailable as trouble:
                absent.add(key)
                log.trouble(turn, trouble)
                continue
            except Trouble as trouble:
                log.trouble(turn, trouble)
                continue
            measurement.experiment, measurement.case, measurement.contestant = turn.experiment, turn.case, turn.contestant
            measurement.repeat = repeat
            log.keep(measurement)
