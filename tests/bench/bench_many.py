# SPDX-License-Identifier: ISC
"""Supervisors of many children that sleep."""

import statistics
import time

import benchlib
import benchstat
import peers

NAME = "many"
START_WITHIN = 90
FEW = 2                         # rounds of others with the largest number
LARGE = 1000                    # with fewer, a child's share is the host's
# Who has a process beside each child, as grouper has.
ONE_EACH = ["daemontools", "s6", "runit"]
COLUMNS = ["user", "children", "by", "start_ms", "start_low_ms",
           "start_high_ms", "stop_ms", "private_kb_a_child"]


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
    few = count == max(settings.sizes)
    for number in range(settings.repeats):
        for peer in chosen:
            other = not peer.own and not peer.limit
            if peer.name in failed or (few and other and number >= FEW):
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
        low, median, high = benchstat.deciles([one[0] for one in taken])
        stopped = statistics.median(one[1] for one in taken)
        _, _, private, woken = taken[0]
        yield (f"`{peer.name}`",
               *(benchlib.milliseconds(value, 1) for value in
                 (low, median, high)),
               f"{median / count / 1e3:.0f}",
               benchlib.milliseconds(stopped, 1),
               f"{private / count:.1f}", woken, len(taken))


def judge(chosen, samples, count, user, report):
    """Claims of the ratios to whoever of the others is best."""
    others = [peer for peer in chosen if not peer.own
              and not peer.limit and samples[peer.name]]
    # Memory is of the first round alone.
    least = min((samples[peer.name][0][2] for peer in others
                 if peer.name in ONE_EACH), default=None)
    for peer in chosen:
        taken = samples[peer.name]
        if not peer.own or not taken:
            continue
        where = f"{count} children, {user.name}"
        for column, what in (0, "start"), (1, "stop"):
            best = min(([one[column] for one in samples[other.name]]
                        for other in others),
                       key=statistics.median, default=None)
            if best is not None:
                ours = [one[column] for one in taken]
                report.at_most(
                    f"{peer.name}: time to {what}, of the best of the "
                    "others", where,
                    benchstat.ratio(ours, best), 1,
                    interval=benchstat.ratio_interval(ours, best))
        _, _, private, woken = taken[0]
        if least is not None:
            report.at_most(
                f"{peer.name}: private memory, of the best of "
                + ", ".join(ONE_EACH), where, private / least, 1)
        report.at_most(f"{peer.name}: wake-ups while all sleep", where,
                       woken, 0, "wake-ups")


def compare_sizes(chosen, samples, user, report):
    """Does a child's start take longer among many?

    samples: of each number of children, as measure() returns them.
    """
    few, *_, many = sorted(samples)
    lines = []
    for peer in chosen:
        taken = [[one[0] / count for one in samples[count].get(peer.name, [])]
                 for count in (many, few)]
        if not all(taken):
            continue
        growth = benchstat.ratio(*taken)
        lines.append((f"`{peer.name}`",
                      *(f"{statistics.median(one) / 1e3:.0f}"
                        for one in reversed(taken)), f"{growth:.2f}"))
        if peer.own:
            report.at_most(
                f"{peer.name}: start of a child among {many}, of one among "
                f"{few}", user.name, growth, 1,
                interval=benchstat.ratio_interval(*taken))
    report.text(f"### A child among {few} and among {many}, as {user.name}")
    report.table(["started by", f"µs a child of {few}",
                  f"µs a child of {many}", "ratio"], lines)


def figures(chosen, samples, count, user):
    """Rows of COLUMNS."""
    for peer in chosen:
        taken = samples[peer.name]
        if taken:
            low, median, high = benchstat.deciles([one[0] for one in taken])
            stopped = statistics.median(one[1] for one in taken)
            yield (user.name, count, peer.name,
                   *(f"{value / 1e6:.3f}"
                     for value in (median, low, high, stopped)),
                   f"{taken[0][2] / count:.2f}")


def run(user, settings, report):
    chosen = peers.installed([*peers.all_peers(settings), peers.LED], report)
    of_size = {}
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
        judge(able, samples, count, user, report)
        report.data(NAME, COLUMNS, figures(able, samples, count, user))
        if count >= LARGE:
            of_size[count] = samples
        settings.note(f"{count} children took "
                      f"{time.monotonic() - began:.0f} s")
    if len(of_size) > 1:
        compare_sizes(chosen, of_size, user, report)


def explain(settings, report):
    report.begin("Many: children that sleep")
    report.text(
        "Until the first instruction of the last child; from the request to "
        "stop until nothing is left. Private is that of all processes but "
        "the children; wake-ups are their context switches. By default "
        "grouper starts a child when the one before it runs, stops them in "
        "the reverse order, and reads their output; `depends_on: []` gives "
        "up the order, which the others do not have.", "")
