# SPDX-License-Identifier: BSD-3-Clause
import json
import tempfile
import unittest
from types import SimpleNamespace

from measure.measurement import Results
from measure.measures import limits
from measure.measures.disks import ONE
from measure.measures.stages import name_of
from measure.report import everything, first_page, page
from measure.trouble import Trouble

from .stand_ins import document, measured, program

BLOCKS = name_of("block", "blocks")


def traces(packets: int = 4000) -> list:
    return [{"name": "64 B", "packets": packets, "mean_bytes": 60.0}, {"name": "CAIDA-like", "packets": packets, "mean_bytes": 776.0}]


def results(*measurements, packets: int = 4000) -> Results:
    made = document(*measurements)
    made["traces"] = traces(packets)
    made["machine"] |= {
        "processor": {"model": "a CPU", "family_model_stepping": "1/2/3", "cpus": 2, "caches_of_cpu0": "L3 32768K", "virtual": "none"},
        "memory": {"gib": 8},
        "software": {"commit": "0", "system": "Debian", "kernel": "6.1", "dpdk": "22.11"},
    }
    return Results(made)


def table(found: list, title: str):
    (one,) = (table for table in found if table.title.startswith(title))
    return one


class Captured(unittest.TestCase):
    def row(self, *measurements) -> dict:
        made = table(first_page.tables(results(measured("stages", "64 B", BLOCKS, mpps=80.0), *measurements)), "Captured")
        return dict(zip(made.columns, made.rows[0]))

    def test_the_smaller_of_software_and_nic_is_captured(self):
        row = self.row(measured("limits", "64 B, 40G", "xl710-vf", mpps=37.0))
        self.assertEqual(row[f"{BLOCKS}, 40G"], "100.0 %")
        self.assertEqual(row[f"{BLOCKS}, 40G behind xl710-vf"], "62.2 %")  # 37 of 59.5

    def test_a_nic_that_lets_more_through_than_the_software_changes_nothing(self):
        row = self.row(measured("limits", "64 B, 100G", "e810", mpps=117.0))
        self.assertEqual(row[f"{BLOCKS}, 100G"], "53.8 %")
        self.assertEqual(row[f"{BLOCKS}, 100G behind e810"], "53.8 %")

    def test_where_nothing_is_known_of_the_nic_nothing_is_said(self):
        self.assertEqual(self.row()[f"{BLOCKS}, 40G behind xl710-vf"], "-")

    def test_doubt_about_a_measurement_is_doubt_about_what_is_computed_from_it(self):
        slow = measured("stages", "64 B", BLOCKS, conclusive=False, mpps=10.0)
        limit = measured("limits", "64 B, 40G", "xl710-vf", mpps=37.0)
        made = table(first_page.tables(results(slow, limit)), "Captured")
        self.assertEqual(dict(zip(made.columns, made.rows[0]))[f"{BLOCKS}, 40G behind xl710-vf"], "16.8 % ?")


class Regime(unittest.TestCase):
    def test_a_cached_number_is_not_called_one_of_memory(self):
        few, many = results().document, results(packets=100_000).document
        self.assertIn("from the cache", first_page.regime(few))
        self.assertIn("3.1 MB", first_page.regime(few))
        self.assertIn("out of memory", first_page.regime(many))
        self.assertIn("not known", first_page.regime(document()))

    def test_every_table_with_rates_says_which_it_was(self):
        for made in first_page.tables(results(measured("stages", "64 B", BLOCKS, mpps=80.0))):
            self.assertTrue(any("from the cache" in note for note in made.notes), made.title)


class Recorders(unittest.TestCase):
    def test_each_number_says_what_it_includes(self):
        made = table(
            first_page.tables(
                results(
                    measured("stages", "64 B", BLOCKS, mpps=80.0),
                    measured("stages", "CAIDA-like", BLOCKS, mpps=20.0, gbit=120.0),
                    measured("disk", ONE, "wirespool, blocks", mpps=2.0, gbit=12.4, gb_per_s=1.6),
                )
            ),
            "Packets and bits a core",
        )
        rows = {row[0]: row for row in made.rows}
        self.assertEqual(rows["n2disk, a core"][1:6], ["12.3", "8.30", "1", "12.3", "8.30"])
        self.assertEqual(rows["n2disk, a core, ordinary NIC"][1:3], ["6.40", "6.25"])
        self.assertEqual(rows["fmadio"][3:6], ["-", "-", "-"])
        self.assertEqual(rows["DAQIRI"][1:3], ["-", "105"])
        self.assertEqual(rows[BLOCKS][1:6], ["80.0", "120", "2", "40.0", "60.0"])
        self.assertEqual(rows[f"wirespool, blocks, {ONE}"][1:3], ["2.00", "12.4"])
        for row in made.rows:
            self.assertTrue(row[6], row[0])


class Order(unittest.TestCase):
    def test_it_is_the_first_thing_in_the_report(self):
        made = results(
            measured("stages", "64 B", BLOCKS, mpps=80.0, gbit=40.0),
            measured("disk", ONE, "wirespool, blocks", mpps=2.0, gbit=12.4, gb_per_s=1.6, cpu_s_per_gb=1.0, system_s_per_gb=0.1, p99_write_ms=1.0),
        )
        made.document["settings"] |= {"depth": 8, "block_kib": 1024}
        titles = [one.title for one in everything.all_tables(made)]
        first = [title.split(",")[0] for title in titles[:3]]
        self.assertEqual(first, ["Captured", "Stored", "Packets and bits a core"])
        self.assertEqual(len(titles), len(set(titles)))


class Limits(unittest.TestCase):
    def bed(self, answer: str):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return SimpleNamespace(wirespool=program(folder.name, "wirespool", answer))

    def test_of_what_is_known_the_least_is_kept_and_what_the_software_does_is_not_in_it(self):
        def limit(mpps, origin):
            return {"mpps": mpps, "origin": origin}

        plan = {
            "machine_limits": [limit(37.0, "published"), limit(None, None), limit(30.0, "computed"), limit(None, None)],
            "queue_limits": [limit(34.2, "published"), limit(20.0, "measured")],
        }
        self.assertEqual(limits.values_of(plan), {"mpps": 30.0})
        plan["machine_limits"] = plan["machine_limits"][1::2]
        self.assertEqual(limits.values_of(plan), {})

    def test_each_trace_is_asked_for_with_each_link(self):
        answer = json.dumps({"machine_limits": [{"mpps": 37.0, "origin": "published"}], "queue_limits": []})
        found = limits.limits(self.bed(f"echo '{answer}'"), traces())
        self.assertEqual([one.case for one in found], ["64 B, 40G", "64 B, 100G", "CAIDA-like, 40G", "CAIDA-like, 100G"])
        self.assertEqual([one.contestant for one in found], ["xl710-vf", "e810"] * 2)
        self.assertEqual(found[0].values, {"mpps": 37.0})
        self.assertEqual([limits.mix_of(name) for name in ("64 B", "1518 B", "CAIDA-like")], ["64", "1518", "caida"])

    def test_a_plan_that_fails_is_trouble_with_its_words(self):
        with self.assertRaisesRegex(Trouble, "no such NIC"):
            limits.limits(self.bed("echo no such NIC >&2; exit 1"), traces())


class Page(unittest.TestCase):
    def test_tables_of_the_first_page_come_before_the_plots(self):
        made = results(measured("stages", "64 B", BLOCKS, mpps=80.0, gbit=40.0))
        html = page.page(made)
        self.assertLess(html.index("Captured"), html.index("<svg"))
