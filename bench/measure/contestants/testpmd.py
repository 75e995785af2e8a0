# SPDX-License-Identifier: BSD-3-Clause
"""dpdk-testpmd, which receives and frees: what the port can deliver. It computes the rate itself, from the TSC."""

import re
import subprocess
import time

from ..bed import cputime
from ..bed import Bed, trace_device
from ..bed.process import Process
from ..measurement import Measurement
from ..trouble import Trouble

PROMPT = "testpmd>"
BURST = 64  # as wirespool's


class Prompt:
    """testpmd's own command line, through a pipe."""

    def __init__(self, process: Process):
        self.process = process
        self.text = ""
        self.reader = process.lines(30)

    def ask(self, command: str, answer: str) -> str:
        """Waits until the answer's last line has come."""
        self.process.child.stdin.write(f"{command}\n".encode())
        self.process.child.stdin.flush()
        text = []
        for line in self.reader:
            text.append(line)
            if re.search(answer, line):
                return "\n".join(text)
        raise Trouble(f"dpdk-testpmd: ended after '{command}': {self.process.said()}")


def rate(text: str, what: str) -> float:
    return float(re.search(rf"{what}:\s+(\d+)", text).group(1))


def command(bed: Bed, trace, mbufs: int) -> list:
    own = ["-i", "--forward-mode=rxonly", "--nb-cores=1", f"--burst={BURST}", f"--total-num-mbufs={mbufs}"]
    line_by_line = ["stdbuf", "-oL"]  # or its answers wait in stdio's buffer until it ends
    return [*bed.priority(), *line_by_line, "dpdk-testpmd", *bed.eal(1), trace_device(trace.path), "--", *own]


def receive(bed: Bed, trace, mbufs: int) -> Measurement:
    """rxonly; `mbufs` as in wirespool's pool, because a larger one does not stay in the cache."""
    with Process(command(bed, trace, mbufs), stdin=subprocess.PIPE) as process:
        prompt = Prompt(process)
        prompt.ask("start", r"packets/burst=|nb forwarding")
        time.sleep(0.3)
        prompt.ask("show port stats 0", r"Tx-pps")
        before = process.sample()
        time.sleep(bed.seconds)
        text = prompt.ask("show port stats 0", r"Tx-pps")
        after = process.sample()
        process.child.stdin.write(b"stop\nquit\n")
        process.child.stdin.close()
        process.wait(20)
    result = Measurement("stages", trace.name, "")
    result.values = {"mpps": rate(text, "Rx-pps") / 1e6, "gbit": rate(text, "Rx-pps") * trace.mean_bytes * 8 / 1e9}
    result.shortfall = cputime.shortfall(before, after, cputime.polling(after))
    result.stolen = cputime.stolen(before, after)
    return result
