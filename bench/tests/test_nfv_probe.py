# SPDX-License-Identifier: BSD-3-Clause
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from measure.trouble import Trouble, Unavailable
from nfv import fabric, options, probe, report
from nfv.applications import Load
from nfv.steps import Steps
from nfv.switches import SWITCHES

from .test_nfv_report import COUNTS, Words, line


def on(name: str, shown: list = None) -> fabric.Fabric:
    return fabric.Fabric(Steps(True, show=(shown if shown is not None else []).append), SWITCHES[name], "/bin/wirespool", spare=1)


class Commands(unittest.TestCase):
    def test_the_capture_is_on_a_port_of_its_own_and_begins_before_the_two_talk(self):
        shown = []
        with on("linux-hub", shown) as made:
            probe.require_mirror(made)
            self.assertIsNone(probe.exact(made, Path("/out")))
            self.assertIsNone(probe.cost(made, Path("/out"), Load(), 0))
        at = [number for number, words in enumerate(shown) if "wirespool capture" in words]
        talk = [number for number, words in enumerate(shown) if "wirespool send" in words]
        self.assertIn("nsenter --net=/run/netns/" + made.spares[0].node.space, shown[at[0]])
        self.assertIn("net_af_packet0,iface=eth0", shown[at[0]])
        self.assertTrue(at[0] < talk[0] < talk[1] < at[1] < talk[2])  # exact, without, with

    def test_a_switch_without_a_mirror_or_an_interface_for_it_is_told(self):
        with on("macvlan") as made, self.assertRaisesRegex(Trouble, "macvlan: has no mirror"):
            probe.require_mirror(made)
        with on("ovs-dpdk") as made, self.assertRaisesRegex(Unavailable, "captures from an interface"):
            probe.require_mirror(made)
        self.assertEqual(options.parse(["probe"]).switches, ["linux-hub"])


class Counting(unittest.TestCase):
    def test_one_packet_less_in_the_files_is_a_failure_and_all_are_exact(self):
        counts = {"sent": 800, "received": 800, **COUNTS}
        with on("linux-hub") as made:
            made.steps.dry = False
            for stored in (800, 799, 801):
                fake = mock.Mock(stored=lambda stored=stored: stored)
                with mock.patch.object(probe, "Capture", return_value=fake), mock.patch.object(probe.runs, "counted", return_value=dict(counts)):
                    if stored == 800:
                        self.assertEqual(probe.exact(made, Path("/out")).values, counts | {"stored": 800})
                        continue
                    with self.assertRaisesRegex(Trouble, f"800 packets were sent and received, and {stored} stored by the probe"):
                        probe.exact(made, Path("/out"))
            made.steps.dry = True

    def test_what_a_port_does_not_tell_is_not_called_none(self):
        ledger = {"totals": {"received": 9, "stored": 8}, "ports": [{"nic_missed": 3}, {"nic_missed": 4}]}
        self.assertEqual(probe.told(ledger), {"probe_received": 9, "probe_stored": 8, "probe_missed": 7})
        ledger["ports"][0]["nic_missed"] = None
        self.assertIsNone(probe.told(ledger)["probe_missed"])

    def test_files_are_counted_by_tcpdump_and_only_what_went_to_the_receiver(self):
        asked = []

        def tcpdump(*words):
            asked.append(words)
            return b"one\ntwo\n"

        with tempfile.TemporaryDirectory() as folder, on("linux-hub") as made, mock.patch.object(probe, "ask_tcpdump", tcpdump):
            capture = probe.Capture(made, Path(folder), "x")
            capture.output.mkdir()
            for name in ("a.pcap", "b.pcap", "capture.json"):
                (capture.output / name).touch()
            self.assertEqual(capture.stored(), 4)
        self.assertTrue(all(words[-1] == "udp dst port 16994" for words in asked))


class Reporting(unittest.TestCase):
    def test_counts_and_throughput_with_and_without_stand_in_rows(self):
        exact = line("probe exact", "linux-hub", {"sent": 800, "received": 800, "stored": 800}, rate="400")
        cost = line("probe", "linux-hub", {"mpps": 0.25, "mpps_without": 0.5, "probe_received": 1000, "probe_stored": 900, "probe_missed": 70}, False)
        rows = [row for row in Words(report.page([exact, cost])).rows if row and row[0] == "linux-hub"]
        self.assertIn(["linux-hub", "64 B", "400/s", "800", "800", "800", "", "", "", "exact"], rows)
        (found,) = [row for row in rows if row[4] == "1,000"]
        self.assertEqual(found[5:9], ["900", "70", "0.500 ?", "0.250 ?"])
        self.assertIn("inconclusive", found[-1])

    def test_without_any_the_report_has_no_such_table(self):
        self.assertNotIn("The probe among others", report.page([line("exact", "veth", {"sent": 1, "received": 1})]))
