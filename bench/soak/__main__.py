# SPDX-License-Identifier: BSD-3-Clause
"""Has a capture meet hours of everything at once, and says what it took and whether the books add up. See bench/soak.sh."""

import argparse
import os
import random
import signal
import subprocess
import sys
import time

from measure.bed import machine
from measure.trouble import Trouble

from . import frames, load, overload
from .drives import FAULTS
from .samples import Ledger, growth, taken
from .world import World

STOP_SECONDS = 13  # --stop-timeout, and some


def parse(arguments):
    parser = argparse.ArgumentParser(prog="bench/soak.sh", description="Hours of everything at once: rotation, retention, scrapes, queries, faults.")
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)  # bench/soak.sh's own
    parser.add_argument("--hours", type=float, default=2, help="how long [2]")
    parser.add_argument("--rate", type=int, default=2000, metavar="PPS", help="frames a second, of a mean of 594 bytes [2000]")
    parser.add_argument("--fault-every", type=float, default=60, metavar="S", help="seconds between two faults [60]")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="of the faults' order [random, told]")
    parser.add_argument("--where", default="/var/tmp", metavar="DIR", help="where the drives' images lie, 4 GiB [/var/tmp]")
    parser.add_argument("--rows", type=int, default=12, help="rows of the table [12]")
    parser.add_argument("--option", action="append", default=[], metavar="WORD", help="one more for the capture, as --option=--idle --option=adaptive")
    parser.add_argument("--overload", type=float, metavar="MINUTES", help="instead: twice what the drives take for so long, then a twentieth; with --when-full drop, then wait")
    parser.add_argument("--no-huge", action="store_true", help="memory that is no hugepages")
    return parser.parse_args(arguments)


