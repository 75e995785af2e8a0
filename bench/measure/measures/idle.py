# SPDX-License-Identifier: BSD-3-Clause
"""What lcores with nothing to do take of their CPUs, with --idle poll and adaptive: a port on which nothing comes."""

from functools import partial

from ..bed import Bed
from ..contestants import wirespool
from ..rounds import Turn
from ..trouble import Unavailable

KINDS = ["poll", "adaptive"]
DESCRIPTORS = [1024, 2048, 4096, 16384]  # which last 69 us to 1.1 ms at the 10 Gbit/s of a net_ring port


def case_of(descriptors: int) -> str:
    return f"{descriptors} descriptors at 10 Gbit/s"


def once(bed: Bed, descriptors: int, kind: str):
    if not wirespool.supports(bed, "--idle "):
        raise Unavailable("this wirespool has no --idle")
    return wirespool.with_nothing_to_do(bed, ["--rx-desc", str(descriptors), "--idle", kind])


def turns(bed: Bed) -> list:
    return [Turn("idle", case_of(d), f"--idle {kind}", partial(once, bed, d, kind)) for d in DESCRIPTORS for kind in KINDS]
