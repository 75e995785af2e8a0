# SPDX-License-Identifier: BSD-3-Clause
import io
import json
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path

from soak import frames, load
from soak.samples import Ledger, growth


def pcap(numbers, change=lambda data: data):
    out = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)
    for stamp, number in enumerate(numbers):
        data = change(frames.frame(number))
        out += struct.pack("<IIII", 1, stamp, len(data), len(data)) + data
    return out


class Frames(unittest.TestCase):
    def test_a_frame_says_its_number_and_any_other_byte_is_noticed(self):
        for number in (0, 1, 255, 70_000, 1 << 40):
            data = frames.frame(number)
            self.assertEqual(frames.number_of(data), number)
            self.assertIn(len(data), frames.SIZES)
            changed = bytearray(data)
            changed[20] ^= 1
            self.assertIsNone(frames.number_of(bytes(changed)))
            self.assertIsNone(frames.number_of(data[:-1]))

    def test_frames_of_a_directory_are_found_in_the_order_of_its_files(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "b.pcap").write_bytes(pcap([3, 4]))
            Path(folder, "a.pcap").write_bytes(pcap([1, 2]))
            Path(folder, ".c.pcap.open").write_bytes(b"hidden")
            self.assertEqual(list(frames.numbers_in(folder)), [1, 2, 3, 4])

    def test_a_record_that_is_cut_is_an_error(self):
        with self.assertRaises(ValueError):
            list(frames.packets(io.BytesIO(pcap([1, 2])[:-1])))


class Streams(unittest.TestCase):
    def test_numbers_that_are_left_out_are_in_order(self):
        load.in_order(io.BytesIO(pcap([1, 2, 9, 10])))

    def test_a_frame_twice_is_not(self):
        with self.assertRaises(ValueError):
            load.in_order(io.BytesIO(pcap([1, 2, 2])))

    def test_bytes_that_were_not_sent_are_not(self):
        with self.assertRaises(ValueError):
            load.in_order(io.BytesIO(pcap([1], lambda data: data[:-1] + b"\xff")))


class Extractions(unittest.TestCase):
    """Of programs that stand in for wirespool."""

    def ask(self, script):
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder, "program")
            program.write_text("#!/bin/sh\n" + script)
            program.chmod(0o755)
            load.extract(str(program), [])()

    def test_one_that_says_that_it_failed_is_refused_and_not_wrong(self):
        with self.assertRaises(subprocess.CalledProcessError):
            self.ask("exit 1")

    def test_one_that_writes_nothing_and_says_that_all_is_well_is_wrong(self):
        with self.assertRaises(ValueError):
            self.ask("exit 0")


class Ledgers(unittest.TestCase):
    LINE = {"time": "t", "totals": {"drop_handoff": 2, "drop_drive": 0},
            "ports": [{"nic_missed": 3, "nic_errors": None, "no_mbuf": 0}, {"nic_missed": 4, "nic_errors": 0, "no_mbuf": None}]}

    def read(self, text, more=""):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "ledger")
            path.write_text(text)
            ledger = Ledger(path)
            ledger.read()
            with path.open("a") as file:
                file.write(more)
            ledger.read()
            return ledger

    def test_a_line_that_is_not_whole_yet_is_read_once_it_is(self):
        text = json.dumps(self.LINE) + "\n"
        ledger = self.read(text + text[:20], text[20:])
        self.assertEqual(ledger.lines, 2)

    def test_losses_are_summed_by_cause_and_what_is_not_counted_is_not_in_them(self):
        self.assertEqual(self.read(json.dumps(self.LINE) + "\n").losses(), {"drop_handoff": 2, "nic_missed": 7})

    def test_a_line_that_does_not_balance_is_remembered(self):
        ledger = self.read(json.dumps(self.LINE | {"imbalance": "one too many"}) + "\n", json.dumps(self.LINE) + "\n")
        self.assertEqual(ledger.unbalanced, ["t: one too many"])


class Growth(unittest.TestCase):
    def test_it_is_of_the_last_quarter_over_the_second(self):
        samples = [{"x": value} for value in [1, 1, 10, 10, 15, 15, 20, 20]]
        self.assertEqual(growth(samples, "x"), 2)

    def test_of_too_few_samples_nothing_is_said(self):
        self.assertIsNone(growth([{"x": 1}] * 3, "x"))
