# SPDX-License-Identifier: ISC
"""From the end of a child to the first instruction of its next incarnation."""

import statistics
import time

import benchlib
import benchstat
import peers

NAME = "restart"
AT_ONCE = 0                     # lives so many microseconds
A_WHILE = 1_100_000             # over the second that others hold back
BURST = 0.5                     # seconds of children that end at once
PATIENCE = 3.5                  # of them under who holds back
ORDINARY = "bench_ordinary"
CHILDREN = [(ORDINARY, "An ordinary, dynamically linked program"),
            ("bench_member", "A static program without a libc")]
SUBJECTS = ["grouper", "grouper, log: inherit"]


def is_fast(peer):
    return peer.own or peer.limit


def burst(peer, user, settings, program):
    """Latencies of a child that ends at once, again and again."""
    with peers.Running(peer, user, settings, 1, AT_ONCE,
                       program) as running:
        time.sleep(BURST if is_fast(peer) else PATIENCE)
        latencies = running.latencies()
        running.stop()
    if not latencies:
        raise benchlib.Invalid(f"restart, {peer.name}: there was none")
    return latencies


def measure_at_once(chosen, user, settings, program):
    """Per peer the median of each round; they take turns."""
    medians = {peer.name: [] for peer in chosen}
    for number in range(settings.repeats):
        for peer in chosen:
            # That others wait for a second needs no more proof than this.
            if is_fast(peer) or number < 2:
                medians[peer.name].append(
                    statistics.median(burst(
                        peer, user, settings, program)))
    return medians


def measure_later(chosen, user, settings):
    """Latencies per peer; all run side by side and sleep most of the time."""
    runs = []
    try:
        for peer in chosen:
            runs.append(peers.Running(peer, user, settings, 1, A_WHILE))
            time.sleep(A_WHILE / 1e6 / len(chosen))
        time.sleep(settings.repeats * 3 * A_WHILE / 1e6)
        return {running.peer.name: running.latencies() for running in runs}
    finally:
        for running in runs:
            running.run.close()
            running.process.poll()


def rows(chosen, samples):
    bare = statistics.median(samples[peers.BARE.name])
    for peer in chosen:
        taken = samples[peer.name]
        low, median, high = benchstat.deciles(taken)
        yield (f"`{peer.name}`",
               *(benchlib.milliseconds(value) for value in
                 (low, median, high)),
               f"{median / bare:.2f}" if peer is not peers.BARE else "-",
               len(taken))


def best_of_others(chosen, samples):
    """The samples whose median is the lowest."""
    taken = [samples[peer.name] for peer in chosen
             if not peer.own and not peer.limit and samples[peer.name]]
    return min(taken, key=statistics.median, default=None)


def judge(what, chosen, samples, user, report):
    best = best_of_others(chosen, samples)
    if best is None:
        return
    for peer in chosen:
        if peer.own:
            ours = samples[peer.name]
            report.at_most(f"{peer.name}: {what}, of the best of the others",
                           user.name,
                           benchstat.ratio(ours, best), 1,
                           interval=benchstat.ratio_interval(ours, best))


def judge_overhead(chosen, samples, user, report):
    bare = samples[peers.BARE.name]
    for peer in chosen:
        if peer.own:
            ours = samples[peer.name]
            report.at_most(f"{peer.name}: an ordinary child that ends at "
                           "once, of the bare loop", user.name,
                           benchstat.ratio(ours, bare), 2,
                           interval=benchstat.ratio_interval(ours, bare))


def run(user, settings, report):
    report.text(f"### As {user.name}")
    chosen = peers.installed(
        [peer for peer in peers.all_peers(settings)
         if not peer.own or peer.name in SUBJECTS] + [peers.LED], report)
    head = ["restarted by", "p10 ms", "median ms", "p90 ms",
            "of the bare loop"]
    try:
        for program, what in CHILDREN:
            samples = measure_at_once(chosen, user, settings, program)
            report.text("", f"{what} that ends at once; rounds' medians:")
            report.table([*head, "rounds"], rows(chosen, samples))
            judge("a child that ends at once", chosen, samples, user, report)
            if program == ORDINARY:
                judge_overhead(chosen, samples, user, report)
        chosen += peers.installed([peers.SCRIPT], report)
        samples = measure_later(chosen, user, settings)
        report.text("", "A static program without a libc that lived"
                    f" {A_WHILE / 1e6:.1f} s:")
        report.table([*head, "restarts"], rows(chosen, samples))
        judge(f"a child that lived {A_WHILE / 1e6:.1f} s", chosen, samples,
              user, report)
    except benchlib.Invalid as invalid:
        report.fault(f"restart, {user.name}: {invalid}")


def explain(settings, report):
    report.begin("Restart: from an end to the next start")
    report.text(
        "From the last instruction of a child to the first of its next "
        "incarnation. Where it ends at once, s6, runit, daemontools and "
        "supervisord hold back by design. Their service directories hold "
        "the child itself as run; usual is a script, which executes it. Two "
        "loops show what can be done at all: one that starts each child "
        "itself, and one that gives each incarnation a leader, a process "
        "that collects what the child leaves, as each group has.", "")
