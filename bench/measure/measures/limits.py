# SPDX-License-Identifier: BSD-3-Clause
"""What others say that a NIC lets through, by `wirespool plan`: asked at the time of a run, so that its report can be made again."""

import json
import subprocess

from ..bed import Bed
from ..measurement import Measurement
from ..trouble import Trouble

# Link of a port in Gbit/s: the NIC, as --nic takes it. The first is the one of the 2019 paper.
NICS = {40: "xl710-vf", 100: "e810"}
MIXES = {"CAIDA-like": "caida"}  # other traces are named by their length


def case_of(trace: str, gbit: int) -> str:
    return f"{trace}, {gbit}G"


def mix_of(trace: str) -> str:
    return MIXES.get(trace) or trace.removesuffix(" B")


def least(limits: list, origins: tuple) -> float:
    """Of those that are known; None if none is."""
    known = [limit["mpps"] for limit in limits if limit["mpps"] is not None and limit["origin"] in origins]
    return min(known, default=None)


def values_of(plan: dict) -> dict:
    """Of a card and its slot. What is published of one queue is what somebody received through it, and no limit of an lcore that polls two."""
    mpps = least(plan["machine_limits"], ("published", "computed"))
    return {} if mpps is None else {"mpps": mpps}


def ask(bed: Bed, trace: str, gbit: int) -> dict:
    command = [bed.wirespool, "plan", "--rate", f"{gbit}G", "--mix", mix_of(trace), "--nic", NICS[gbit], "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Trouble(f"wirespool plan: {done.stderr.strip()}")
    return json.loads(done.stdout)


def limits(bed: Bed, traces: list) -> list:
    """As measurements of their own, though nothing was measured: beside those that they are compared with."""
    return [
        Measurement("limits", case_of(trace["name"], gbit), NICS[gbit], values_of(ask(bed, trace["name"], gbit)))
        for trace in traces
        for gbit in NICS
    ]
