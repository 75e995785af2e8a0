# SPDX-License-Identifier: BSD-3-Clause
import contextlib
import io
import json
import re
import tempfile
import unittest
from html.parser import HTMLParser
from pathlib import Path

from measure.trouble import Trouble
from nfv import __main__ as program
from nfv import beside, charts, published, report
from nfv.figures import ABSENT, ORDER, SHAPES, figures_of
from nfv.switches import SWITCHES

MACHINE = {
    "cpu": "Example CPU 1", "cpus": 8, "usable_cpus": 8, "threads_per_core": 2, "numa_nodes": 1, "governor": "performance", "isolated": "2-7",
    "virtual": "none", "memory_gib": 16.0, "system": "Debian 12", "kernel": "6.1", "wirespool": "wirespool 0.2.0, DPDK 22.11.11", "openvswitch": "",
}
COUNTS = {"lost": 0, "duplicates": 0, "reordered": 0}


def line(experiment: str, switch: str, values: dict, conclusive: bool = True, rate: str = "0", repeat: int = 0, **place) -> dict:
    where = {"burst": 32, "switch": switch, "size": 64, "rate": rate, "pairs": 1, "chain": 0, "house": "namespace"}
    where["mode"] = "dpdk" if SWITCHES[switch].on_ports else "udp mmsg"
    return {
        "experiment": experiment, "case": "", "contestant": switch, "values": COUNTS | {"cpu_share": 0.995 if conclusive else 0.4, "switch_cpu_share": None} | values,
        "shortfall": 0.005 if conclusive else 0.6, "stolen": 0.0, "notes": [] if conclusive else ["3 threads that poll on 2 CPUs"], "repeat": repeat,
        "conclusive": conclusive, "place": where | place, "load": {"rate": "1000" if experiment == "latency" else rate, "seconds": 2.0},
        "time": "2026-01-02T03:04:05Z", "machine": MACHINE,
    }


def through(switch: str, mpps: float, conclusive: bool = True, lost: int = 0, **place) -> dict:
    values = {"mpps": mpps, "gbit": mpps / 2, "sent_mpps": mpps + 0.125, "least_pair_mpps": mpps / 3, "most_pair_mpps": mpps, "lost": lost}
    return line("throughput", switch, values, conclusive, **place)


def back(switch: str, p50: float, conclusive: bool = True, **place) -> dict:
    names = {"min": 0.5, "p50": 1, "p90": 2, "p99": 3, "p999": 4, "max": 5, "mean": 1.5}
    return line("latency", switch, {f"{name}_us": p50 * times for name, times in names.items()}, conclusive, **place)


def exact(switch: str, **place) -> dict:
    return line("exact", switch, {"sent": 800, "received": 800}, rate="400", burst=8, **place)


def trouble(what: str, switch: str, said: str) -> dict:
    return {"trouble": what, "switch": switch, "said": said, "machine": MACHINE}


