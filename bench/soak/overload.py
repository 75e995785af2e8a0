# SPDX-License-Identifier: BSD-3-Clause
"""More than the drives take, for minutes: what is lost, by which cause, what grows, and how soon after the end nothing is lost any more."""

import signal
import subprocess
import time

from measure.trouble import Trouble

from . import frames
from .samples import Ledger, growth, taken
from .world import World

BYTES_PER_S = 2_000_000  # of each of three drives
OVERLOAD_PPS, AFTER_PPS = 20_000, 500  # of frames of 594 bytes: twice that, and a twentieth
AFTER_S = 10
# Where a packet may be lost, and nowhere else.
CAUSES = {"drop": {"drop_handoff"}, "wait": {"nic_missed"}}


class Overload:
    def __init__(self, world, when_full):
        self.world, self.when_full = world, when_full
        self.ledger, self.samples, self.wrong = Ledger(world.folder / "capture.out"), [], []
        self.loss_at, self.lost = 0.0, 0

    def look(self, seconds):
        """For so long; notes when the ledger last had more losses than before."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.05)
            for name in ("capture", "sender"):
                if getattr(self.world, name).poll() is not None:
                    raise Trouble(f"the {name} ended by itself: {self.world.said(name)[-500:]}")
            if self.ledger.read() is None:
                continue
            lost = sum(self.ledger.losses().values())
            if lost > self.lost:
                self.loss_at, self.lost = time.monotonic(), lost
            if len(self.samples) < (time.monotonic() - self.began):
                self.samples.append(taken(self.world.capture.pid))

    def run(self, minutes):
        self.began = time.monotonic()
        self.world.start_sender(OVERLOAD_PPS)
        self.look(minutes * 60)
        self.world.stop_sender()
        ended, self.lost_then = time.monotonic(), self.lost
        self.overloaded = self.world.sent()
        self.world.start_sender(AFTER_PPS)
        self.look(AFTER_S)
        self.world.stop_sender()
        self.late = max(0.0, self.loss_at - ended)
        time.sleep(3)
        self.world.capture.send_signal(signal.SIGINT)
        began = time.monotonic()
        status = self.world.capture.wait(120)
        self.stop_s = time.monotonic() - began
        self.ledger.read()
        self.check(status == 0, f"exit code {status}: {self.world.said('capture')[-300:]}")

    def check(self, true, otherwise):
        if not true:
            self.wrong.append(f"--when-full {self.when_full}: {otherwise}")

    def judge(self, program):
        totals, losses, sent = self.ledger.last["totals"], self.ledger.losses(), self.world.sent()
        self.wrong += self.ledger.unbalanced
        self.check(self.lost > 0, "nothing was lost: this was no overload")
        self.check(set(losses) <= CAUSES[self.when_full], f"lost as {losses}")
        self.check(sent == totals["stored"] + sum(losses.values()), f"{sent} were sent, {totals['stored']} stored, lost {losses}")
        self.check(self.late <= 1, f"{self.late:.1f} s after the end there were losses still")
        for name in ("rss_kib", "descriptors", "threads"):
            self.check((growth(self.samples, name) or 1) <= 1.05, f"{name} grow by {growth(self.samples, name) or 0:.2f}")
        done = subprocess.run([program, "verify", *self.world.spools()], capture_output=True, text=True, check=False)
        self.check(done.returncode == 0, f"verify: {(done.stdout + done.stderr)[-300:]}")
        try:
            for spool in self.world.spools():
                numbers = list(frames.numbers_in(spool))
                self.check(len(numbers) == len(set(numbers)), f"{spool}: frames twice")
        except ValueError as error:
            self.check(False, error)

    def row(self):
        totals, losses = self.ledger.last["totals"], self.ledger.losses()
        return [self.when_full, self.world.sent(), totals["received"], totals["stored"], ", ".join(f"{k} {v}" for k, v in losses.items()),
                self.ledger.lines, len(self.ledger.unbalanced), f"{self.late:.2f}", f"{growth(self.samples, 'rss_kib') or 0:.3f}",
                f"{self.samples[-1]['rss_kib'] / 1024:.0f}", f"{self.stop_s:.1f}"]

    HEAD = ["when full", "sent", "received", "stored", "lost", "ledger lines", "out of balance", "last loss after the end, s",
            "memory, last quarter over second", "MiB", "stop, s"]


def run(asked, eal):
    """Exit code."""
    rows, wrong = [], []
    for when_full in CAUSES:
        options = ["--when-full", when_full, "--stats-interval", "100ms", *asked.option]
        with World(asked.program, asked.where, options, BYTES_PER_S) as world:
            world.start_capture(eal)
            overload = Overload(world, when_full)
            overload.run(asked.overload)
            overload.judge(asked.program)
            rows.append(overload.row())
            wrong += overload.wrong
    for cells in [Overload.HEAD, ["---"] + ["--:"] * (len(Overload.HEAD) - 1), *rows]:
        print("| " + " | ".join(map(str, cells)) + " |")
    for line in wrong:
        print("WRONG: " + line)
    print(f"{asked.overload:g} minutes each, {len(CAUSES)} ways: " + ("nothing wrong" if not wrong else f"{len(wrong)} wrong"))
    return 1 if wrong else 0
