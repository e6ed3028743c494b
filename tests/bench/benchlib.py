# SPDX-License-Identifier: ISC
"""What the benchmarks share: users, and processes found by a token.

A run of a wrapper carries a token of its own in its environment, by which
everything that descends from it is found in /proc, wherever it went.  The
benchmarks are a subreaper, so that what a wrapper leaves behind comes to
them and can be ended.
"""

import contextlib
import ctypes
import dataclasses
import os
import resource
import secrets
import shutil
import signal
import subprocess
import tempfile
import time

ORDINARY_USER = 65534
PR_SET_CHILD_SUBREAPER = 36
DESCRIPTORS = 65536
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Invalid(Exception):
    """A measurement that would mean nothing; says which and why."""


@dataclasses.dataclass
class User:
    """As whom wrappers run; uid None is whoever runs the benchmarks."""

    name: str
    uid: int | None = None
    cgroup: str | None = None   # a delegated cgroup v2 to start them in

    def popen(self, argv, **options):
        """Popen as this user, in the user's cgroup, with stdin null."""
        limits = options.pop("limits", {})

        def prepare():
            if self.cgroup is not None:
                with open(self.cgroup + "/cgroup.procs", "w") as procs:
                    procs.write("0")
            for limit, value in limits.items():
                resource.setrlimit(limit, (value, value))
            if self.uid is not None:
                os.setgroups([])
                os.setresgid(self.uid, self.uid, self.uid)
                os.setresuid(self.uid, self.uid, self.uid)

        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(argv, preexec_fn=prepare, **options)

    @contextlib.contextmanager
    def delegated(self):
        """This user inside a cgroup of its own, where there can be one.

        That is what a service manager gives to a unit with Delegate=yes.
        Without privilege, or cgroup v2, it is the same user outside one.
        """
        path = make_cgroup(self.uid)
        try:
            yield dataclasses.replace(self, cgroup=path)
        finally:
            if path is not None:
                remove_cgroup(path)


def own_cgroup():
    """Directory of the cgroup v2 this process is in, or None."""
    mount = own = None
    with open("/proc/self/mounts") as mounts:
        for line in mounts:
            fields = line.split()
            if fields[2] == "cgroup2":
                mount = mount or fields[1]
    with open("/proc/self/cgroup") as groups:
        for line in groups:
            if line.startswith("0::"):
                own = line[3:].rstrip("\n")
    return mount + own if mount and own else None


def make_cgroup(uid):
    above = own_cgroup()
    if above is None or os.geteuid() != 0:
        return None
    path = os.path.join(above, "bench-" + secrets.token_hex(4))
    try:
        os.mkdir(path)
    except OSError:
        return None
    for mark in "user.delegate", "trusted.delegate":
        with contextlib.suppress(OSError):
            os.setxattr(path, mark, b"1")
    if uid is not None:
        for name in ("", "cgroup.procs", "cgroup.threads",
                     "cgroup.subtree_control"):
            os.chown(os.path.join(path, name), uid, uid)
    return path


def remove_cgroup(path):
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            for below, _, _ in os.walk(path, topdown=False):
                os.rmdir(below)
            return
        time.sleep(0.05)


def become_subreaper():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_CHILD_SUBREAPER")


