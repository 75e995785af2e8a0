# SPDX-License-Identifier: BSD-3-Clause
import contextlib
import io
import shutil
import struct
import tempfile
import unittest
from pathlib import Path

from measure.trouble import Trouble, Unavailable
from nfv import __main__ as program
from nfv import fabric, options, replay, report
from nfv.steps import Steps
from nfv.switches import SWITCHES
from .test_nfv_report import Words, line


def pcap(path: Path, frames: list, magic: int = replay.NANO, cut: int = 0) -> Path:
    data = struct.pack("<IHHiIII", magic, 2, 4, 0, 0, 65535, 1)
    for time, frame in frames:
        data += replay.RECORD.pack(time // 10**9, time % 10**9, len(frame), len(frame) + cut) + frame
    path.write_bytes(data)
    return path


def frame(number: int) -> bytes:
    return bytes.fromhex("020000000002020000000001") + b"\x88\xb5" + number.to_bytes(4, "big") + bytes(42)


def again(switch: str, p50: float, conclusive: bool = True, **load) -> dict:
    values = {f"{what}_{name}_us": p50 * times for what in ("gap", "own") for name, times in (("p50", 1), ("p90", 2), ("p99", 3), ("p999", 4), ("max", 5))}
    found = line("replay", switch, values | {"sent": 2000, "received": 2000, "bytes": 912345}, conclusive, burst=1, mode="raw")
    found["load"] |= {"file": "trace.pcap", "speed": 1.0} | load
    return found


class Gaps(unittest.TestCase):
    def test_errors_are_those_of_gaps_and_not_of_times(self):
        before = [(0, 60), (1000, 60), (5000, 60)]
        self.assertEqual(replay.gap_errors(before, [(time + 777, 60) for time, _ in before], 1), [0, 0])
        self.assertEqual(replay.gap_errors(before, [(0, 60), (1100, 60), (4900, 60)], 1), [100, 200])

    def test_gaps_at_another_speed_are_wanted_as_such(self):
        self.assertEqual(replay.gap_errors([(0, 60), (1000, 60)], [(0, 60), (500, 60)], 2), [0])

    def test_percentiles_are_the_least_that_so_many_do_not_exceed(self):
        found = replay.percentiles([number * 1000 for number in range(1, 1001)], "gap")
        self.assertEqual(found, {"gap_p50_us": 500, "gap_p90_us": 900, "gap_p99_us": 990, "gap_p999_us": 999, "gap_max_us": 1000})
        self.assertEqual(set(replay.percentiles([3000], "gap").values()), {3})


class Captures(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_a_frame_that_was_cut_and_a_foreign_file_are_refused(self):
        with self.assertRaisesRegex(Trouble, "frame 1 was cut to 60 of 100 bytes"):
            replay.frames_of(pcap(self.folder / "a", [(1, frame(1))], cut=40))
        with self.assertRaisesRegex(Trouble, "no pcap with nanoseconds"):
            replay.frames_of(pcap(self.folder / "b", [(1, frame(1))], magic=0xA1B2C3D4))

    @unittest.skipUnless(shutil.which("tcpdump"), "needs tcpdump")
    def test_a_frame_that_is_missing_changed_added_or_moved_is_told_by_its_number(self):
        frames = [frame(number) for number in range(4)]
        before = pcap(self.folder / "before", list(enumerate(frames)))
        replay.require_same(before, pcap(self.folder / "same", [(time + 5, one) for time, one in enumerate(frames)]))
        for wrong, said in (
            (frames[:3], "frame 4 did not come"),
            (frames + [frame(9)], "frame 5 is one more than was sent"),
            ([frames[1], frames[0], *frames[2:]], "frame 1 is another"),
            ([*frames[:2], frames[2][:-1] + b"x", frames[3]], "frame 3 is another"),
            ([*frames[:2], frames[2][:-1], frames[3]], "frame 3 is another"),
        ):
            with self.assertRaisesRegex(Trouble, said):
                replay.require_same(before, pcap(self.folder / "wrong", list(enumerate(wrong))))


class Asking(unittest.TestCase):
    def test_a_dry_run_shows_both_ends_and_touches_nothing(self):
        shown = []
        with fabric.Fabric(Steps(True, show=shown.append), SWITCHES["linux-bridge"], "/bin/wirespool") as made:
            self.assertIsNone(replay.replay(made, Path("/data/trace.pcap"), 2.0, True))
        self.assertTrue(any("tcpdump -i eth0 -Q in" in one for one in shown))
        self.assertTrue(any("wirespool send -R eth0 --pcap /data/trace.pcap --speed 2 --json -B" in one for one in shown))

    def test_ports_of_dpdk_are_not_where_tcpdump_captures(self):
        with fabric.Fabric(Steps(True, show=lambda _: None), SWITCHES["memif"], "/bin/wirespool") as made:
            with self.assertRaisesRegex(Unavailable, "memif: tcpdump captures from interfaces"):
                replay.replay(made, Path("/data/trace.pcap"), 1.0, False)

    def test_what_cannot_be_is_one_line(self):
        for words, wanted in ((["replay", "/nonexistent/trace.pcap"], "is not there"), (["replay", "x", "--speed", "0"], "divided by 0.001 to 1000"), (["replay"], "FILE")):
            said = io.StringIO()
            with contextlib.redirect_stderr(said), contextlib.suppress(SystemExit):
                self.assertNotEqual(program.main(["--program", "/bin/true", *words]), 0)
            (one,) = said.getvalue().splitlines()
            self.assertIn(wanted, one)
        self.assertEqual(options.parse(["replay", "x"]).switches, ["veth", "linux-bridge"])


class Reporting(unittest.TestCase):
    def rows(self, *lines) -> list:
        return [row for row in Words(report.page(list(lines))).rows if "trace.pcap" in row]

    def test_each_capture_is_a_row_with_percentiles_and_what_it_is_worth(self):
        (unsure, sure) = self.rows(again("veth", 2.0), again("linux-bridge", 7.0, False))
        self.assertEqual(unsure[:6], ["linux-bridge", "trace.pcap", "1", "raw frames (-R), polling", "2,000", "912,345"])
        self.assertEqual(unsure[6:11], ["7.00 ?", "14.0 ?", "21.0 ?", "28.0 ?", "35.0 ?"])
        self.assertTrue(unsure[-1].startswith("? inconclusive"))
        self.assertEqual((sure[0], sure[6], sure[-1]), ("veth", "2.00", "conclusive"))

    def test_runs_of_one_capture_are_one_row_and_speeds_are_rows_of_their_own(self):
        self.assertEqual(len(self.rows(again("veth", 2.0), again("veth", 4.0))), 1)
        self.assertEqual(len(self.rows(again("veth", 2.0), again("veth", 4.0, speed=2.0))), 2)

    def test_without_any_the_report_has_no_such_table(self):
        self.assertNotIn("Captures sent again", report.page([line("exact", "veth", {"sent": 1, "received": 1})]))
