# SPDX-License-Identifier: ISC
"""The supervisors that are compared: how to start them and to stop them.

Each is given a number of children that are bench_member, and starts them
without a shell and without a logger between.
"""

import contextlib
import dataclasses
import os
import resource
import shutil
import signal
import struct
import subprocess
import time

import benchlib

MARK = struct.Struct("qq")
STOP_WITHIN = 60
DESCRIPTORS = 100               # of a supervisor without children


@dataclasses.dataclass
class Peer:
    """A supervisor.

    argv(run, member, count) is its command line for so many children that
    are the program member, without the path of grouper if it is our own;
    it writes into the run's directory what that needs.  program is what has
    to be installed, package the Debian package it is in.  stop(run, process)
    asks it and its children to end.
    """

    name: str
    program: str
    argv: object
    package: str = ""
    stop: object = lambda run, process: process.terminate()
    most: int | None = None         # children it can have
    descriptors: int = 0            # for each child
    own: bool = False               # of ours, not a peer
    limit: bool = False             # what can be done at all, not a peer

    def path(self):
        return shutil.which(self.program, path=benchlib.SEARCH_PATH)

    def cannot(self, count):
        """Why it cannot have so many children here, or None."""
        if self.most is not None and count > self.most:
            return f"not more than {self.most} children"
        need = DESCRIPTORS + count * self.descriptors
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if limit not in (resource.RLIM_INFINITY, -1) and need > limit:
            return f"needs {need} descriptors, the limit is {limit}"
        return None


def loop(*options):
    def argv(run, member, count):
        program = os.path.join(os.path.dirname(member), "bench_loop")
        return [program, *options, str(count), member]
    return argv


def tree(*keys):
    """A tree file of children, with such keys each beside its command."""
    def argv(run, member, count):
        path = run.path("tree.yaml")
        more = "".join(f", {key}" for key in keys)
        with open(path, "w") as file:
            file.write("name: bench\nintensity: 1000000\nperiod: 1\n"
                       "children:\n")
            for number in range(count):
                file.write(f"  - {{id: c{number}, command: [{member}]"
                           f"{more}}}\n")
        return ["supervise", "-q", path]
    return argv


def services(run, member, count, script=False):
    """Service directories as s6, runit and daemontools have them.

    script: a shell script starts the child, as is usual, not the child.
    """
    above = run.path("services")
    paths = [above]
    os.mkdir(above)
    for number in range(count):
        path = os.path.join(above, f"c{number}")
        os.mkdir(path)
        if script:
            with open(os.path.join(path, "run"), "w") as file:
                file.write(f"#!/bin/sh\nexec {member}\n")
            os.chmod(os.path.join(path, "run"), 0o755)
        else:
            os.symlink(member, os.path.join(path, "run"))
        paths.append(path)
    if run.user.uid is not None:
        for path in paths:
            os.chown(path, run.user.uid, run.user.uid)
    return above


def s6_argv(run, member, count):
    return ["s6-svscan", "-c", str(count + 10),
            services(run, member, count)]


def runit_argv(run, member, count):
    return ["runsvdir", services(run, member, count)]


def runit_stop(run, process):
    process.send_signal(signal.SIGHUP)      # runsvdir(8)


def daemontools_argv(run, member, count):
    return ["svscan", services(run, member, count)]


def script_argv(run, member, count):
    return ["svscan", services(run, member, count, script=True)]


