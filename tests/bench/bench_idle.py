# SPDX-License-Identifier: ISC
"""Private memory and wake-ups of a wrapper whose command sleeps."""

import os
import statistics
import time

import benchlib
import wrappers

NAME = "idle"
COMMAND = ["/bin/sleep", "600"]
COMMAND_LINE = b"\0".join(word.encode() for word in COMMAND) + b"\0"
YARDSTICK = "tini -s"


def is_command(pid):
    return benchlib.read_file(f"/proc/{pid}/cmdline") == COMMAND_LINE


def start(wrapper, run):
    """Starts the sleep; the pids of the wrapper's own processes."""
    run.start(wrapper.argv(run, COMMAND))
    if not benchlib.await_true(
            lambda: any(map(is_command, run.processes())), 10, 0.01):
        raise benchlib.Invalid(f"{wrapper.name}: the command did not start")
    # What it does after the start of its command is not idling yet.
    time.sleep(0.3)
    return [pid for pid in run.processes() if not is_command(pid)]


def measure_memory(wrapper, user, times):
    """Medians of (private, dirty, processes), one instance at a time.

    A second instance would share the pages of the program's file.
    """
    samples = []
    for _ in range(times):
        with benchlib.Run(user) as run:
            pids = start(wrapper, run)
            sizes = [benchlib.private_kilobytes(pid) for pid in pids]
            samples.append((sum(size[0] for size in sizes),
                            sum(size[1] for size in sizes), len(pids)))
    return [statistics.median(column) for column in zip(*samples)]


def measure_wakeups(chosen, user, seconds):
    """Context switches of each wrapper while all of them idle together."""
    runs = []
    try:
        for wrapper in chosen:
            run = benchlib.Run(user)
            runs.append((run, []))
            runs[-1][1].extend(start(wrapper, run))
        before = [sum(map(benchlib.context_switches, pids)) for _, pids in runs]
        time.sleep(seconds)
        after = [sum(map(benchlib.context_switches, pids)) for _, pids in runs]
    finally:
        for run, _ in runs:
            run.close()
    return [end - begin for begin, end in zip(before, after)]


def run(user, settings, report):
    report.text(f"### As {user.name}")
    # Pages of a file just linked are dirty until they are on the disk.
    os.sync()
    with user.delegated() as user:
        candidates = (wrappers.grouper_levels(settings.grouper)
                      + wrappers.LIGHT + wrappers.SUPERVISORS)
        chosen = wrappers.usable(candidates, user, report)
        try:
            memory = [measure_memory(wrapper, user, settings.repeats)
                      for wrapper in chosen]
            wakeups = measure_wakeups(chosen, user, settings.idle_seconds)
        except (benchlib.Invalid, OSError) as invalid:
            report.fault(f"idle, {user.name}: {invalid}")
            return
    unit = next((size[0] for wrapper, size in zip(chosen, memory)
                 if wrapper.name == YARDSTICK), 0)
    report.table(
        ["`sleep` under", "processes", "private kB", "dirty alone kB",
         f"private, of {YARDSTICK}",
         f"wake-ups in {settings.idle_seconds} s"],
        [(f"`{wrapper.name}`", f"{count:.0f}", f"{private:.0f}",
          f"{dirty:.0f}", f"{private / unit:.2f}" if unit else "-", woken)
         for wrapper, (private, dirty, count), woken
         in zip(chosen, memory, wakeups)])
    for wrapper, (private, _, _), woken in zip(chosen, memory, wakeups):
        if wrapper.level is None:
            continue
        where = f"{wrapper.name}, {user.name}"
        if unit:
            report.at_most(f"private memory, of {YARDSTICK}", where,
                           private / unit, 1)
        report.at_most(f"wake-ups in {settings.idle_seconds} s", where,
                       woken, 0, "wake-ups")


def explain(settings, report):
    report.begin("Idle: private memory and wake-ups")
    report.text(
        "All processes of the wrapper, without the command. Private is "
        "Private_Clean + Private_Dirty of smaps_rollup, one wrapper at a "
        f"time, the median of {settings.repeats}; wake-ups are context "
        "switches.", "")