class Words(HTMLParser):
    """Tables as rows of words, and every attribute that could fetch something."""

    def __init__(self, text: str):
        super().__init__()
        self.rows, self.open, self.fetched, self.stack = [], False, [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.fetched += [value for name, value in attrs if name in ("src", "href", "data", "action", "xlink:href")]
        if tag not in ("meta", "br", "line", "circle", "polygon", "rect"):
            self.stack.append(tag)
        if tag == "tr":
            self.rows.append([])
        self.open = tag in ("td", "th")
        if self.open:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        if tag in ("circle", "polygon", "line", "rect"):
            return
        assert self.stack.pop() == tag, tag
        self.open = False

    def handle_data(self, data):
        if self.open:
            self.rows[-1][-1] += data


class Reading(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def file(self, *lines, name: str = "results.jsonl") -> Path:
        path = self.folder / name
        path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in lines))
        return path

    def refused(self, *words) -> str:
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            self.assertNotEqual(program.main(["report", *map(str, words)]), 0)
        (one,) = said.getvalue().splitlines()
        return one

    def test_a_folder_is_the_results_in_it_and_the_report_comes_beside_them(self):
        self.file(through("veth", 0.5))
        with contextlib.redirect_stdout(io.StringIO()) as said:
            self.assertEqual(program.main(["report", str(self.folder)]), 0)
        self.assertEqual(said.getvalue(), f"report: {(self.folder / 'report.html').resolve()}\n")
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["report.html", "results.jsonl"])

    def test_several_files_are_one_report_and_the_same_one_twice_counts_once(self):
        a, b = self.file(through("veth", 0.5), name="a"), self.file(through("memif", 9.0), name="b")
        self.assertEqual(len(report.gather([a, b, a])), 2)

    def test_results_with_no_line_are_refused(self):
        self.assertIn("results with no line", self.refused(self.file()))
        self.assertIn("results with no line", self.refused(self.file(trouble("absent", "snabb", "snabb: is not installed"))))
        self.assertFalse((self.folder / "report.html").exists())

    def test_a_broken_line_is_named_by_its_number(self):
        self.assertIn("results.jsonl:2: broken line, not JSON", self.refused(self.file(through("veth", 0.5), '{"half', through("veth", 0.5))))

    def test_half_a_line_at_the_end_is_that_of_a_killed_run(self):
        path = self.file(through("veth", 0.5))
        path.write_text(path.read_text() + '{"half')
        self.assertIn("results.jsonl:2: half a line, of a run that was killed", self.refused(path))

    def test_a_line_that_is_somebody_elses_says_what_it_lacks(self):
        lacking = through("veth", 0.5)
        del lacking["place"]["mode"]
        nameless = through("veth", 0.5) | {"machine": {"cpu": "x"}}
        for wrong, said in (([], "is no JSON object"), ({"a": 1}, "names no machine"), (nameless, "names no machine"), (lacking, "has no place.mode")):
            self.assertIn(f"it {said}", self.refused(self.file(wrong)))
        self.assertIn("it has no values", self.refused(self.file(through("veth", 0.5) | {"values": 3})))
        self.assertIn("values that are no numbers", self.refused(self.file(through("veth", 0.5) | {"values": {"mpps": "much"}})))
        self.assertIn("it has no load", self.refused(self.file(through("veth", 0.5) | {"load": {}})))
        self.assertIn("does not say what", self.refused(self.file({"trouble": "failed", "switch": "veth", "machine": MACHINE})))
        unknown = through("veth", 0.5)
        unknown["place"]["switch"] = "cisco"
        for wrong in (unknown, trouble("absent", "cisco", "x")):
            self.assertIn("it is of an unknown switch, 'cisco'", self.refused(self.file(wrong)))

    def test_results_of_two_machines_are_refused_with_both_names(self):
        other = through("memif", 9.0) | {"machine": MACHINE | {"kernel": "6.9"}}
        for files in ([self.file(through("veth", 0.5), other)], [self.file(through("veth", 0.5), name="a"), self.file(other, name="b")]):
            said = self.refused(*files)
            self.assertIn("Linux 6.9, not Example CPU 1, 4 cores, 8 CPUs; Debian 12, Linux 6.1", said)
        self.assertEqual(len(report.gather([self.file(through("veth", 0.5), through("veth", 0.5) | {"machine": MACHINE | {"wirespool": "0.3"}})])), 2)

    def test_what_is_not_there_or_cannot_be_written_is_one_line(self):
        self.assertIn("No such file", self.refused(self.folder / "nothing"))
        path = self.file(through("veth", 0.5))
        self.assertIn("give -o a file", self.refused(path, "-o", self.folder))
        self.assertIn("give -o a file", self.refused(path, "-o", self.folder / "no" / "x.html"))
        self.assertEqual([one.name for one in self.folder.iterdir()], ["results.jsonl"])
        (self.folder / "binary").write_bytes(b"\xff\xfe\n")
        self.assertIn("is no text", self.refused(self.folder / "binary"))


