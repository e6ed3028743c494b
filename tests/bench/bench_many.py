# SPDX-License-Identifier: ISC
"""Supervisors of many children that sleep."""

import statistics
import time

import benchlib
import peers

NAME = "many"
START_WITHIN = 90
FEW = 2                         # rounds of the largest number


def wakeups(pids, seconds):
    before = sum(map(benchlib.context_switches, pids))
    time.sleep(seconds)
    return sum(map(benchlib.context_switches, pids)) - before


def measure_once(peer, user, settings, count, with_idle):
    """(start ns, stop ns, private kB or None, wake-ups or None)."""
    with peers.Running(peer, user, settings, count) as running:
        started = running.await_all(START_WITHIN)
        private = woken = None
        if with_idle:
            # What it does after the last start is not idling yet.
            time.sleep(1)
            pids = running.supervisors()
            private = sum(benchlib.private_kilobytes(pid)[0]
                          for pid in pids)
            woken = wakeups(pids, settings.idle_seconds)
        return started, running.stop(), private, woken


def measure(chosen, user, settings, count, report):
    """Samples per peer; they take turns, a failed one does no more."""
    samples = {peer.name: [] for peer in chosen}
    failed = set()
    rounds = settings.repeats if count < max(settings.sizes) \
        else min(FEW, settings.repeats)
    for number in range(rounds):
        for peer in chosen:
            if peer.name in failed:
                continue
            try:
                samples[peer.name].append(measure_once(
                    peer, user, settings, count, number == 0))
            except benchlib.Invalid as invalid:
                failed.add(peer.name)
                report.fault(f"many, {user.name}, {count}: {invalid}")
    return samples


def rows(chosen, samples, count):
    for peer in chosen:
        taken = samples[peer.name]
        if not taken:
            continue
        low, median, high = benchlib.deciles([one[0] for one in taken])
        stopped = statistics.median(one[1] for one in taken)
        _, _, private, woken = taken[0]
        yield (f"`{peer.name}`",
               *(benchlib.milliseconds(value, 1) for value in
                 (low, median, high)),
               f"{median / count / 1e3:.0f}",
               benchlib.milliseconds(stopped, 1),
               f"{private / count:.1f}", woken, len(taken))


def run(user, settings, report):
    chosen = peers.installed(peers.all_peers(settings), report)
    for count in settings.sizes:
        began = time.monotonic()
        able = []
        for peer in chosen:
            why = peer.cannot(count)
            if why is None:
                able.append(peer)
            else:
                report.text("", f"Skipped: {peer.name}: {why}")
        samples = measure(able, user, settings, count, report)
        report.text(f"### {count} children, as {user.name}")
        report.table(
            ["started by", "p10 ms", "median ms", "p90 ms", "µs a child",
             "stop ms", "private kB a child",
             f"wake-ups in {settings.idle_seconds} s", "rounds"],
            rows(able, samples, count))
        settings.note(f"{count} children took "
                      f"{time.monotonic() - began:.0f} s")


def explain(settings, report):
    report.text(
        "", "## Many: children that sleep", "",
        "Until the first instruction of the last child; from the request to "
        "stop until nothing is left. Private is that of all processes but "
        "the children; wake-ups are their context switches. By default "
        "grouper starts a child when the one before it runs, stops them in "
        "the reverse order, and reads their output; `depends_on: []` gives "
        "up the order, which the others do not have.", "")
