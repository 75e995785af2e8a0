# SPDX-License-Identifier: BSD-3-Clause
import unittest

from measure.measurement import Measurement, Results, summarize

from .stand_ins import document, measured


class ManyMeasurements(unittest.TestCase):
    def test_an_inconclusive_repeat_is_left_out_where_there_is_a_conclusive_one(self):
        all_of = [measured("stages", "64 B", "w", repeat, repeat != 1, mpps=value) for repeat, value in enumerate([10, 99, 12])]
        found = summarize(all_of, "mpps")
        self.assertEqual((found.middle, found.low, found.high), (11, 10, 12))
        self.assertEqual((found.runs, found.conclusive, found.sure), (3, 2, True))

    def test_only_inconclusive_repeats_still_say_something_and_are_not_sure(self):
        found = summarize([measured("stages", "64 B", "w", r, False, mpps=r + 1) for r in range(3)], "mpps")
        self.assertEqual(found.middle, 2)
        self.assertFalse(found.sure)

    def test_what_nobody_measured_is_none_and_not_zero(self):
        self.assertIsNone(summarize([measured("stages", "64 B", "w", gbit=1)], "mpps"))
        self.assertIsNone(summarize([measured("stages", "64 B", "w", mpps=None)], "mpps"))
        self.assertIsNone(Results(document()).ratio("stages", "64 B", "a", "b", "mpps"))
        self.assertIsNone(Results(document()).middle("stages", "64 B", "a", "mpps"))

    def test_the_spread_is_of_the_middle(self):
        found = summarize([measured("stages", "64 B", "w", r, mpps=v) for r, v in enumerate([9, 10, 12])], "mpps")
        self.assertAlmostEqual(found.spread, 0.3)

    def test_a_ratio_is_taken_repeat_by_repeat(self):
        # The machine was half as fast in the second repeat: for both.
        results = Results(
            document(
                *(measured("stages", "64 B", "a", r, mpps=v) for r, v in enumerate([8, 4, 8])),
                *(measured("stages", "64 B", "b", r, mpps=v) for r, v in enumerate([10, 5, 10])),
            )
        )
        found = results.ratio("stages", "64 B", "a", "b", "mpps")
        self.assertEqual((found.middle, found.low, found.high, found.runs), (0.8, 0.8, 0.8, 3))

    def test_a_ratio_needs_both_and_prefers_repeats_in_which_both_are_conclusive(self):
        results = Results(
            document(
                *(measured("stages", "64 B", "a", r, r != 0, mpps=v) for r, v in enumerate([100, 6, 8])),
                *(measured("stages", "64 B", "b", r, mpps=10) for r in range(2)),
            )
        )
        found = results.ratio("stages", "64 B", "a", "b", "mpps")
        self.assertEqual((found.middle, found.runs, found.conclusive), (0.6, 2, 1))

    def test_names_come_in_the_order_in_which_they_took_part(self):
        results = Results(document(*(measured("disk", case, "w") for case in ["two", "one", "two"])))
        self.assertEqual(results.names("disk", "case"), ["two", "one"])


class OneMeasurement(unittest.TestCase):
    def test_a_lcore_off_its_cpu_a_hypervisor_that_took_one_and_a_move_make_it_inconclusive(self):
        self.assertTrue(Measurement("stages", "", "", shortfall=0.02, stolen=0.02).conclusive)
        self.assertTrue(Measurement("stages", "", "").conclusive)
        self.assertFalse(Measurement("stages", "", "", shortfall=0.021).conclusive)
        self.assertFalse(Measurement("stages", "", "", stolen=0.021).conclusive)
        self.assertFalse(Measurement("stages", "", "", moved=True).conclusive)

    def test_its_json_says_whether_it_is_conclusive(self):
        self.assertIs(Measurement("stages", "", "", moved=True).to_json()["conclusive"], False)


if __name__ == "__main__":
    unittest.main()