def daemontools_stop(run, process):
    """Without svscan, which would start anew what svc ends."""
    process.terminate()
    above = run.path("services")
    subprocess.run(
        ["svc", "-dx", *(os.path.join(above, name)
                         for name in os.listdir(above))],
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


SUPERVISORD = """\
[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0
pidfile={directory}/supervisord.pid
minfds={descriptors}
[program:c]
command={member}
process_name=%(process_num)d
numprocs={count}
autorestart=true
startretries=1000000
redirect_stderr=true
stdout_logfile=NONE
"""


def supervisord_argv(run, member, count):
    path = run.path("supervisord.conf")
    with open(path, "w") as file:
        file.write(SUPERVISORD.format(
            directory=run.directory, count=count,
            descriptors=3 * count + 100,
            member=member))
    return ["supervisord", "-c", path]


BARE = Peer("bare vfork, exec, wait", "sh", loop(), limit=True)
LED = Peer("bare, a leader for each incarnation", "sh", loop("-l"),
           limit=True)
SCRIPT = Peer("daemontools, a script", "svscan", script_argv, "daemontools",
              daemontools_stop, most=1000)


def all_peers(settings):
    """Ours first, then the others, the limit last."""
    ours = [
        Peer("grouper", settings.grouper, tree(), descriptors=4,
             own=True),
        Peer("grouper, log: inherit", settings.grouper,
             tree("log: inherit"), descriptors=2, own=True),
        Peer("grouper, depends_on: []", settings.grouper,
             tree("log: inherit", "depends_on: []"), descriptors=2,
             own=True),
    ]
    others = [
        Peer("daemontools", "svscan", daemontools_argv, "daemontools",
             daemontools_stop, most=1000),
        Peer("s6", "s6-svscan", s6_argv, "s6"),
        Peer("runit", "runsvdir", runit_argv, "runit", runit_stop,
             most=1000),
        Peer("supervisord", "supervisord", supervisord_argv, "supervisor"),
    ]
    return ours + others + [BARE]


def installed(peers, report):
    """Those that are; the others are named."""
    chosen = []
    for peer in peers:
        if peer.path() is None:
            report.text("", f"Skipped: {peer.name}: not installed "
                        f"({peer.package or peer.program})")
        else:
            chosen.append(peer)
    return chosen


class Running:
    """A supervisor with its children, from its start to proven empty."""

    def __init__(self, peer, user, settings, count, life=None,
                 program="bench_member"):
        self.peer = peer
        self.count = count
        self.member = settings.program(program)
        self.run = benchlib.Run(user)
        self.marks_path = self.run.path("marks")
        self.run.environment["BENCH_MARKS"] = self.marks_path
        if life is not None:
            self.run.environment["BENCH_LIFE"] = str(life)
        with open(self.marks_path, "w"):
            pass
        os.chmod(self.marks_path, 0o666)
        argv = peer.argv(self.run, self.member, count)
        if peer.own:
            argv = [settings.grouper, *argv]
        self.began = time.monotonic_ns()
        self.process = self.run.start(argv)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.run.close()
        self.process.poll()

    def marks(self):
        """(start, end) of each incarnation, by CLOCK_MONOTONIC in ns."""
        text = benchlib.read_file(self.marks_path)
        return sorted(MARK.iter_unpack(text[:len(text) // MARK.size
                                            * MARK.size]))

    def await_all(self, seconds):
        """Nanoseconds from our start to that of the last child."""
        size = MARK.size * self.count
        benchlib.await_true(
            lambda: os.stat(self.marks_path).st_size >= size
            or self.process.poll() is not None, seconds)
        marks = self.marks()
        if len(marks) < self.count:
            raise benchlib.Invalid(
                f"{self.peer.name}: {len(marks)} of {self.count} children "
                f"were started in {seconds} s")
        return marks[-1][0] - self.began

    def latencies(self):
        """Of a single child: from each end to the next start."""
        marks = self.marks()
        return [after[0] - before[1]
                for before, after in zip(marks, marks[1:])]

    def supervisors(self):
        """Pids of all but the children."""
        def is_child(pid):
            try:
                return os.readlink(f"/proc/{pid}/exe") == self.member
            except OSError:
                return False
        return [pid for pid in self.run.processes() if not is_child(pid)]

    def stop(self):
        """Nanoseconds from the request until nothing is left.

        We are a subreaper: nothing is left when we have no child.
        """
        began = time.monotonic_ns()
        self.peer.stop(self.run, self.process)
        deadline = time.monotonic() + STOP_WITHIN
        with contextlib.suppress(ChildProcessError):
            while time.monotonic() < deadline:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    time.sleep(0.0005)
                elif pid == self.process.pid:
                    self.process.returncode = \
                        os.waitstatus_to_exitcode(status)
            raise benchlib.Invalid(
                f"{self.peer.name}: not empty {STOP_WITHIN} s after it was "
                "asked to stop")
        return time.monotonic_ns() - began
