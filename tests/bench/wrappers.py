# SPDX-License-Identifier: ISC
"""The wrappers that are compared: grouper, and what is used in its place."""

import atexit
import dataclasses
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

import benchlib


@dataclasses.dataclass
class Wrapper:
    """How to start a command under something.

    argv(run, command) is the command line; it may write files into the
    run's directory first.  program is what has to be installed, package the
    Debian package it is in.
    """

    name: str
    program: str
    argv: object
    package: str = ""
    level: str | None = None        # of grouper

    def path(self):
        return shutil.which(self.program, path=benchlib.SEARCH_PATH)


def prefix(*words):
    return lambda run, command: [*words, *command]


def write_service(run, command, files=()):
    """A service directory as s6 and runit have it."""
    directory = run.path("service")
    os.mkdir(directory)
    script = os.path.join(directory, "run")
    with open(script, "w") as file:
        file.write("#!/bin/sh\nexec " + shlex.join(command) + "\n")
    os.chmod(script, 0o755)
    for name, text in files:
        with open(os.path.join(directory, name), "w") as file:
            file.write(text)
    if run.user.uid is not None:
        os.chown(directory, run.user.uid, run.user.uid)
    return directory


def s6_argv(run, command):
    # The same patience as the others have: 2 s, then KILL.
    directory = write_service(run, command, [("timeout-kill", "2000\n")])
    return ["s6-supervise", directory]


def runit_argv(run, command):
    return ["runsv", write_service(run, command)]


SUPERVISORD = """\
[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0
pidfile={directory}/supervisord.pid
[program:command]
command={command}
stopwaitsecs=2
stopasgroup=true
killasgroup=true
stdout_logfile=/dev/null
stderr_logfile=/dev/null
"""


def supervisord_argv(run, command):
    path = run.path("supervisord.conf")
    with open(path, "w") as file:
        file.write(SUPERVISORD.format(
            directory=run.directory,
            command=shlex.join(command).replace("%", "%%")))
    return ["supervisord", "-c", path]


BARE = Wrapper("bare", "sh", prefix())

LIGHT = [
    Wrapper("tini -s", "tini", prefix("tini", "-s", "--"), "tini"),
    Wrapper("tini-static -s", "tini-static",
            prefix("tini-static", "-s", "--"), "tini"),
    Wrapper("dumb-init", "dumb-init", prefix("dumb-init", "--"),
            "dumb-init"),
    Wrapper("catatonit", "catatonit", prefix("catatonit", "--"),
            "catatonit"),
    Wrapper("timeout", "timeout",
            prefix("timeout", "-k", "2", "300"), "coreutils"),
    Wrapper("unshare -Upf --kill-child", "unshare",
            prefix("unshare", "-Upf", "--kill-child", "--"), "util-linux"),
]

TINI_GROUP = Wrapper("tini -s -g", "tini",
                     prefix("tini", "-s", "-g", "--"), "tini")

SUPERVISORS = [
    Wrapper("s6-supervise", "s6-supervise", s6_argv, "s6"),
    Wrapper("runsv", "runsv", runit_argv, "runit"),
    Wrapper("supervisord", "supervisord", supervisord_argv, "supervisor"),
]


def grouper(path, level, *options, name=""):
    return Wrapper(
        name or f"grouper, {level}", path,
        prefix(path, "run", "--contain", level, *options, "--"),
        level=level)


LEVELS = ["reaper", "cgroup", "pidns"]


def grouper_levels(path, *options):
    return [grouper(path, level, *options) for level in LEVELS]


def find_grouper(path):
    """The binary itself: a libtool script would be what is measured."""
    path = os.path.abspath(path)
    try:
        with open(path, "rb") as file:
            script = file.read(2) == b"#!"
    except OSError:
        return path
    behind = os.path.join(os.path.dirname(path), ".libs",
                          os.path.basename(path))
    return behind if script and os.access(behind, os.X_OK) else path


def installed(path):
    """A copy, as install(1) makes one; removed at the end.

    The linker writes a file in small pieces, and in pieces as small it is
    mapped: 0.05 ms of what `grouper run` takes to start.
    """
    directory = tempfile.mkdtemp(prefix="grouper-bench-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    os.chmod(directory, 0o755)
    try:
        return shutil.copy(path, directory)
    except OSError as error:
        sys.exit(f"run: {error}")


def call(run, argv):
    """Runs argv to its end: exit status and what it said."""
    process = run.start(argv, stderr=subprocess.PIPE,
                        stdout=subprocess.PIPE, text=True)
    try:
        out, err = process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        return None, process.communicate()[1]
    return process.returncode, err or out


# The second shows that the status is the command's.
PROBES = [(["true"], 0), (["sh", "-c", "exit 7"], 7)]


def unusable(wrapper, user):
    """Why a wrapper cannot be measured here as this user, or None.

    A wrapper that starts but does not hand on the command's status is not
    passed over: that is Invalid.
    """
    if wrapper.path() is None:
        return f"not installed ({wrapper.package or wrapper.program})"
    if wrapper in SUPERVISORS:
        return None
    for command, expected in PROBES:
        with benchlib.Run(user) as run:
            status, text = call(run, wrapper.argv(run, command))
        if status == expected:
            continue
        text = " ".join(text.split()) or "no message"
        if wrapper.level not in (None, "reaper") and status == 125:
            return text
        if wrapper.level is None and expected == 0:
            return text
        raise benchlib.Invalid(
            f"{wrapper.name} as {user.name}: exit status {status} for "
            f"{' '.join(command)}, not {expected}: {text}")
    return None


def usable(candidates, user, report):
    """Those that can be measured; the others are named."""
    chosen = []
    for wrapper in candidates:
        try:
            why = unusable(wrapper, user)
        except benchlib.Invalid as invalid:
            report.fault(str(invalid))
            continue
        if why is None:
            chosen.append(wrapper)
        else:
            report.text("", f"Skipped: {wrapper.name}: {why}")
    return chosen
