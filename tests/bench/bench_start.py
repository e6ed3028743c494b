# SPDX-License-Identifier: ISC
"""The wall time that a wrapper adds to `true`."""

import statistics
import subprocess

import benchlib
import benchstat
import wrappers

NAME = "start"
YARDSTICK = "tini -s"
BOUND = 1                       # of what the yardstick adds
JUDGED = "reaper"               # the level that asks for no privilege
BATCH = 25
PATIENCE = 4                    # times the batches that are needed
FOREIGN_LIMIT = 0.1


def command_lines(run, chosen):
    """Arguments of bench_spawn: each wrapper with `true`, by path."""
    argv = []
    for index, wrapper in enumerate(chosen):
        words = wrapper.argv(run, ["/bin/true"])
        if wrapper is not wrappers.BARE:
            words = [wrapper.path(), *words[1:]]
        argv += [";;"] * (index > 0) + words
    return argv


def measure_batch(run, argv, number):
    """One call of bench_spawn: its rounds, and what others took of the cpus.

    The first of its rounds warm up and are not among them.
    """
    with benchlib.ForeignLoad() as load:
        process = run.start([argv[0], "-S", str(number), *argv[1:]],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True)
        out, err = process.communicate()
    if process.returncode != 0:
        raise benchlib.Invalid(err.strip() or "bench_spawn failed")
    times = [tuple(map(int, line.split("\t")))
             for line in out.splitlines()]
    return times, load.share


def measure(user, chosen, settings):
    """Nanoseconds of each wrapper, a tuple per round, and a remark.

    Batches in which others used the cpus are measured anew, up to a limit:
    what waits longest for a cpu is whoever has most processes, which is not
    what is asked here.
    """
    quiet, busy = [], []
    with benchlib.Run(user) as run:
        argv = [settings.program("bench_spawn"), "-n", str(BATCH), "-w", "3",
                "--", *command_lines(run, chosen)]
        for number in range(settings.rounds // BATCH * PATIENCE):
            times, share = measure_batch(run, argv, number)
            if share <= FOREIGN_LIMIT:
                quiet += times
            else:
                busy.append((share, times))
            if len(quiet) >= settings.rounds:
                break
    remark = f"{len(quiet)} rounds"
    if busy:
        remark += (f"; {len(busy)} batches of {BATCH} measured anew, because "
                   f"others used more than {FOREIGN_LIMIT:.0%} of the cpus")
    if len(quiet) < settings.rounds:
        busy.sort(key=lambda batch: batch[0])
        for share, times in busy:
            if len(quiet) >= settings.rounds:
                break
            quiet += times
        remark = (f"{len(quiet)} rounds. The machine was busy: among them "
                  f"are batches with {share:.0%} of the cpus used by others")
    return quiet, remark


def rows(chosen, times):
    columns = list(zip(*times))
    bare = statistics.median(columns[0])
    names = [wrapper.name for wrapper in chosen]
    yardstick = names.index(YARDSTICK) if YARDSTICK in names else None
    for index, name in enumerate(names):
        low, median, high = benchstat.deciles(columns[index])
        ratio = interval = None
        if yardstick is not None and index > 0:
            ratio = benchstat.ratio(columns[index], columns[yardstick],
                                    columns[0])
            if index != yardstick:
                interval = benchstat.ratio_interval(
                    columns[index], columns[yardstick], columns[0])
        yield (f"`{name}`", *map(benchlib.milliseconds, (low, median, high)),
               benchlib.milliseconds(median - bare) if index > 0 else "-",
               f"{ratio:.2f}" if ratio else "-",
               "{:.2f}-{:.2f}".format(*interval) if interval else "-")


def judge(user, chosen, times, report):
    """The claims; what they are of is printed before."""
    columns = list(zip(*times))
    names = [wrapper.name for wrapper in chosen]
    if YARDSTICK not in names:
        return
    other = columns[names.index(YARDSTICK)]
    for wrapper, ours in zip(chosen, columns):
        value = benchstat.ratio(ours, other, columns[0])
        if wrapper.level == JUDGED and value is not None:
            report.at_most(
                f"{wrapper.name}: time added, of what {YARDSTICK} adds",
                user.name, value, BOUND, interval=benchstat.ratio_interval(
                    ours, other, columns[0]))


def run(user, settings, report):
    report.text(f"### As {user.name}")
    with user.delegated() as user:
        candidates = (wrappers.grouper_levels(settings.grouper)
                      + wrappers.LIGHT)
        chosen = [wrappers.BARE]
        chosen += wrappers.usable(candidates, user, report)
        try:
            times, remark = measure(user, chosen, settings)
        except benchlib.Invalid as invalid:
            report.fault(f"start, {user.name}: {invalid}")
            return
    report.text("", f"{remark}.")
    report.table(["command `true` under", "p10 ms", "median ms", "p90 ms",
                  "adds ms", f"of {YARDSTICK}", "95 % of samples"],
                 rows(chosen, times))
    judge(user, chosen, times, report)


def explain(settings, report):
    report.begin("Start: wall time added to `true`")
    report.text(
        "Each round runs every command once, in an order drawn anew, after "
        "a warm-up. \"Adds\" is the difference "
        "of the medians, the ratio is of what is added.", "")