class Pages(unittest.TestCase):
    LINES = [
        exact("veth"), through("veth", 0.512), through("veth", 0.384, size=512), back("veth", 20.0, burst=4), back("veth", 40.0),
        exact("memif"), through("memif", 16.5, lost=7), through("memif", 8.25, pairs=4, conclusive=False),
        through("linux-bridge", 0.4, chain=1), through("linux-bridge", 0.1, chain=4),
        trouble("absent", "snabb", "snabb: snabb is not installed"), trouble("failed", "vhost", "throughput: <b>nothing</b>"),
    ]

    def setUp(self):
        self.text = report.page(self.LINES)
        self.words = Words(self.text)

    def rows(self, *begin) -> list:
        return [row for row in self.words.rows if row[: len(begin)] == list(begin)]

    def test_nothing_is_fetched_from_anywhere(self):
        self.assertEqual(self.words.fetched, [])
        self.assertNotRegex(self.text, r"https?:|//|@import|url\(|<script|<link|<img|<iframe")
        self.assertIn("default-src 'none'", self.text)
        self.assertEqual(self.words.stack, [])

    def test_it_has_both_themes_and_each_chart_says_where_its_numbers_are(self):
        self.assertIn("prefers-color-scheme: dark", self.text)
        charts_of = re.findall(r"<svg viewBox=\"0 0 430 250\"[^>]*>", self.text)
        self.assertTrue(charts_of)
        self.assertTrue(all("the table below has the same numbers" in one for one in charts_of))

    def test_the_machine_is_named_as_the_results_name_it(self):
        self.assertIn("Example CPU 1, 4 cores, 8 CPUs; Debian 12, Linux 6.1; 16.0 GiB, NUMA nodes: 1, governor performance, isolated CPUs: 2-7", self.text)
        self.assertIn("wirespool 0.2.0, DPDK 22.11.11", self.text)
        self.assertIn("1 of 8 measurements are inconclusive", self.text)

    def test_each_caption_has_all_parameters(self):
        captions = re.findall(r"<figcaption>(.*?)</figcaption>", self.text)
        self.assertEqual(len(captions), len({caption.split(".")[0] for caption in captions}))
        for caption in captions:
            for name in ("what", "where", "pairs", "forwarders", "switch", "frame without FCS", "rate of each pair", "burst", "in", "by", "seconds"):
                self.assertIn(f"{name}: ", caption)
        self.assertIn("(what: throughput; where: local; pairs: 1vs1; forwarders: 0; switch: veth; frame without FCS: 64 B, 512 B; rate of each pair: as many as go; "
                      "burst: 32; in: namespace; by: UDP sockets, a burst a call (-m), polling; seconds: 2)", captions[0])

    def test_numbers_and_what_went_wrong_on_the_way_stand_in_the_tables(self):
        self.assertIn(["memif", "64 B", "16.5", "8.25", "16.6", "7", "0", "0", "100%", "-", "1", "conclusive"], self.rows("memif"))
        self.assertIn(["veth", "4", "64 B", "10.0", "20.0", "40.0", "60.0", "80.0", "100", "30.0", "0", "0", "0", "100%", "-", "1", "conclusive"], self.rows("veth", "4"))

    def test_what_lacked_cpus_is_marked_in_the_table_and_hollow_and_unjoined_in_the_chart(self):
        row = next(row for row in self.rows("memif", "64 B", "4vs4"))
        self.assertEqual(row[3], "8.25 ?")
        self.assertEqual(row[-1], "? inconclusive: who polls had 40% of a CPU; 3 threads that poll on 2 CPUs")
        lines = [through("memif", 16.5), through("memif", 8.25, pairs=2, conclusive=False), through("memif", 9.0, pairs=4)]
        (figure,) = figures_of(SHAPES[1], lines)
        drawing = charts.svg(figure.panels[0])
        self.assertEqual(drawing.count("hollow"), 1)
        self.assertNotIn('join"', drawing)
        self.assertIn("inconclusive: no limit of the switch", drawing)

    def test_what_is_sure_is_joined_and_goes_up_as_it_grows(self):
        (figure,) = figures_of(SHAPES[0], [through("veth", 1.0, size=64), through("veth", 3.0, size=128), through("veth", 2.0, size=256)])
        drawing = charts.svg(figure.panels[0])
        heights = [float(y) for y in re.findall(r'<circle[^>]* cy="([\d.]+)"', drawing)]
        self.assertEqual(sorted(heights), [heights[1], heights[2], heights[0]])
        self.assertEqual(drawing.count('join"'), 2)
        self.assertNotIn("hollow", drawing)

    def test_a_repeat_that_is_inconclusive_is_left_out_where_another_is_not(self):
        (figure,) = figures_of(SHAPES[0], [through("veth", 1.0), through("veth", 0.1, conclusive=False, repeat=1)])
        (row,) = figure.table.rows
        self.assertEqual((row[2], row[-1]), ("1.00 ±0%", "conclusive, 1 of 2 runs"))

    def test_what_has_no_result_is_not_measured_and_no_number(self):
        (row,) = self.rows("snabb")
        self.assertEqual((row[1], row[-1]), (ABSENT, "snabb: snabb is not installed"))
        self.assertEqual(self.rows("sriov")[0][1], ABSENT)
        self.assertEqual(len([row for row in self.words.rows if row[0] in ORDER and "exact" in row]), 2)
        self.assertRegex(self.text, f"<h2>Latency by participants</h2><p>{ABSENT}</p>")
        self.assertRegex(self.text, f"<h2>Latency by length of a chain</h2><p>{ABSENT}</p>")
        figure = figures_of(SHAPES[0], [through("veth", 1.0), through("macvlan", 1.0), through("veth", 1.0, size=512)])[0]
        self.assertEqual(figure.notes, [f"macvlan: {ABSENT}: 512 B"])

    def test_a_value_that_an_older_line_lacks_is_not_measured(self):
        old = through("veth", 1.0)
        del old["values"]["duplicates"], old["values"]["gbit"]
        (figure,) = figures_of(SHAPES[0], [old])
        self.assertEqual([figure.table.rows[0][i] for i in (3, 6)], [ABSENT, ABSENT])

    def test_sockets_and_ports_of_dpdk_and_containers_are_figures_of_their_own(self):
        lines = [through("veth", 1.0), through("memif", 9.0), through("veth", 1.0, house="podman"), through("veth", 1.0, mode="raw mmsg"), through("veth", 1.0, burst=4)]
        self.assertEqual(len(figures_of(SHAPES[0], lines)), 5)

    def test_a_count_that_is_not_whole_is_not_called_exact(self):
        for wrong in ({"received": 799}, {"lost": 1}, {"duplicates": 1}, {"reordered": None}):
            (row, *_) = report.set_ups([exact("veth") | {"values": exact("veth")["values"] | wrong}], []).rows
            self.assertEqual(row[-1], "not exact", wrong)

    def test_what_failed_is_told_and_cannot_break_the_page(self):
        self.assertIn("vhost: throughput: &lt;b&gt;nothing&lt;/b&gt;", self.text)
        self.assertIn("<li>memif: 128 MiB", report.page([*self.LINES, trouble("absent", "memif", "128 MiB of hugepages are free, 512 are needed")]))


