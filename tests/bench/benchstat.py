# SPDX-License-Identifier: ISC
"""Medians, ratios of medians, and how far a ratio can be trusted.

Rounds are interleaved: sample i of one subject and sample i of another were
taken one after the other, so that a resampled round keeps them together.
"""

import random
import statistics

RESAMPLES = 500
FEWEST = 5                      # rounds from which an interval says something
CERTAINTY = 0.95


def deciles(values):
    """The 10th percentile, the median and the 90th."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    cuts = statistics.quantiles(values, n=10, method="inclusive")
    return cuts[0], statistics.median(values), cuts[8]


def percentile(ordered, share):
    """Of sorted values, the first that so large a share is not above."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def ratio(ours, theirs, bare=None):
    """Of the medians; of what they add to that of bare, where it is given.

    None if there is nothing to divide by.
    """
    base = statistics.median(bare) if bare is not None else 0
    unit = statistics.median(theirs) - base
    return (statistics.median(ours) - base) / unit if unit > 0 else None


def ratio_interval(ours, theirs, bare=None):
    """Where 95 % of the ratios of resampled rounds are, or None.

    The generator is seeded: the same samples have the same interval.
    """
    rounds = list(zip(ours, theirs, bare if bare is not None else ours))
    if len(rounds) < FEWEST:
        return None
    generator = random.Random(1)
    ratios = []
    for _ in range(RESAMPLES):
        columns = list(zip(*generator.choices(rounds, k=len(rounds))))
        value = ratio(columns[0], columns[1],
                      columns[2] if bare is not None else None)
        if value is not None:
            ratios.append(value)
    if not ratios:
        return None
    ratios.sort()
    tail = (1 - CERTAINTY) / 2
    return percentile(ratios, tail), percentile(ratios, 1 - tail)
