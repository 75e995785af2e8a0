# SPDX-License-Identifier: BSD-3-Clause
import os
import signal
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from measure import bed
from measure.bed import Bed, cputime, quiet, spool_files, traces
from measure.bed.pcap import content
from measure.bed.process import Process
from measure.trouble import Trouble

from .stand_ins import pcap, program, sample


class CpuTime(unittest.TestCase):
    def test_the_lcore_that_got_least_is_the_shortfall(self):
        first = sample(10.0, lcore_worker_1=1.0, lcore_worker_2=1.0, keeper=0.0)
        last = sample(12.0, lcore_worker_1=3.0, lcore_worker_2=2.5, keeper=0.1)
        tids = cputime.polling(last)
        self.assertEqual(len(tids), 2)
        self.assertAlmostEqual(cputime.shortfall(first, last, tids), 0.25)

    def test_no_lcore_at_all_is_a_shortfall_of_everything(self):
        self.assertEqual(cputime.shortfall(sample(0.0), sample(1.0), []), 1.0)

    def test_only_the_lcores_asked_for_count_by_any_name_that_eal_gives_them(self):
        seen = sample(0.0, lcore_worker_1=0, rte_worker_2=0, dpdk_worker3=0, main=0)
        self.assertEqual(len(cputime.polling(seen)), 3)
        self.assertEqual(len(cputime.polling(seen, {2, 3})), 2)

    def test_what_an_lcore_had_of_its_cpu_is_a_share_of_the_time(self):
        first = sample(10.0, lcore_worker_1=1.0, lcore_worker_2=5.0)
        last = sample(14.0, lcore_worker_1=1.5, lcore_worker_2=9.0)
        self.assertAlmostEqual(cputime.share_of_lcore(first, last, 1), 0.125)
        self.assertAlmostEqual(cputime.share_of_lcore(first, last, 2), 1.0)

    def test_threads_that_began_meanwhile_count_whole(self):
        total, system = cputime.cpu_seconds(sample(0.0, a=1.0), sample(1.0, a=2.0, b=4.0))
        self.assertAlmostEqual(total, 5.0)
        self.assertAlmostEqual(system, 1.25)

    def test_what_the_hypervisor_took_is_in_cpus(self):
        self.assertAlmostEqual(cputime.stolen(sample(0.0, steal=1.0), sample(4.0, steal=2.0)), 0.25)

    def test_this_process_is_found_in_proc_with_its_children(self):
        with Process(["sleep", "60"]) as child:
            seen = cputime.sample(os.getpid())
            self.assertIn(os.getpid(), seen.threads)
            self.assertIn(child.pid, seen.threads)
            self.assertGreater(seen.threads[os.getpid()].ran, 0)
            self.assertGreater(seen.machine.busy, 0)

    def test_a_name_with_parentheses_and_blanks_does_not_shift_the_fields(self):
        with tempfile.TemporaryDirectory() as folder:
            task = Path(folder)
            fields = ["S", *map(str, range(4, 14)), "200", "100", *["0"] * 30]
            (task / "stat").write_text("42 (a (b) c) " + " ".join(fields) + "\n")
            thread = cputime.read_thread(task)
            self.assertEqual(thread.name, "a (b) c")
            self.assertAlmostEqual(thread.ran, 300 * cputime.TICK)
            self.assertAlmostEqual(thread.system, 100 * cputime.TICK)
            (task / "schedstat").write_text("2500000000 1 2\n")
            self.assertAlmostEqual(cputime.read_thread(task).ran, 2.5)


class Quiet(unittest.TestCase):
    def test_a_hypervisor_that_takes_cpus_is_as_loud_as_a_neighbour(self):
        self.assertTrue(quiet.is_quiet({"cpus": 0.1, "steal": 0.04}))
        self.assertFalse(quiet.is_quiet({"cpus": 0.1, "steal": 0.06}))

    def test_patience_ends_and_what_was_seen_last_is_told(self):
        loud = {"cpus": 1.5, "steal": 0.0, "load": 2.0, "by": [("cc1plus", 1.4)]}
        with mock.patch.object(quiet, "look", return_value=loud) as look:
            self.assertIs(quiet.wait_for_quiet(0.0), loud)
        self.assertGreaterEqual(look.call_count, 1)
        self.assertIn("cc1plus 1.4", quiet.describe(loud))

    def test_it_ends_to_wait_when_it_is_quiet(self):
        loud, still = {"cpus": 1.5, "steal": 0.0}, {"cpus": 0.0, "steal": 0.0}
        with mock.patch.object(quiet, "look", side_effect=[loud, loud, still]):
            self.assertIs(quiet.wait_for_quiet(60.0), still)


class Places(unittest.TestCase):
    def test_two_cpus_are_shared_by_main_and_rx(self):
        with mock.patch.object(os, "sched_getaffinity", return_value={4, 6}), mock.patch.object(bed, "one_cpu_per_core", list):
            self.assertEqual(bed.choose_cpus(), [4, 4, 6])

    def test_on_more_cores_the_last_two_poll(self):
        with mock.patch.object(os, "sched_getaffinity", return_value=set(range(8))):
            with mock.patch.object(bed, "one_cpu_per_core", return_value=[0, 2, 4, 6]):
                self.assertEqual(bed.choose_cpus(), [0, 4, 6])

    def test_cpus_that_are_not_there_or_too_few_are_refused(self):
        with mock.patch.object(os, "sched_getaffinity", return_value={0, 1}):
            for asked in ("0,1", "0,1,2", "0,1,0,1"):
                with self.assertRaises(Trouble):
                    bed.choose_cpus(asked)
            self.assertEqual(bed.choose_cpus("1,0,1"), [1, 0, 1])
        with mock.patch.object(os, "sched_getaffinity", return_value={0}), self.assertRaises(Trouble):
            bed.choose_cpus()

    def test_eal_gets_a_cpu_for_each_lcore(self):
        place = Bed(Path("b"), Path("w"), [0, 0, 1])
        self.assertIn("0@0,1@0,2@1", place.eal(2))
        self.assertIn("--in-memory", place.eal(2))
        self.assertIn("--no-huge", Bed(Path("b"), Path("w"), [0, 0, 1], hugepages=False).eal(1))