class Beside(unittest.TestCase):
    def ours(self, begin: str, *lines) -> str:
        (row,) = [row for row in beside.table(list(lines)).rows if row[0].startswith(begin)]
        return row[3]

    def test_every_published_figure_has_its_source_and_a_word_on_what_differs(self):
        for row in beside.table([]).rows:
            self.assertTrue(all(row), row)
            self.assertEqual(row[3], ABSENT)
        for source in published.SOURCES.values():
            self.assertTrue(source.paper and source.machine and source.differs)
        for entry in published.PUBLISHED:
            self.assertIn(entry.ours, beside.COMPARISONS)
            self.assertIn(entry.place.get("switch", "veth"), SWITCHES)

    def test_ours_is_there_only_with_the_same_parameters(self):
        begin = "the same, UDP sendmmsg"
        self.assertEqual(self.ours(begin, through("linux-bridge", 0.5, burst=64)), "0.500 Mpps")
        self.assertEqual(self.ours(begin, through("linux-bridge", 0.5, burst=64, conclusive=False)), "0.500 ? Mpps")
        for other in ({"burst": 32}, {"size": 128}, {"mode": "raw mmsg"}, {"pairs": 2}, {"chain": 1}, {"rate": "1000"}):
            self.assertEqual(self.ours(begin, through("linux-bridge", 0.5, **{"burst": 64} | other)), ABSENT, other)

    def test_a_delay_is_compared_at_the_published_rate_and_burst(self):
        begin = "there and back, 1000 a second"
        self.assertEqual(self.ours(begin, back("ovs-dpdk", 8.0, burst=4)), "mean 12.0 us, p50 8.00 us")
        self.assertEqual(self.ours(begin, back("ovs-dpdk", 8.0, burst=32)), ABSENT)
        self.assertEqual(self.ours(begin, back("ovs-dpdk", 8.0, burst=4) | {"load": {"rate": "50K"}}), ABSENT)

    def test_what_a_pair_loses_and_what_a_chain_loses_are_computed(self):
        four = [through("ovs-dpdk", 4.0, size=1514), through("ovs-dpdk", 4.8, size=1514, pairs=4)]
        self.assertEqual(self.ours("1500 B, virtio switches", *four), "70.0 % (1514 B)")
        chains = [through("veth", 0.8, chain=1), through("veth", 0.2, chain=4, conclusive=False)]
        self.assertEqual(self.ours("throughput of chains", *chains), "veth, 4: 0.250 of 1, where 1/4 is 0.250 ?")

    def test_what_containers_cost_is_not_mixed_in(self):
        lines = [through("linux-bridge", 0.5, burst=64), through("linux-bridge", 0.1, burst=64, house="podman")]
        self.assertEqual(self.ours("the same, UDP sendmmsg", *lines), "0.500 Mpps")


