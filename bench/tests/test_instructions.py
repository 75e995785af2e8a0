# SPDX-License-Identifier: BSD-3-Clause
import contextlib
import io
import json
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from measure.measures import instructions


class Instructions(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.baseline = self.folder / "baseline.json"
        self.readme = self.folder / "README.md"
        self.readme.write_text("before\n<!-- bench/instructions.sh --update: begin -->\nold\n<!-- bench/instructions.sh --update: end -->\nbehind\n")

    def count(self, **totals: int):
        for number, (name, total) in enumerate(totals.items()):
            text = f"desc: Trigger: Client Request: {name}\nfn=(1) main\n1 {total}\nsummary: {total}\n"
            (self.folder / f"callgrind.out.1.{number}").write_text(text)
        (self.folder / "packets.txt").write_text("".join(f"{name}\t1000\n" for name in totals))

    def judge(self, *more: str) -> tuple:
        arguments = ["x", "--counts", str(self.folder), "--toolchain", "g++ 12", "--baseline", str(self.baseline), "--readme", str(self.readme), *more]
        with mock.patch.object(sys, "argv", arguments), contextlib.redirect_stdout(io.StringIO()) as said:
            return instructions.main(), said.getvalue()

    def test_without_a_baseline_of_this_toolchain_nothing_is_judged(self):
        self.count(rx=50_000)
        self.assertEqual(self.judge()[0], instructions.NO_BASELINE)
        self.baseline.write_text(json.dumps({"clang 19": {"rx": 1}}))
        self.assertEqual(self.judge()[0], instructions.NO_BASELINE)

    def test_a_baseline_that_is_kept_is_the_one_that_is_judged_by(self):
        self.count(rx=50_000, block=76_000)
        self.assertEqual(self.judge("--update")[0], instructions.WITHIN)
        self.assertEqual(json.loads(self.baseline.read_text()), {"g++ 12": {"rx": 50.0, "block": 76.0}})
        self.assertEqual(self.judge()[0], instructions.WITHIN)

    def test_an_instruction_more_in_the_loop_is_too_many(self):
        self.count(rx=50_000, block=76_000)
        self.judge("--update")
        self.count(rx=51_000, block=76_000)
        status, said = self.judge()
        self.assertEqual(status, instructions.WORSE)
        self.assertEqual(said.count("TOO MANY"), 1)

    def test_what_is_not_counted_any_more_is_worse_and_not_better(self):
        self.count(rx=50_000, block=76_000)
        self.judge("--update")
        (self.folder / "packets.txt").write_text("rx\t1000\n")
        status, said = self.judge()
        self.assertEqual(status, instructions.WORSE)
        self.assertIn("not counted any more", said)

    def test_fewer_are_fine_and_worth_keeping(self):
        self.count(rx=50_000)
        self.judge("--update")
        self.count(rx=40_000)
        status, said = self.judge()
        self.assertEqual(status, instructions.WITHIN)
        self.assertIn("keep it with --update", said)

    def run_tcpdump(self, kind: str, filtered: str, packets: int, total: int):
        (self.folder / f"tcpdump-{kind}-{filtered}-{packets}.out").write_text(f"fn=(1) main\n1 {total}\nsummary: {total}\n")

    def test_what_an_option_costs_is_what_it_adds_and_goes_into_the_page(self):
        self.count(**{"until rx, 64 B": 20_000, "until rx, --filter by libpcap, 64 B": 120_500})
        self.run_tcpdump("64 B", "all", 2000, 1_000_000 + 2000 * 300)
        self.run_tcpdump("64 B", "all", 6000, 1_000_000 + 6000 * 300)
        self.run_tcpdump("64 B", "filter", 2000, 1_500_000 + 2000 * 370)
        self.run_tcpdump("64 B", "filter", 6000, 1_500_000 + 6000 * 370)
        self.judge("--update")
        page = self.readme.read_text()
        self.assertIn("| `--filter`, by libpcap | RX | +100.5 | - |", page)
        self.assertIn("| tcpdump --count | its process | 300.0 | - |", page)
        self.assertIn("| tcpdump's filter | its process | 70.0 | - |", page)
        self.assertTrue(page.startswith("before\n") and page.endswith("\nbehind\n") and "old" not in page)

    def test_a_count_that_callgrind_did_not_leave_ends_it(self):
        self.count(rx=50_000)
        (self.folder / "packets.txt").write_text("rx\t1000\nblock\t1000\n")
        with self.assertRaisesRegex(SystemExit, "no count of 'block'"):
            self.judge()


if __name__ == "__main__":
    unittest.main()
