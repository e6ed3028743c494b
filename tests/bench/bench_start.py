# SPDX-License-Identifier: ISC
"""The wall time that a wrapper adds to `true`."""

import random
import statistics
import subprocess

import benchlib
import wrappers

NAME = "start"
RESAMPLES = 200
YARDSTICK = "tini -s"


def measure(user, chosen, settings):
    """Nanoseconds of each wrapper, a tuple per round, all interleaved."""
    command = ["/bin/true"]
    with benchlib.Run(user) as run:
        argv = [settings.program("bench_spawn"), "-n", str(settings.rounds),
                "-w", str(max(5, settings.rounds // 20)), "--"]
        for index, wrapper in enumerate(chosen):
            words = wrapper.argv(run, command)
            if wrapper is not wrappers.BARE:
                words = [wrapper.path(), *words[1:]]
            argv += [";;"] * (index > 0) + words
        process = run.start(argv, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)
        out, err = process.communicate()
    if process.returncode != 0:
        raise benchlib.Invalid(err.strip() or "bench_spawn failed")
    return [tuple(map(int, line.split("\t"))) for line in out.splitlines()]


def ratio_interval(times, index, yardstick):
    """95 % of what the ratio of the added times is in resampled rounds."""
    generator = random.Random(1)
    ratios = []
    for _ in range(RESAMPLES):
        sample = generator.choices(times, k=len(times))
        bare, wrapper, other = (
            statistics.median(row[column] for row in sample)
            for column in (0, index, yardstick))
        if other > bare:
            ratios.append((wrapper - bare) / (other - bare))
    ratios.sort()
    if not ratios:
        return "-"
    low = ratios[int(len(ratios) * 0.025)]
    high = ratios[int(len(ratios) * 0.975)]
    return f"{low:.2f}-{high:.2f}"


def rows(chosen, times):
    bare = statistics.median(row[0] for row in times)
    names = [wrapper.name for wrapper in chosen]
    yardstick = names.index(YARDSTICK) if YARDSTICK in names else None
    for index, name in enumerate(names):
        low, median, high = benchlib.deciles([row[index] for row in times])
        added, ratio, interval = median - bare, "-", "-"
        if yardstick is not None and index > 0:
            unit = statistics.median(row[yardstick] for row in times) - bare
            ratio = f"{added / unit:.2f}" if unit > 0 else "-"
            if index != yardstick:
                interval = ratio_interval(times, index, yardstick)
        yield (f"`{name}`", *map(benchlib.milliseconds, (low, median, high)),
               benchlib.milliseconds(added) if index > 0 else "-",
               ratio, interval)


def run(user, settings, report):
    report.text(f"### As {user.name}")
    with user.delegated() as user:
        candidates = (wrappers.grouper_levels(settings.grouper)
                      + wrappers.LIGHT)
        chosen = [wrappers.BARE]
        chosen += wrappers.usable(candidates, user, report)
        try:
            times = measure(user, chosen, settings)
        except benchlib.Invalid as invalid:
            report.fault(f"start, {user.name}: {invalid}")
            return
    report.table(["command `true` under", "p10 ms", "median ms", "p90 ms",
                  "adds ms", f"of {YARDSTICK}", "95 % of samples"],
                 rows(chosen, times))


def explain(settings, report):
    report.text(
        "", "## Start: wall time added to `true`", "",
        f"{settings.rounds} rounds after a warm-up; each round runs every "
        "command once, in an order drawn anew. \"Adds\" is the difference "
        "of the medians, the ratio is of what is added.", "")
