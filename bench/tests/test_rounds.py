# SPDX-License-Identifier: BSD-3-Clause
import contextlib
import io
import unittest

from measure import rounds
from measure.measurement import Measurement
from measure.rounds import Turn
from measure.trouble import Trouble, Unavailable


class Rounds(unittest.TestCase):
    def setUp(self):
        self.log, self.taken = rounds.Log(), []

    def turn(self, name: str, trouble: Exception = None) -> Turn:
        def measure():
            self.taken.append(name)
            if trouble:
                raise trouble
            return Measurement("", "", "", {"mpps": 1.0})

        return Turn("stages", "64 B", name, measure)

    def take(self, turns: list, repeats: int):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            rounds.take(turns, repeats, self.log)
        return said.getvalue()

    def test_everybody_takes_one_turn_a_repeat_and_another_one_begins_each_time(self):
        self.take([self.turn(name) for name in "abc"], 3)
        self.assertEqual(self.taken, ["a", "b", "c", "b", "c", "a", "c", "a", "b"])
        self.assertEqual([m.repeat for m in self.log.measurements], [0, 0, 0, 1, 1, 1, 2, 2, 2])
        self.assertEqual(self.log.measurements[3].contestant, "b")
        self.assertEqual(self.log.measurements[3].case, "64 B")

    def test_who_is_not_installed_is_asked_once_and_the_others_go_on(self):
        said = self.take([self.turn("a", Unavailable("tshark: not installed")), self.turn("b")], 3)
        self.assertEqual(self.taken.count("a"), 1)
        self.assertEqual(self.taken.count("b"), 3)
        self.assertEqual(self.log.troubles, ["stages: 64 B: a: tshark: not installed"])
        self.assertIn("LEFT OUT", said)

    def test_a_turn_that_fails_is_told_once_and_tried_again(self):
        self.take([self.turn("a", Trouble("it crashed"))], 3)
        self.assertEqual(len(self.taken), 3)
        self.assertEqual(len(self.log.troubles), 1)
        self.assertEqual(self.log.measurements, [])

    def test_an_inconclusive_measurement_is_kept_and_says_why(self):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            self.log.keep(Measurement("stages", "64 B", "a", {"mpps": 1.0}, shortfall=0.5, stolen=0.3, moved=True))
        self.assertEqual(len(self.log.measurements), 1)
        for words in ("INCONCLUSIVE", "off its CPU 50.0%", "took 0.30 CPUs", "were moved"):
            self.assertIn(words, said.getvalue())


if __name__ == "__main__":
    unittest.main()
