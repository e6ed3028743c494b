# SPDX-License-Identifier: ISC
"""Messages from one publisher to many members, each of them verified.

The members and the publisher are the same programs whatever carries their
messages: processes of their own that count in shared memory what came.
"""

import dataclasses
import itertools
import mmap
import os
import statistics
import struct
import time

import benchlib
import brokers

NAME = "messages"
ROUNDS = 3
START_WITHIN = 90
DRAIN_WITHIN = 20               # some of what is left comes
END_WITHIN = 10
WARM_UP = 0.3
WINDOW = 1 << 18                # bytes of payload that a member may be behind
RATE = 200                      # messages a second, to look at latencies
RATE_OF_MANY = 20               # with a thousand members or more
MANY = 1000
PAYLOADS = [64, 4096]
COLUMNS = ["user", "topics", "payload", "members", "by", "deliveries_a_s",
           "p50_us", "p99_us"]

# Bounds: deliveries of grouper to those of the best of the others, by members
FACTORS = {100: 1.5, 1000: 3}
LATENCY_AT = [10, 100]

# Of struct shared, bench_message.h
WORDS = ["phase", "nmembers", "ntopics", "payload_size", "window",
         "interval", "limit", "claimed", "ready", "running", "published",
         "deliveries", "nsamples", "failed"]
ERROR_AT, ERROR_SIZE = 512, 512
RECEIVED_AT, RECEIVED_STRIDE, MEMBERS_MAX = 1024, 64, 4000
SAMPLES_AT = RECEIVED_AT + RECEIVED_STRIDE * MEMBERS_MAX
SAMPLES_MAX = 400000
SHARED_SIZE = SAMPLES_AT + 4 * SAMPLES_MAX
IDLE, PACED, FULL, QUIT = range(4)

# What a host may take for messages, runtime/relay/relay.h: the budget for
# logs, and of the publisher's uplink a frame and two pipes' content.
BUDGET = 64 << 20
UPLINK = (1 << 20) + 1025 + 2 * 65536
STALLED = 1000
BROADCAST = 1 << 30


@dataclasses.dataclass(frozen=True)
class Cell:
    members: int
    payload: int
    mixed: bool

    def __str__(self):
        return (f"{self.members} members, {self.payload} bytes, "
                f"{'10 of 100 topics' if self.mixed else 'one topic'}")

    def rate(self):
        return RATE if self.members < MANY else RATE_OF_MANY


@dataclasses.dataclass
class Sample:
    rate: float                 # deliveries a second
    per_cpu: float              # and a second of processor time
    median: float               # latency in ns
    late: float                 # its 99th percentile