class Processes(unittest.TestCase):
    def test_lines_come_as_they_are_said_and_the_exit_code_at_the_end(self):
        with Process(["sh", "-c", "echo one; echo two; exit 3"]) as process:
            self.assertEqual(list(process.lines(30)), ["one", "two"])
            self.assertEqual(process.wait(30), 3)

    def test_a_program_that_is_not_there_is_told_by_name(self):
        with self.assertRaisesRegex(Trouble, "no-such-program.*install it"):
            Process(["no-such-program"])

    def test_silence_for_too_long_is_trouble_and_says_what_was_on_stderr(self):
        with Process(["sh", "-c", "echo alas >&2; exec sleep 60"]) as process:
            with self.assertRaisesRegex(Trouble, "said nothing more"):
                list(process.lines(0.5))
            with self.assertRaisesRegex(Trouble, "did not end within .*alas"):
                process.wait(0.1)

    def test_it_is_killed_when_its_block_ends(self):
        with Process(["sleep", "60"]) as process:
            self.assertTrue(process.running())
        self.assertEqual(process.child.returncode, -signal.SIGKILL)

    def test_it_is_asked_to_stop_first(self):
        with Process([sys.executable, "-c", "import signal, sys; print('up', flush=True); signal.pause()"]) as process:
            next(process.lines(60))
            self.assertEqual(process.stop(60, signal.SIGTERM), -signal.SIGTERM)


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name: str, data: bytes) -> Path:
        (self.folder / name).write_bytes(data)
        return self.folder / name

    def test_the_same_packets_have_the_same_digest_in_either_byte_order_and_however_they_are_split(self):
        packets = [(60, b"a" * 60), (1514, b"b" * 64), (60, b"c" * 60)]
        one = self.write("one", pcap(packets))
        swapped = self.write("swapped", pcap(packets, ">", 0xA1B2C3D4))
        halves = [self.write("first", pcap(packets[:1])), self.write("second", pcap(packets[1:]))]
        self.assertEqual(content([one])[0], 3)
        self.assertEqual(content([one]), content([swapped]))
        self.assertEqual(content([one]), content(halves))

    def test_a_changed_byte_a_changed_length_or_another_order_changes_the_digest(self):
        good = content([self.write("good", pcap([(60, b"a" * 60), (60, b"b" * 60)]))])
        for number, other in enumerate(
            [[(60, b"a" * 60), (60, b"b" * 59 + b"a")], [(61, b"a" * 60), (60, b"b" * 60)], [(60, b"b" * 60), (60, b"a" * 60)]]
        ):
            self.assertNotEqual(content([self.write(f"bad{number}", pcap(other))]), good)

    def test_a_cut_last_record_and_an_empty_file_do_not_count(self):
        data = pcap([(60, b"a" * 60), (60, b"b" * 60)])
        self.assertEqual(content([self.write("cut", data[:-1])])[0], 1)
        self.assertEqual(content([self.write("none", b"")])[0], 0)

    def test_a_trace_is_counted_by_its_record_headers(self):
        trace = traces.measure("t", self.write("t", pcap([(60, b"a" * 60), (100, b"b" * 10)])))
        self.assertEqual((trace.packets, trace.mean_bytes), (2, 80))

    def test_a_line_rate_knows_what_is_around_a_frame(self):
        self.assertAlmostEqual(traces.line_rate_mpps(60, 10), 14.88, places=2)

    def test_a_trace_that_cannot_be_made_is_trouble(self):
        make = program(self.folder, "make_trace", "echo no room >&2; exit 1\n")
        with self.assertRaisesRegex(Trouble, "no room"):
            traces.make_one(make, self.folder, "64 B", 10)

    def test_hosts_come_and_go_in_a_trace_to_read(self):
        frame = b"\0" * 12 + b"\x08\x00" + b"\0" * 12 + bytes([10, 1, 2, 3, 10, 4, 5, 6]) + b"\0" * 26
        source = self.write("segment.source", pcap([(60, frame)] * 3 + [(60, b"\0" * 60)]))
        (self.folder / "traces").mkdir()
        (self.folder / "tests").mkdir()
        program(self.folder / "tests", "make_trace", f'for last; do :; done; cp {source} "$last"\n')
        place = Bed(self.folder, self.folder, [0, 0, 1])
        out = self.folder / "trace.pcap"
        packets, host = spool_files.write_trace(place, out, 4 * source.stat().st_size)
        data = out.read_bytes()
        self.assertEqual(packets, 4 * spool_files.SEGMENT_PACKETS)
        self.assertEqual(content([out])[0], 16)
        self.assertEqual(host, "13.1.2.3")
        self.assertEqual(data.count(bytes([13, 1, 2, 3])), 3)
        self.assertEqual(data.count(bytes([10, 1, 2, 3])), 0)


if __name__ == "__main__":
    unittest.main()