class Scales(unittest.TestCase):
    def panel(self, *values, logarithmic: bool = False) -> charts.Panel:
        points = [charts.Point(i, value, value, value) for i, value in enumerate(values)]
        return charts.Panel("t", "u", "across", [str(i) for i in range(len(values))], [charts.Series("s", 0, points)], logarithmic)

    def test_all_points_are_between_the_ends(self):
        for values in ((0.0, 0.0), (1.0,), (0.003, 0.7), (99.9, 100.0), (1e-6, 1e7)):
            for logarithmic in (False, True):
                scale = charts.Scale(self.panel(*values, logarithmic=logarithmic))
                for value in values:
                    self.assertTrue(charts.TOP - 0.01 <= scale.y(value) <= charts.HEIGHT - charts.BOTTOM + 0.01, (values, logarithmic))

    def test_nothing_is_no_chart(self):
        self.assertEqual(charts.svg(self.panel()), "")

    def test_every_switch_looks_different_from_those_it_is_drawn_with(self):
        for on_ports in (False, True):
            looks = [(i % charts.COLOURS, i % len(charts.SHAPES)) for i, name in enumerate(ORDER) if SWITCHES[name].on_ports == on_ports]
            self.assertEqual(len(looks), len({colour for colour, _ in looks}))
        self.assertEqual(len(report.COLOURS), charts.COLOURS)


if __name__ == "__main__":
    unittest.main()
