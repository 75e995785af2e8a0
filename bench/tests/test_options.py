# SPDX-License-Identifier: BSD-3-Clause
import contextlib
import io
import unittest

from measure.options import EXPERIMENTS, QUICK, parse


class Options(unittest.TestCase):
    def refused(self, *arguments: str) -> str:
        with contextlib.redirect_stderr(io.StringIO()) as said, self.assertRaises(SystemExit) as end:
            parse(list(arguments))
        self.assertEqual(end.exception.code, 2)
        return said.getvalue()

    def test_nothing_asked_is_everything_and_quick_is_less_of_it(self):
        asked = parse([])
        self.assertEqual((asked.only, asked.repeats, asked.seconds), (EXPERIMENTS, 3, 2.0))
        asked = parse(["--quick"])
        self.assertEqual((asked.only, asked.repeats, asked.seconds), (QUICK, 2, 1.0))

    def test_what_is_said_goes_before_what_quick_means(self):
        asked = parse(["--quick", "--only", "disk,micro", "--repeats", "5", "--seconds", "0.6"])
        self.assertEqual((asked.only, asked.repeats, asked.seconds), (["disk", "micro"], 5, 0.6))

    def test_nonsense_is_refused_with_what_would_do(self):
        self.assertIn("no experiment 'disks'", self.refused("--only", "disks"))
        self.assertIn("is no directory", self.refused("--directory", "/does/not/exist"))
        self.assertIn("at least one repeat", self.refused("--repeats", "-1"))
        self.assertIn("at least one repeat", self.refused("--seconds", "0.5"))
        self.assertIn("below 0.1", self.refused("--reading-gb", "0.01"))


if __name__ == "__main__":
    unittest.main()