class Soak:
    def __init__(self, world, asked):
        self.world, self.asked = world, asked
        self.random = random.Random(asked.seed)
        self.ledger = Ledger(world.folder / "capture.out")
        self.samples, self.rows, self.wrong, self.struck = [], [], [], 0
        self.pending, self.mend_at, self.next_fault = None, 0, time.monotonic() + asked.fault_every / 2
        url = f"http://127.0.0.1:{world.service_port}"
        spools = world.spools()
        self.askers = [
            load.Asker("scrape", 1, load.scrape(f"http://127.0.0.1:{world.metrics}/metrics")),
            load.Asker("extract", 7, load.extract(asked.program, spools)),
            load.Asker("service", 5, load.query(url)),
            load.Asker("ls", 11, load.listing(asked.program, spools)),
        ]

    # --- faults --------------------------------------------------------------------------------------------------------

    def fault(self):
        """Strikes when it is time, and mends; one at a time."""
        now = time.monotonic()
        if self.pending and now >= self.mend_at:
            fault, drive = self.pending
            fault.mend(drive, self.world.capture.pid)
            self.pending = None
            self.next_fault = now + self.asked.fault_every
        elif not self.pending and now >= self.next_fault:
            fault = self.random.choice(FAULTS)
            drive = self.random.choice([self.world.drives[name] for name in "ab" if fault.file_system in (None, self.world.drives[name].file_system)])
            fault.strike(drive, self.world.capture.pid)
            self.struck += 1
            self.pending, self.mend_at = (fault, drive), now + fault.lasts

    def mend(self):
        if self.pending:
            self.pending[0].mend(self.pending[1], self.world.capture.pid)
            self.pending = None

    # --- looking -------------------------------------------------------------------------------------------------------

    def look(self):
        for name, child in (("capture", self.world.capture), ("serve", self.world.service), ("sender", self.world.sender)):
            if child.poll() is not None:
                raise Trouble(f"{name} ended by itself with {child.returncode}: {self.world.said(name)[-800:]}")
        line = self.ledger.read()
        if line is None:
            return
        service = taken(self.world.service.pid)
        sample = taken(self.world.capture.pid) | {"time": time.monotonic() - self.began, "stored": line["totals"]["stored"]}
        sample |= {"service_" + name: value for name, value in service.items()}
        self.samples.append(sample)

    def row(self):
        line, last = self.ledger.last, self.samples[-1]
        latencies = [drive["write_latency_ns"] for drive in line["drives"]]
        slowest = {name: max((latency[name] or 0) for latency in latencies) / 1e6 for name in ("p50", "p99", "max")}
        self.rows.append([
            f"{last['time'] / 60:.0f}", self.struck, self.world.sent(), line["totals"]["received"], line["totals"]["stored"],
            ", ".join(f"{cause} {count}" for cause, count in self.ledger.losses().items()) or "0",
            f"{last['rss_kib'] / 1024:.1f}", last["descriptors"], last["threads"], f"{last['cpu_s']:.0f}",
            f"{slowest['p50']:.2f} / {slowest['p99']:.1f} / {slowest['max']:.0f}",
            f"{last['service_rss_kib'] / 1024:.1f}", last["service_descriptors"],
            " / ".join(str(asker.done) for asker in self.askers)])
        print(line_of(self.rows[-1]), flush=True)

    HEAD = ["minute", "faults", "sent", "received", "stored", "lost", "MiB", "descriptors", "threads", "CPU s",
            "write p50 / p99 / max, ms", "serve MiB", "serve descriptors", "scrapes / extracts / queries / ls"]

    # --- from begin to end ---------------------------------------------------------------------------------------------

    def run(self):
        for asker in self.askers:
            asker.start()
        self.began = time.monotonic()
        end, next_row = self.began + self.asked.hours * 3600, self.began
        print(line_of(self.HEAD) + "\n" + line_of(["---"] + ["--:"] * (len(self.HEAD) - 1)), flush=True)
        while time.monotonic() < end:
            time.sleep(1)
            self.fault()
            self.look()
            if time.monotonic() >= next_row and self.samples:
                self.row()
                next_row += self.asked.hours * 3600 / self.asked.rows
        self.mend()
        time.sleep(15)  # a drive that came back last is taken back
        self.look()
        self.row()

    def ask_no_more(self):
        for asker in self.askers:
            asker.ended.set()
        for asker in self.askers:
            asker.join(120)

    def stop(self):
        world = self.world
        world.stop_sender()
        time.sleep(3)  # --flush-age, and what is on the wire
        began = time.monotonic()
        world.capture.send_signal(signal.SIGINT)
        try:
            status = world.capture.wait(STOP_SECONDS + 60)
        except subprocess.TimeoutExpired:
            raise Trouble(f"the capture does not stop: {world.said('capture')[-800:]}") from None
        took = time.monotonic() - began
        self.ledger.read()
        self.check(status == 0, f"exit code {status}: {world.said('capture')[-300:]}")
        self.check(took < STOP_SECONDS, f"it took {took:.1f} s to stop")
        world.service.terminate()
        self.check(world.service.wait(30) == 0, "serve did not end well")
        return took

    def check(self, true, otherwise):
        if not true:
            self.wrong.append(otherwise)

    def judge(self):
        world, ledger, line = self.world, self.ledger, self.ledger.last
        totals, losses, sent = line["totals"], ledger.losses(), world.sent()
        self.check(line["final"], "no final ledger line")
        self.wrong += ledger.unbalanced
        before = sum(losses.get(cause, 0) for cause in ("nic_missed", "nic_errors", "no_mbuf"))
        self.check(sent == totals["received"] + before, f"{sent} were sent, {totals['received']} received and {before} lost before")
        after = sum(losses.get(cause, 0) for cause in ("drop_handoff", "drop_drive"))
        self.check(totals["received"] == totals["stored"] + after, f"{totals['received']} were received, {totals['stored']} stored and {after} lost")
        self.look_at_files(line, sum(losses.values()), sent)
        for asker in self.askers:
            self.wrong += asker.wrong
        for name, most in (("rss_kib", 1.1), ("descriptors", 1.1), ("threads", 1.1), ("service_rss_kib", 1.25), ("service_descriptors", 1.1)):
            grown = growth(self.samples, name)
            self.check(grown is None or grown <= most, f"{name} of the last quarter are {grown or 0:.2f} of those of the second")

    def look_at_files(self, line, lost, sent):
        """What is newer than all that retention has removed has to be there: each frame once, as it was sent."""
        spools = self.world.spools()
        repair = subprocess.run([self.asked.program, "repair", *spools], capture_output=True, text=True, check=False)
        self.check(repair.returncode == 0, f"repair: {repair.stderr[-300:]}")
        verify = subprocess.run([self.asked.program, "verify", *spools], capture_output=True, text=True, check=False)
        try:
            kept = [list(frames.numbers_in(spool)) for spool in spools]
        except ValueError as error:
            self.wrong.append(str(error))
            return
        oldest = max(min(numbers, default=0) for numbers in kept)
        numbers = [number for some in kept for number in some if number >= oldest]
        unsynced = sum(drive["unsynced"] for drive in line["drives"])
        missing = sent - oldest - len(set(numbers))
        # Frames that a file system forgot when it gave up its journal: then verify says how many, and nothing else.
        told = missing and verify.stdout.rstrip().endswith(": 1 problems") and "its ledger tells of" in verify.stdout
        self.check(verify.returncode == 0 or told, f"verify: {(verify.stdout + verify.stderr)[-300:]}")
        self.check(len(numbers) == len(set(numbers)), f"{len(numbers) - len(set(numbers))} frames are there twice")
        self.check(missing <= lost + unsynced, f"{missing} of the {sent - oldest} newest frames are missing; {lost} are lost and {unsynced} unsynced")
        self.found = f"of the {sent - oldest} newest frames, which retention has left alone, {missing} are missing ({lost} lost and {unsynced} unsynced of all)"

    def tell(self, took):
        ledger = self.ledger
        host = machine.processor()
        removed = sum(drive.get("removed", {}).get("packets", 0) if isinstance(drive.get("removed"), dict) else 0 for drive in ledger.last["drives"])
        print(f"\n{self.asked.hours:g} h at {self.asked.rate} frames/s on {host['model']}, {host['cpus']} CPUs; {self.struck} faults, seed {self.asked.seed}; {ledger.lines} ledger lines, "
              f"{len(ledger.unbalanced)} out of balance; {removed} packets removed by retention; stopped in {took:.1f} s.")
        print(getattr(self, "found", "the files could not be counted"))
        for asker in self.askers:
            print(f"{asker.name}: {asker.done} answered, {asker.refused} not, the slowest {asker.slowest:.1f} s")
        for name in ("rss_kib", "descriptors", "threads", "service_rss_kib", "service_descriptors"):
            grown = growth(self.samples, name)
            print(f"{name}: last quarter over second: {'too short to say' if grown is None else f'{grown:.3f}'}")
        for wrong in self.wrong:
            print("WRONG: " + wrong)
        print("nothing wrong" if not self.wrong else f"{len(self.wrong)} wrong")


def line_of(cells):
    return "| " + " | ".join(map(str, cells)) + " |"


def main():
    asked = parse(sys.argv[1:])
    if os.geteuid() != 0:
        raise Trouble("root is needed: for loop devices, mounts and namespaces")
    cpus = sorted(os.sched_getaffinity(0))
    second = cpus[1] if len(cpus) > 1 else cpus[0]
    eal = ["--lcores", f"0@{cpus[0]},1@{cpus[0]},2@{second}"] + (["--no-huge", "-m", "256"] if asked.no_huge else ["--in-memory"])
    if asked.overload:
        return overload.run(asked, eal)
    with World(asked.program, asked.where, asked.option) as world:
        world.start_capture(eal)
        world.start_service()
        world.start_sender(asked.rate)
        soak = Soak(world, asked)
        try:
            soak.run()
        finally:
            soak.ask_no_more()
        took = soak.stop()
        soak.judge()
        soak.tell(took)
    return 1 if soak.wrong else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    try:
        sys.exit(main())
    except (Trouble, KeyboardInterrupt) as trouble:
        print(f"bench/soak.sh: {trouble}", file=sys.stderr)
        sys.exit(2)