def allow_descriptors():
    """Lets whoever wants so many have them, where we may; who asks decides."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE,
                           (soft, max(hard, DESCRIPTORS)))


def in_memory_directory():
    """A directory on tmpfs if there is one: disks are not measured here."""
    shared = "/dev/shm"
    return shared if os.access(shared, os.W_OK | os.X_OK) else None


class ForeignLoad:
    """The share of all cpus that others than our children used meanwhile."""

    def __enter__(self):
        self.share = 0.0
        self.before = self.sample()
        return self

    def __exit__(self, *_):
        busy, total, own = (after - before for after, before
                            in zip(self.sample(), self.before))
        if total > 0:
            self.share = max(0.0, (busy - own) / total)

    @staticmethod
    def sample():
        """Seconds: of work and in all of every cpu, and of ours."""
        with open("/proc/stat") as stat:
            ticks = [int(field) for field in stat.readline().split()[1:9]]
        idle = ticks[3] + ticks[4]
        hertz = os.sysconf("SC_CLK_TCK")
        own = sum(usage.ru_utime + usage.ru_stime for usage in (
            resource.getrusage(resource.RUSAGE_CHILDREN),
            resource.getrusage(resource.RUSAGE_SELF)))
        return (sum(ticks) - idle) / hertz, sum(ticks) / hertz, own


class Run:
    """A token, a directory and an environment for one run of a wrapper."""

    def __init__(self, user):
        self.user = user
        self.token = "bench-" + secrets.token_hex(8)
        self.directory = tempfile.mkdtemp(prefix="grouper-bench-",
                                          dir=in_memory_directory())
        runtime = self.path("runtime")
        os.mkdir(runtime, 0o700)
        if user.uid is not None:
            for path in self.directory, runtime:
                os.chown(path, user.uid, user.uid)
        # Others, to whom a wrapper may change, write their marks here too.
        os.chmod(self.directory, 0o777)
        self.environment = {
            "PATH": SEARCH_PATH, "LANG": "C", "HOME": self.directory,
            "BENCH_TOKEN": self.token, "GROUPER_RUNTIME_DIR": runtime,
        }

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self, argv, **options):
        for stream in "stdout", "stderr":
            options.setdefault(stream, subprocess.DEVNULL)
        return self.user.popen(argv, env=self.environment,
                               cwd=self.directory, **options)

    def processes(self):
        return find_processes(self.token)

    def close(self):
        """Ends what is left of this run and removes its directory."""
        with open(self.path("end"), "w"):
            pass
        end_processes(self.token)
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def process_ids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def read_file(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def stat_fields(pid):
    """State, parent, ... of stat(5), or None; the name may hold spaces."""
    text = read_file(f"/proc/{pid}/stat")
    return text[text.rindex(b")") + 2:].split() if b")" in text else None


def carries(pid, token):
    """Whether a living process, or a thread of one, has the token.

    The main thread may have exited; then only its other threads have an
    environment to read.
    """
    for name in "environ", "cmdline":
        if token in read_file(f"/proc/{pid}/{name}"):
            return True
    fields = stat_fields(pid)
    if fields is None or fields[0] != b"Z" or fields[17] in (b"0", b"1"):
        return False
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return False
    return any(token in read_file(f"/proc/{pid}/task/{thread}/environ")
               for thread in threads)


def find_processes(token):
    token = token.encode()
    own = os.getpid()
    return [pid for pid in process_ids()
            if pid != own and carries(pid, token)]


def reap():
    """Waits for all that was orphaned and came to us, and has ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass


def end_processes(token):
    """Stops, then kills, so that what forks cannot outrun us."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        left = find_processes(token)
        for signo in signal.SIGSTOP, signal.SIGKILL:
            for pid in left:
                with contextlib.suppress(OSError):
                    os.kill(pid, signo)
        if not left:
            break
        reap()
    reap()


def private_kilobytes(pid):
    """Private pages, clean and dirty, and the dirty ones alone."""
    clean = dirty = 0
    text = read_file(f"/proc/{pid}/smaps_rollup").decode()
    for line in text.splitlines():
        if line.startswith("Private_Clean:"):
            clean = int(line.split()[1])
        elif line.startswith("Private_Dirty:"):
            dirty = int(line.split()[1])
    return clean + dirty, dirty


def context_switches(pid):
    """Of all threads, voluntary or not: each is a wake-up or follows one."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        text = read_file(f"/proc/{pid}/task/{thread}/status")
        for line in text.decode().splitlines():
            if "ctxt_switches" in line:
                total += int(line.split()[1])
    return total


def await_true(check, seconds, pause=0.002):
    """Looks until check() is true; its value, or a false one in the end."""
    deadline = time.monotonic() + seconds
    while True:
        value = check()
        if value or time.monotonic() >= deadline:
            return value
        time.sleep(pause)


def await_exit(process, seconds):
    """Exit status of a Popen, negative for a signal, or None."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def milliseconds(ns, digits=3):
    return f"{ns / 1e6:.{digits}f}"
