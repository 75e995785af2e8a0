# SPDX-License-Identifier: BSD-3-Clause
import json
import tempfile
import unittest
from pathlib import Path

from measure.bed import Bed
from measure.bed.traces import Trace
from measure.contestants import wirespool
from measure.trouble import Trouble

from .stand_ins import program


def line(milliseconds: int, packets: int, final: bool = False, dropped: int = 0) -> str:
    totals = {"received": packets, "drop_handoff": dropped, "drop_drive": 0, "stored": packets, "stored_bytes": 100 * packets}
    drive = {"bytes": 1000 * packets, "write_latency_ns": {"p99": 2_000_000}}
    ledger = {"elapsed_ns": milliseconds * 1_000_000, "final": final, "totals": totals, "lcores": [{"lcore": 1}], "drives": [drive]}
    return json.dumps(ledger)


class Wirespool(unittest.TestCase):
    """The contestant stands in for by a script that says what a capture would."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "src").mkdir()
        self.bed = Bed(self.folder, self.folder, [0, 0, 1], seconds=0.0)
        self.trace = Trace("64 B", self.folder / "t.pcap", 4000, 60.0)

    def says(self, *lines: str, then: str = ""):
        said = "".join(f"echo '{words}'\n" for words in lines)
        program(self.folder / "src", "wirespool", said + then)

    def test_a_rate_is_between_two_lines_without_the_first_moments_and_the_final_line(self):
        self.says(line(100, 1), line(400, 1000), line(900, 6000), line(1400, 11_000), line(9000, 12_000, final=True))
        found = wirespool.stage(self.bed, self.trace, "block")
        self.assertAlmostEqual(found.values["mpps"], 0.01)
        self.assertAlmostEqual(found.values["gbit"], 0.01 * 60 * 8 / 1000)

    def test_what_was_dropped_was_not_taken(self):
        self.says(line(400, 1000), line(1400, 11_000, dropped=5000), line(1500, 1, final=True))
        self.assertAlmostEqual(wirespool.stage(self.bed, self.trace, "rx").values["mpps"], 0.005)

    def test_a_capture_without_lcores_in_sight_is_inconclusive_and_not_perfect(self):
        self.says(line(400, 1000), line(1400, 11_000))
        self.assertFalse(wirespool.stage(self.bed, self.trace, "rx").conclusive)

    def test_a_capture_that_was_too_short_or_failed_is_trouble(self):
        self.says(line(100, 1), line(400, 2), line(500, 3, final=True))
        with self.assertRaisesRegex(Trouble, "more --seconds"):
            wirespool.stage(self.bed, self.trace, "rx")
        self.says(line(400, 2), line(900, 3), then="echo no mbufs >&2\nexit 2\n")
        with self.assertRaisesRegex(Trouble, "exit code 2: no mbufs"):
            wirespool.stage(self.bed, self.trace, "rx")

    def test_to_disk_the_bytes_of_completed_writes_count(self):
        self.says(line(400, 1000), line(1400, 3000))
        values = wirespool.to_disk(self.bed, self.trace, [self.folder]).values
        self.assertAlmostEqual(values["gb_per_s"], 0.002)
        self.assertAlmostEqual(values["p99_write_ms"], 2.0)


if __name__ == "__main__":
    unittest.main()
