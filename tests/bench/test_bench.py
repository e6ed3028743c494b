# SPDX-License-Identifier: ISC
"""Checks of what the benchmarks compute; bench.sh runs them."""

import contextlib
import io
import math
import os
import random
import tempfile
import unittest

import benchstat
import report


class Statistics(unittest.TestCase):
    def test_deciles_of_one_value_are_that_value(self):
        self.assertEqual(benchstat.deciles([7]), (7, 7, 7))

    def test_deciles_are_inclusive(self):
        self.assertEqual(benchstat.deciles(list(range(11))), (1, 5, 9))

    def test_deciles_do_not_need_order(self):
        self.assertEqual(benchstat.deciles([3, 1, 2])[1], 2)

    def test_a_percentile_is_one_of_the_values(self):
        values = list(range(100))
        self.assertEqual(benchstat.percentile(values, 0.5), 50)
        self.assertEqual(benchstat.percentile(values, 0.99), 99)
        self.assertEqual(benchstat.percentile(values, 1), 99)
        self.assertEqual(benchstat.percentile([4], 0.99), 4)

    def test_a_ratio_is_of_medians(self):
        self.assertEqual(benchstat.ratio([2, 4, 1000], [1, 2, 3]), 2)

    def test_a_ratio_of_what_is_added_is_without_the_base(self):
        self.assertEqual(benchstat.ratio([14], [12], [10]), 2)

    def test_nothing_is_divided_by_nothing(self):
        self.assertIsNone(benchstat.ratio([1], [0]))
        self.assertIsNone(benchstat.ratio([1], [5], [5]))

    def test_few_rounds_have_no_interval(self):
        few = [1.0] * (benchstat.FEWEST - 1)
        self.assertIsNone(benchstat.ratio_interval(few, few))

    def test_equal_rounds_have_an_interval_without_width(self):
        self.assertEqual(benchstat.ratio_interval([6] * 9, [3] * 9), (2, 2))

    def test_an_interval_is_the_same_each_time(self):
        generator = random.Random(5)
        ours, theirs = ([generator.uniform(1, 2) for _ in range(50)]
                        for _ in range(2))
        self.assertEqual(benchstat.ratio_interval(ours, theirs),
                         benchstat.ratio_interval(ours, theirs))

    def test_an_interval_keeps_rounds_together(self):
        # A busy machine makes both slow: the ratio is the same in each.
        theirs = [float(2 ** number) for number in range(9)]
        ours = [3 * value for value in theirs]
        self.assertEqual(benchstat.ratio_interval(ours, theirs), (3, 3))

    def test_the_interval_holds_the_true_ratio_about_as_often_as_it_says(
            self):
        generator = random.Random(7)
        held = 0
        for _ in range(100):
            ours = [generator.gauss(150, 10) for _ in range(40)]
            theirs = [generator.gauss(100, 10) for _ in range(40)]
            low, high = benchstat.ratio_interval(ours, theirs)
            held += low <= 1.5 <= high
        self.assertGreaterEqual(held, 85)
        self.assertLess(held, 100)


class Claims(unittest.TestCase):
    def setUp(self):
        self.report = report.Report()
        self.begin("Section: of `something`")

    def begin(self, title):
        with contextlib.redirect_stdout(io.StringIO()):
            self.report.begin(title)

    def rows(self):
        return [claim.row() for claim in self.report.sections[-1][2].values()]

    def test_what_is_just_at_its_bound_is_kept(self):
        self.report.at_most("ratio", "here", 1.0, 1)
        self.assertEqual(self.rows(), [
            ("ratio", "<= 1", "1.00 (here)", "yes")])

    def test_what_exceeds_its_bound_is_not(self):
        self.report.at_most("ratio", "here", 1.01, 1)
        self.assertEqual(self.rows()[0][3], "**no**")

    def test_less_than_the_least_is_not_kept(self):
        self.report.at_least("ratio", "here", 1.4, 1.5)
        self.assertEqual(self.rows()[0], (
            "ratio", ">= 1.5", "1.40 (here)", "**no**"))

    def test_nothing_keeps_a_bound_of_nothing(self):
        self.report.at_most("left", "here", 0, 0, "processes")
        self.assertEqual(self.rows()[0], (
            "left", "<= 0 processes", "0 processes (here)", "yes"))
        self.assertEqual(report.share(1, 0), math.inf)

    def test_the_worst_is_shown_and_the_missed_are_counted(self):
        for where, value in ("a", 0.5), ("b", 3), ("c", 2):
            self.report.at_most("ratio", where, value, 1)
        self.assertEqual(self.rows(), [
            ("ratio", "<= 1", "3.00 (b)", "**no**, not in 2 of 3")])

    def test_a_bound_in_the_interval_is_within_the_noise(self):
        self.report.at_most("slow", "here", 1.1, 1, interval=(0.9, 1.2))
        self.report.at_most("fast", "here", 0.9, 1, interval=(0.8, 1.2))
        self.report.at_most("sure", "here", 0.9, 1, interval=(0.8, 0.95))
        self.assertEqual([row[3] for row in self.rows()], [
            "**no**, within the noise", "yes, within the noise", "yes"])

    def test_a_claim_belongs_to_its_section(self):
        self.report.at_most("ratio", "here", 1, 1)
        self.begin("Another")
        self.assertEqual(self.rows(), [])
        text = "\n".join(self.report.summary())
        self.assertIn("### Section", text)
        self.assertNotIn("### Another", text)


class Document(unittest.TestCase):
    def test_the_file_has_contents_and_summary_before_the_sections(self):
        with tempfile.TemporaryDirectory() as directory, \
                contextlib.redirect_stdout(io.StringIO()) as printed:
            one = report.Report(directory)
            one.text("# Top")
            one.begin("Stop: `a`, b")
            one.table(["x", "y"], [("1", "2")])
            one.at_most("ratio", "here", 0.5, 1)
            one.save()
            path = os.path.join(directory, report.DOCUMENT)
            with open(path, encoding="utf-8") as file:
                lines = file.read().splitlines()
        self.assertEqual(lines[0], "# Top")
        order = [lines.index(line) for line in (
            "* [Stop: `a`, b](#stop-a-b)", "## Summary", "## Stop: `a`, b",
            "| 1 | 2 |")]
        self.assertEqual(order, sorted(order))
        self.assertIn("| 1 | 2 |", printed.getvalue())

    def test_figures_are_kept_from_user_to_user(self):
        with tempfile.TemporaryDirectory() as directory:
            one = report.Report(directory)
            one.remark = "a machine"
            one.data("many", ["user", "x"], [("root", 1)])
            one.data("many", ["user", "x"], [("other", 2)])
            with open(os.path.join(directory, "many.tsv"),
                      encoding="utf-8") as file:
                self.assertEqual(file.read(), "# a machine\nuser\tx\n"
                                 "root\t1\nother\t2\n")


if __name__ == "__main__":
    unittest.main()
