# SPDX-License-Identifier: ISC
"""What one hostile program leaves alive under each wrapper.

The program starts 13 processes that each get away in another way and
refuse to end in many; see tests/adversary.
"""

import dataclasses
import os
import signal
import time

import benchlib
import wrappers

NAME = "survivors"
PATIENCE = "TERM 2s, KILL"      # as the other wrappers are told
GIVE_UP = 8
MODE = "thirteen"


def start(wrapper, run, settings):
    """Starts the hostile program and waits until all of it is there."""
    # Made here: in a user namespace without a mapping nobody may make files.
    out = run.path("out")
    with open(out, "w"):
        os.chmod(out, 0o666)
    command = ["/bin/sh", "-c", 'exec "$@" >"$0"', out, settings.hostile,
               "-m", run.token, MODE, "stay"]
    process = run.start(wrapper.argv(run, command))
    if not benchlib.await_true(
            lambda: benchlib.read_file(out) == b"ready\n", 15, 0.01):
        raise benchlib.Invalid(
            f"{wrapper.name}: the hostile program did not start")
    return process


def leader_of(process):
    """The one child of a host."""
    children = benchlib.read_file(
        f"/proc/{process.pid}/task/{process.pid}/children").split()
    if len(children) != 1:
        raise benchlib.Invalid(f"the host has {len(children)} children")
    return int(children[0])


def survivors(run, process):
    return [pid for pid in run.processes() if pid != process.pid]


def stop_by_term(run, process, _):
    """(what is alive when the wrapper ended, seconds, remark)."""
    begin = time.monotonic()
    process.terminate()
    remark = ""
    if benchlib.await_exit(process, GIVE_UP) is None:
        process.kill()
        process.wait()
        remark = f"did not end in {GIVE_UP} s, then killed"
    elapsed = time.monotonic() - begin
    return len(survivors(run, process)), elapsed, remark


def kill_and_await_empty(run, process, pid):
    """Kills pid with KILL, and sees how much is left, at last or in 8 s."""
    begin = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    if pid == process.pid:
        process.wait()

    benchlib.await_true(lambda: not survivors(run, process), GIVE_UP, 0.02)
    elapsed = time.monotonic() - begin
    if pid != process.pid:
        status = benchlib.await_exit(process, 1)
        return (len(survivors(run, process)), elapsed,
                f"exit status {status}")
    return len(survivors(run, process)), elapsed, ""


def stop_by_kill(run, process, _):
    return kill_and_await_empty(run, process, process.pid)


def stop_by_leader_kill(run, process, _):
    return kill_and_await_empty(run, process, leader_of(process))


def stop_by_both(run, process, wrapper):
    """What is left when nobody guards the group any more.

    At level cgroup that is the next host of the name: what it leaves.
    """
    leader = leader_of(process)
    # Stopped first, so that neither sees the other's end.
    for pid in process.pid, leader:
        os.kill(pid, signal.SIGSTOP)
    os.kill(leader, signal.SIGKILL)
    if wrapper.level != "cgroup":
        return kill_and_await_empty(run, process, process.pid)
    begin = time.monotonic()
    process.kill()
    process.wait()
    status, text = wrappers.call(run, wrapper.argv(run, ["true"]))
    elapsed = time.monotonic() - begin
    if status != 0:
        raise benchlib.Invalid(f"the next host: exit status {status}: "
                               + " ".join(text.split()))
    return len(survivors(run, process)), elapsed, "when the next host ended"


BOTH = "KILL of both"
EVENTS = [
    ("TERM", stop_by_term),
    ("KILL", stop_by_kill),
]
LEADER_EVENTS = [
    ("KILL of the leader", stop_by_leader_kill),
    (BOTH, stop_by_both),
]


def measure(wrapper, event, user, settings):
    """The worst of several rounds: (started, survivors, seconds, remark)."""
    rounds = settings.repeats if wrapper.level is not None else 1
    worst = None
    for _ in range(rounds):
        with benchlib.Run(user) as run:
            process = start(wrapper, run, settings)
            started = len(survivors(run, process))
            left, elapsed, remark = event(run, process, wrapper)
        if worst is None or (left, elapsed) > worst[1:3]:
            worst = started, left, elapsed, remark
    return worst


def peers():
    """The others; under `unshare` a shell is the namespace's init.

    An init may not clone with CLONE_PARENT, so the hostile program could
    not be as hostile as elsewhere.
    """
    for wrapper in wrappers.LIGHT + [wrappers.TINI_GROUP]:
        if wrapper.program == "unshare":
            start = wrapper.argv
            wrapper = dataclasses.replace(
                wrapper, name=wrapper.name + " sh -c",
                argv=lambda run, command: start(
                    run, ["/bin/sh", "-c", '"$@"; exit $?', "sh", *command]))
        yield wrapper
    yield from wrappers.SUPERVISORS


def rows(user, settings, report):
    candidates = wrappers.grouper_levels(
        settings.grouper, "--shutdown", PATIENCE, "--name", "bench")
    candidates += peers()
    for wrapper in wrappers.usable(candidates, user, report):
        events = EVENTS + (LEADER_EVENTS if wrapper.level else [])
        for name, event in events:
            try:
                started, left, elapsed, remark = measure(
                    wrapper, event, user, settings)
            except (benchlib.Invalid, OSError) as invalid:
                report.fault(f"survivors, {wrapper.name}, {name}, "
                             f"{user.name}: {invalid}")
                continue
            yield (f"`{wrapper.name}`", name, started, left,
                   f"{elapsed:.2f}", remark)
            if wrapper.level is not None:
                # The one hole that is documented.
                is_hole = name == BOTH and wrapper.level == "reaper"
                report.at_most(
                    f"alive after {name}" + (
                        " at level reaper, which nothing guards then"
                        if is_hole else ""),
                    f"{wrapper.name}, {user.name}", left, 0, "processes")


def run(user, settings, report):
    report.text(f"### As {user.name}")
    if not os.access(settings.hostile, os.X_OK):
        report.fault(f"survivors: {settings.hostile} is not there")
        return
    with user.delegated() as user:
        table = list(rows(user, settings, report))
    report.table(["wrapper", "then", "before", "survivors", "s", "remark"],
                 table)


def explain(settings, report):
    report.begin("Survivors of a hostile program")
    report.text(
        "13 processes that each get away in another way. After TERM: what "
        "is alive the moment the wrapper ended. After KILL of the wrapper, "
        f"or of grouper's leader: what is alive in the end, at most "
        f"{GIVE_UP} s later. \"Before\" counts the wrapper's further "
        "processes too. All wrappers are given 2 s until they kill, where "
        "they can be told. grouper: the worst of "
        f"{settings.repeats} rounds.", "")