class Shared:
    """The memory that all programs of a session map."""

    def __init__(self, path, cell):
        self.path = path
        with open(path, "w+b") as file:
            file.truncate(SHARED_SIZE)
            self.memory = mmap.mmap(file.fileno(), SHARED_SIZE)
        os.chmod(path, 0o666)
        self.words = memoryview(self.memory).cast("Q")
        self["nmembers"] = cell.members
        self["ntopics"] = 100 if cell.mixed else 1
        self["payload_size"] = cell.payload
        self["window"] = WINDOW // cell.payload
        first = RECEIVED_AT // 8
        self.received = self.words[
            first:first + cell.members * RECEIVED_STRIDE // 8:
            RECEIVED_STRIDE // 8]

    def __getitem__(self, name):
        return self.words[WORDS.index(name)]

    def __setitem__(self, name, value):
        self.words[WORDS.index(name)] = value

    def error(self):
        text = self.memory[ERROR_AT:ERROR_AT + ERROR_SIZE]
        return text.partition(b"\0")[0].decode(errors="replace")

    def delivered(self):
        return sum(self.received)

    def samples(self):
        count = min(self["nsamples"], SAMPLES_MAX)
        return sorted(struct.unpack_from(f"{count}I", self.memory,
                                         SAMPLES_AT))


class Session:
    """A system with its members, from its start to proven empty."""

    def __init__(self, system, user, settings, cell, start=None):
        self.system = system
        self.settings = settings
        self.cell = cell
        self.processes = []
        self.run = benchlib.Run(user)
        self.start = start or system.start

    def __enter__(self):
        try:
            self.shared = Shared(self.run.path("shared"), self.cell)
            self.start(self)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.shared["phase"] = QUIT
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            if benchlib.await_exit(process, END_WITHIN) is None:
                process.kill()
        self.run.close()

    def descendants(self):
        """Pids of all processes; Redis overwrites its environment."""
        parents = {pid: int(fields[1]) for pid in benchlib.process_ids()
                   if (fields := benchlib.stat_fields(pid)) is not None}
        found = {process.pid for process in self.processes}
        count = 0
        while count < len(found):
            count = len(found)
            found |= {pid for pid, parent in parents.items()
                      if parent in found}
        return found

    def check(self):
        if self.shared["failed"]:
            raise benchlib.Invalid(f"{self.system.name}, {self.cell}: "
                                   f"{self.shared.error()}")
        for process in self.processes:
            if process.poll() is not None:
                raise benchlib.Invalid(
                    f"{self.system.name}, {self.cell}: a process ended "
                    f"with {process.returncode}")

    def await_true(self, condition, seconds, what):
        """Until condition(); Invalid if it fails, or something else does."""
        def look():
            self.check()
            return condition()
        if not benchlib.await_true(look, seconds, 0.01):
            raise benchlib.Invalid(
                f"{self.system.name}, {self.cell}: {what} ({seconds} s)")

    def await_ready(self, count):
        self.await_true(lambda: self.shared["ready"] >= count,
                        START_WITHIN, "not all members are subscribed")

    def publish(self, phase):
        self.shared["phase"] = phase
        self.await_true(lambda: self.shared["running"] == 1, START_WITHIN,
                        "the publisher does not start")

    def drain(self):
        """Until the publisher has ended and all has come."""
        shared = self.shared

        def is_drained():
            self.check()
            return (shared["running"] == 0
                    and shared.delivered() >= shared["deliveries"])

        before = -1
        while not is_drained():
            if shared.delivered() == before:
                raise benchlib.Invalid(
                    f"{self.system.name}, {self.cell}: "
                    + ("the publisher does not end" if shared["running"] else
                       f"{shared['deliveries'] - before} messages were lost"))
            before = shared.delivered()
            benchlib.await_true(is_drained, DRAIN_WITHIN, 0.01)
        if shared.delivered() != shared["deliveries"]:
            raise benchlib.Invalid(f"{self.system.name}, {self.cell}: more "
                                   "came than was published")

    def latency(self, seconds):
        self.shared["interval"] = int(1e9 / self.cell.rate())
        self.publish(PACED)
        time.sleep(seconds)
        self.shared["phase"] = IDLE
        self.drain()
        samples = self.shared.samples()
        if not samples:
            raise benchlib.Invalid(f"{self.system.name}, {self.cell}: no "
                                   "message came")
        return samples[len(samples) // 2], samples[len(samples) * 99 // 100]

    def throughput(self, seconds):
        """Deliveries in a second, and in a second of processor time."""
        clocks = [cpu_clock(pid) for pid in self.descendants()]
        self.publish(FULL)
        time.sleep(min(WARM_UP, seconds))
        before = self.sample(clocks)
        time.sleep(seconds)
        after = self.sample(clocks)
        self.shared["phase"] = IDLE
        self.drain()
        count, wall, cpu = (one - other for one, other
                            in zip(after, before))
        if count == 0:
            raise benchlib.Invalid(f"{self.system.name}, {self.cell}: "
                                   f"nothing came in {seconds} s")
        return count / wall, count / cpu

    def sample(self, clocks):
        self.check()
        return (self.shared.delivered(), time.monotonic(),
                sum(map(time.clock_gettime, clocks)))


def cpu_clock(pid):
    """The clock of clock_getcpuclockid(3): exact, unlike what stat says."""
    return ~pid << 3 | 2


def measure_once(system, user, settings, cell):
    with Session(system, user, settings, cell) as session:
        session.await_ready(cell.members)
        median, late = session.latency(settings.message_seconds * 4 / 3)
        rate, per_cpu = session.throughput(settings.message_seconds)
    return Sample(rate, per_cpu, median, late)


def measure(systems, user, settings, cell, report):
    """A median sample per system; they take turns, who fails has none."""
    samples = {system.name: [] for system in systems}
    failed = set()
    for _ in range(min(ROUNDS, settings.repeats)):
        for system in systems:
            if system.name in failed:
                continue
            try:
                samples[system.name].append(measure_once(
                    system, user, settings, cell))
            except (benchlib.Invalid, OSError) as invalid:
                failed.add(system.name)
                report.fault(f"messages, {user.name}: {invalid}")
    return {name: Sample(*(statistics.median(column) for column
                           in zip(*map(dataclasses.astuple, taken))))
            for name, taken in samples.items() if name not in failed}


def verdicts(cell, samples):
    """Whether grouper keeps each bound.

    (text for the table, claim, ratio, bound, whether that is the least)
    """
    ours = samples.get("grouper")
    bare = samples.get(brokers.BARE)
    others = [sample for name, sample in samples.items()
              if name not in ("grouper", brokers.BARE)]
    if ours is None:
        return
    if bare is not None:
        yield ("{:.2f} of the loop", "deliveries, of the bare loop's",
               ours.rate / bare.rate, 1, True)
    if not others:
        return
    factor = FACTORS.get(cell.members)
    best = max(sample.rate for sample in others)
    if factor is not None:
        yield ("{:.2f} of the best", "deliveries to "
               f"{cell.members} members, of the best of the others",
               ours.rate / best, factor, True)
    if cell.members in LATENCY_AT:
        for name in "median", "late":
            best = min(getattr(sample, name) for sample in others)
            mine = getattr(ours, name)
            label = "p50" if name == "median" else "p99"
            yield (label + " {:.2f}", f"latency, {label}, of the best of "
                   "the others", mine / best, 1, False)


def judge(cell, samples, user, report):
    for _, claim, ratio, bound, is_least in verdicts(cell, samples):
        if is_least:
            report.at_least(claim, f"{cell}, {user.name}", ratio, bound)
        else:
            report.at_most(claim, f"{cell}, {user.name}", ratio, bound)


def figures(cell, samples, user):
    """Rows of COLUMNS."""
    for name, sample in samples.items():
        yield (user.name, "mixed" if cell.mixed else "one", cell.payload,
               cell.members, name, f"{sample.rate:.0f}",
               f"{sample.median / 1e3:.1f}", f"{sample.late / 1e3:.1f}")


def mark(text, kept):
    return text if kept else f"**{text}**"


def rows(cell, systems, samples):
    judged = [(text.format(ratio),
               ratio >= bound if is_least else ratio <= bound)
              for text, _, ratio, bound, is_least
              in verdicts(cell, samples)]
    for system in systems:
        sample = samples.get(system.name)
        if sample is None:
            yield cell.members, system.name, *["**invalid**"] * 4, ""
            continue
        yield (cell.members, system.name, f"{sample.rate:,.0f}",
               f"{sample.per_cpu:,.0f}", f"{sample.median / 1e3:.0f}",
               f"{sample.late / 1e3:.0f}",
               ", ".join(itertools.starmap(mark, judged))
               if system.name == "grouper" else "")


def resident(pid, what):
    """Bytes of a process, by the name in its status."""
    for line in benchlib.read_file(f"/proc/{pid}/status").splitlines():
        if line.startswith(what + b":"):
            return int(line.split()[1]) << 10
    raise benchlib.Invalid(f"memory: no {what.decode()} of {pid}")


def memory(user, settings, report):
    """What the host takes while a thousand members do not read."""
    cell = Cell(1, 4096, False)
    system = brokers.all_systems(settings)[0]
    try:
        with Session(system, user, settings, cell,
                     lambda session: brokers.start_grouper(
                         session, STALLED)) as session:
            session.await_ready(STALLED + 1)
            host = session.processes[0].pid
            before = resident(host, b"VmRSS")
            session.shared["limit"] = BROADCAST // cell.payload
            session.publish(FULL)
            session.drain()
            grown = resident(host, b"VmHWM") - before
    except benchlib.Invalid as invalid:
        report.fault(f"messages, {user.name}, memory: {invalid}")
        return
    bound = BUDGET + UPLINK
    report.at_most("growth of the host while many do not read", user.name,
                   grown / (1 << 20), bound / (1 << 20), "MiB")
    report.text(
        "", f"Memory, as {user.name}: {STALLED} members that never read "
        f"and one that does, to whom 1 GiB was broadcast: the host grew by "
        f"{grown / (1 << 20):.1f} MiB, " + mark(
            f"{'within' if grown <= bound else 'beyond'} its bound of "
            f"{bound / (1 << 20):.1f} MiB", grown <= bound) + ".")
    if grown > bound:
        report.fault(f"messages, {user.name}: memory beyond its bound")


def usable(settings, report):
    systems = []
    for system in brokers.all_systems(settings):
        if system.path() is None:
            report.text("", f"Skipped: {system.name}: not installed "
                        f"({system.package or system.program})")
        else:
            systems.append(system)
    return systems


def run(user, settings, report):
    report.text(f"### As {user.name}")
    systems = usable(settings, report)
    for mixed, payload in itertools.product([False, True], PAYLOADS):
        table = []
        with benchlib.ForeignLoad() as load:
            for members in settings.members:
                cell = Cell(members, payload, mixed)
                began = time.monotonic()
                samples = measure(systems, user, settings, cell, report)
                table += rows(cell, systems, samples)
                judge(cell, samples, user, report)
                report.data(NAME, COLUMNS, figures(cell, samples, user))
                settings.note(f"{cell} took "
                              f"{time.monotonic() - began:.0f} s")
        report.text(
            "", f"{payload} bytes, each member on " +
            ("10 of 100 topics" if mixed else "one topic") + ", as "
            f"{user.name}; others used {load.share:.0%} of the processors:")
        report.table(["members", "by", "deliveries/s", "a CPU second",
                      "p50 µs", "p99 µs", "grouper is"], table)
    memory(user, settings, report)


def explain(settings, report):
    report.begin("Messages: from one publisher to many members")
    report.text(
        "Every member is a process that verifies of each message that it is "
        "the next of its topic; a system that loses one is invalid. The "
        "publisher, one more process, writes as much as it can, but is "
        f"never more than {WINDOW >> 10} KiB ahead of any member. Deliveries "
        "a CPU second count what all processes took: publisher, members and "
        "what is between. Latencies are those of single messages, "
        f"{RATE} a second, or {RATE_OF_MANY} to {MANY} members. The bare loop "
        "writes 64 messages at a time to the members' pipes: nothing is "
        "between. ZeroMQ's publisher makes no message that nobody is "
        "subscribed to; grouper's asks its library before each. Medians of "
        f"{min(ROUNDS, settings.repeats)}. In bold: where grouper delivers "
        "less than the loop, or than 1.5 times (100 members) or 3 times "
        "(1000) the best of the others, or where its latency is not below "
        "theirs (10 and 100).", "")
