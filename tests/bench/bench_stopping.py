# SPDX-License-Identifier: ISC
"""Time from the stop request until a wrapper ended, and what it left."""

import dataclasses
import statistics
import subprocess
import time

import benchlib
import benchstat
import wrappers

NAME = "stop"
# Nobody else's, so that the limit of processes counts the tree alone.
FIRST_TREE_USER = 61500
BOUND = 2                       # of the bare loop where that leaves nothing
LIMIT = 500
GIVE_UP = 8


@dataclasses.dataclass
class Shape:
    name: str
    words: list                 # of bench_tree
    text: str
    plain: bool = True


SHAPES = [
    Shape("flat", ["flat", "1000"], "1000 children of one parent"),
    Shape("sessions", ["sessions", "1000"],
          "1000 children, each in a session of its own"),
    Shape("wide", ["wide", "1000"], "1000 in a tree, ten children each"),
    Shape("deep", ["deep", "1000"], "1000 in a chain"),
    Shape("forks", ["forks", "0"],
          f"a fork tree at its limit of {LIMIT} processes", plain=False),
    Shape("comets", ["comets", "4"],
          "4 comets: fork, setsid, exit, and again", plain=False),
]


def subjects(shape, settings):
    """(name, wrapper) of what is asked to end this shape."""
    steps = ["5s"] if shape.plain else ["TERM 200ms, KILL"]
    for level in wrappers.LEVELS:
        for step in steps + ["brutal_kill"]:
            yield wrappers.grouper(
                settings.grouper, level, "--shutdown", step,
                name=f"grouper, {level}, {step}")
    yield from (wrapper for wrapper in wrappers.LIGHT
                if wrapper.name in ("tini -s", "timeout"))
    yield wrappers.TINI_GROUP
    if shape.plain:
        yield wrappers.BARE


def command_of(shape, run, settings, number):
    command = [settings.program("bench_tree"), run.directory, *shape.words]
    if shape.name != "forks":
        return command
    limit = ["prlimit", f"--nproc={LIMIT}", "--"]
    if run.user.uid is not None or not settings.root:
        return [*limit, *command]
    # The limit does not bind root: its tree belongs to somebody else.
    uid = FIRST_TREE_USER + number
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups",
            *limit, *command]


def alive_comets(run):
    """How many counters rise; the processes are gone before we look."""
    before = benchlib.read_file(run.path("beats"))
    time.sleep(0.1)
    after = benchlib.read_file(run.path("beats"))
    return sum(before[at:at + 8] != after[at:at + 8]
               for at in range(0, len(after), 8))


def stop_once(wrapper, shape, user, settings, number):
    """Nanoseconds to the end, whether it ended, survivors then."""
    with benchlib.Run(user) as run:
        argv = [settings.program("bench_stop"), "-t", str(GIVE_UP)]
        if wrapper is wrappers.BARE:
            argv += ["-g"]
        argv += [run.path("ready"),
                 *wrapper.argv(run, command_of(shape, run, settings,
                                               number))]
        process = run.start(argv, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)
        # Its orphans may hold the pipes open: end-of-file says nothing.
        line = process.stdout.readline()
        if shape.name == "comets":
            left = alive_comets(run)
        else:
            left = len([pid for pid in run.processes()
                        if pid != process.pid])
        if not line:
            raise benchlib.Invalid(process.stderr.readline().strip()
                                   or "bench_stop failed")
        process.stdout.close()
        process.stderr.close()
        process.wait()
    elapsed, _, gave_up = map(int, line.split())
    return elapsed, not gave_up, left


def user_for(shape, user, number):
    """A fork tree of an ordinary user runs as a user that has nothing else."""
    if shape.name == "forks" and user.uid is not None:
        return benchlib.User(user.name, FIRST_TREE_USER + number)
    return user


def measure(shape, user, settings, report):
    """Rows of the table for one shape; rounds interleaved."""
    number = 0
    with user_for(shape, user, number).delegated() as subject_user:
        chosen = wrappers.usable(
            [wrapper for wrapper in subjects(shape, settings)
             if wrapper is not wrappers.BARE], subject_user, report)
        if shape.plain:
            chosen.append(wrappers.BARE)
        samples = {wrapper.name: [] for wrapper in chosen}
        for _ in range(settings.repeats):
            for wrapper in chosen:
                taken = samples[wrapper.name]
                if any(not ended for _, ended, _ in taken):
                    continue
                try:
                    taken.append(stop_once(
                        wrapper, shape, subject_user, settings, number))
                except benchlib.Invalid as invalid:
                    report.fault(f"stop, {shape.name}, {wrapper.name}, "
                                 f"{user.name}: {invalid}")
    judge(shape, chosen, samples, user, report)
    for wrapper in chosen:
        taken = samples[wrapper.name]
        if taken:
            yield row(wrapper, taken)


def judge(shape, chosen, samples, user, report):
    bare = samples.get(wrappers.BARE.name, [])
    is_fair = bare and not any(left for _, _, left in bare)
    for wrapper in chosen:
        taken = samples[wrapper.name]
        if wrapper.level is None or not taken:
            continue
        where = f"{wrapper.name}, {shape.name}, {user.name}"
        report.at_most("left when grouper said that all had ended", where,
                       max(left for _, _, left in taken), 0, "processes")
        report.at_most(f"rounds that did not end in {GIVE_UP} s", where,
                       sum(not ended for _, ended, _ in taken), 0, "rounds")
        if is_fair:
            ours, loop = ([elapsed for elapsed, _, _ in times]
                          for times in (taken, bare))
            report.at_most("time to the end, of kill(-pgid) in a loop where "
                           "that leaves nothing", where,
                           benchstat.ratio(ours, loop), BOUND,
                           interval=benchstat.ratio_interval(ours, loop))


def row(wrapper, taken):
    name = wrapper.name
    if wrapper is wrappers.BARE:
        name = "bare kill(-pgid), wait until ECHILD"
    low, median, high = benchstat.deciles([sample[0] for sample in taken])
    ended = sum(sample[1] for sample in taken)
    left = [sample[2] for sample in taken]
    times = [benchlib.milliseconds(value, 1) for value in (low, median, high)]
    if ended < len(taken):
        times = ["-", f"not in {GIVE_UP} s ({len(taken) - ended} of "
                 f"{len(taken)})", "-"]
    return (f"`{name}`", *times, f"{statistics.median(left):.0f}",
            max(left))


def run(user, settings, report):
    for shape in SHAPES:
        if settings.shapes and shape.name not in settings.shapes:
            continue
        started = time.monotonic()
        table = list(measure(shape, user, settings, report))
        report.text(f"### {shape.text}, as {user.name}")
        report.table(["stopped by", "p10 ms", "median ms", "p90 ms",
                      "left, median", "left, most"], table)
        settings.note(f"{shape.name} took "
                      f"{time.monotonic() - started:.0f} s")


def explain(settings, report):
    report.begin("Stop: from the request to the end")
    report.text(
        "TERM to the wrapper until it ended, and how many processes were "
        f"alive then. {settings.repeats} rounds. For grouper, the end is "
        "the proof that nothing is left. \"brutal_kill\" goes to KILL at "
        "once.", "")
