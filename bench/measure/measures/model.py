# SPDX-License-Identifier: BSD-3-Clause
"""`wirespool plan` against what was measured: the mix that its rates were not taken from."""

import json
import subprocess

from ..bed import Bed
from ..measurement import Measurement
from ..trouble import Trouble

MIX = ("CAIDA-like", "caida")


def predict(bed: Bed, results, handoff: str) -> dict:
    command = [bed.wirespool, "plan", "--rate", "40G", "--mix", MIX[1], "--handoff", handoff, "--rates", str(results), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Trouble(f"wirespool plan: {done.stderr.strip()}")
    return json.loads(done.stdout)


def predictions(bed: Bed, document: dict) -> list:
    """As measurements of their own, next to those that they are compared with."""
    results = bed.work / "stages.json"
    results.write_text(json.dumps(document))
    packets, blocks = predict(bed, results, "packets"), predict(bed, results, "blocks")
    found = []
    for contestant, mpps in [
        ("wirespool handoff, packets", packets["rx_lcore_mpps"]),
        ("wirespool block, packets", packets["writer_lcore_mpps"]),
        ("wirespool block, blocks", blocks["rx_lcore_mpps"]),
    ]:
        found.append(Measurement("model", MIX[0], contestant, {"mpps": mpps}))
    return found
