# SPDX-License-Identifier: BSD-3-Clause
import tempfile
import unittest
from pathlib import Path

from measure.measurement import Results, Summary
from measure.measures.stages import RXONLY, name_of
from measure.report import goals, readme, svg
from measure.report.table import Table, cell, markdown, number, text
from measure.trouble import Trouble

from .stand_ins import document, measured


class Tables(unittest.TestCase):
    def test_numbers_have_three_digits_that_mean_something(self):
        shown = [number(value) for value in (None, 0, 0.1234, 1.234, 12.34, 1234.5, -0.5)]
        self.assertEqual(shown, ["-", "0.000", "0.123", "1.23", "12.3", "1,234", "-0.500"])

    def test_a_cell_shows_the_spread_and_doubt(self):
        self.assertEqual(cell(Summary(10, 9, 11, 3, 3)), "10.0 ±10%")
        self.assertEqual(cell(Summary(10, 9, 11, 3, 0)), "10.0 ±10% ?")
        self.assertEqual(cell(Summary(10, 10, 10, 1, 1)), "10.0")
        self.assertEqual(cell(None), "-")

    def test_columns_line_up_and_notes_follow(self):
        lines = text(Table("T", ["what", "n"], [["a", "1"], ["long name", "1,000"]], ["a note"])).split("\n")
        self.assertEqual(lines[3:6], ["a              1", "long name  1,000", "  a note"])

    def test_a_bar_in_a_word_does_not_end_a_markdown_cell(self):
        self.assertIn("a\\|b", markdown(Table("T", ["what"], [["a|b"]])))

    def test_a_table_of_dashes_is_of_no_use(self):
        self.assertFalse(Table("T", [], [["a", "-", ""]]).useful())
        self.assertTrue(Table("T", [], [["a", "-", "1"]]).useful())


class Goals(unittest.TestCase):
    def verdict(self, ours: float, limit: float = 100.0, conclusive: bool = True) -> str:
        block = name_of("block", "blocks")
        results = Results(
            document(
                measured("stages", "64 B", block, 0, conclusive, mpps=ours),
                measured("stages", "64 B", RXONLY, 0, conclusive, mpps=limit),
            )
        )
        (table,) = goals.tables(results)
        (row,) = (row for row in table.rows if row[0].endswith("64 B") and block in row[0])
        return row[3]

    def test_a_goal_is_reached_or_not_or_not_known(self):
        self.assertEqual(self.verdict(85), "reached")
        self.assertEqual(self.verdict(84), "short of it")
        self.assertEqual(self.verdict(85, conclusive=False), "reached (?)")
        self.assertEqual(self.verdict(85, limit=0), "not measured")

    def test_an_idle_lcore_takes_no_more_than_the_goal_says(self):
        for percent, said in ((2.0, "reached"), (2.1, "short of it")):
            results = Results(document(measured("idle", "1024 descriptors", "--idle adaptive", rx_percent=percent)))
            self.assertEqual([row[3] for row in goals.tables(results)[0].rows], [said])

    def test_nothing_measured_is_no_table(self):
        self.assertEqual(goals.tables(Results(document())), [])


class Plots(unittest.TestCase):
    def test_steps_of_a_scale_are_round(self):
        self.assertEqual([svg.nice_step(top) for top in (0.5, 7, 100, 160)], [0.1, 2, 20, 50])

    def test_names_cannot_break_the_page(self):
        drawn = svg.bars("<t>", "Mpps", ["a & b"], [svg.Group("<g>", [svg.Bar(1, 1, 1)])])
        self.assertNotIn("<g>", drawn.replace("</g>", ""))
        self.assertIn("&lt;t&gt;", drawn)
        self.assertIn("a &amp; b", drawn)

    def test_nothing_to_show_is_no_plot_and_zero_is_one(self):
        self.assertEqual(svg.bars("t", "", ["a"], [svg.Group("g", [None])]), "")
        self.assertIn("<svg", svg.bars("t", "", ["a"], [svg.Group("g", [svg.Bar(0, 0, 0)])]))


class Readme(unittest.TestCase):
    def update(self, before: str) -> str:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "README.md"
            path.write_text(before)
            try:
                readme.update(path, "new")
            finally:
                self.after = path.read_text()
            return self.after

    def test_only_what_stands_between_the_markers_changes(self):
        begin, end = readme.marks()
        after = self.update(f"above\n{begin}\nold\n{end}\nbelow\n")
        self.assertEqual(after, f"above\n{begin}\n\nnew\n{end}\nbelow\n")

    def test_a_readme_without_its_markers_is_left_as_it_is(self):
        begin, end = readme.marks()
        for before in ("nothing", f"{end} {begin}", f"{begin} {begin} {end}"):
            with self.assertRaises(Trouble):
                self.update(before)


if __name__ == "__main__":
    unittest.main()
