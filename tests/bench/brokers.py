# SPDX-License-Identifier: ISC
"""What carries messages: grouper, and what is used in its place.

Each server is private to one measurement, listens on a socket in the run's
directory or on a free port of this machine, keeps nothing on a disk and
drops nobody who is slow; the rest is as it comes.
"""

import dataclasses
import os
import resource
import shutil
import socket

import benchlib

START_WITHIN = 60
DESCRIPTORS = 20000

# The publisher is not answered (CLIENT REPLY OFF), and Redis never
# disconnects subscribers who are behind.  I/O threads are for four or more
# processors that have nothing else to do.
REDIS = """\
port 0
unixsocket {address}
tcp-backlog 4096
maxclients 10000
save ""
appendonly no
client-output-buffer-limit pubsub 0 0 0
dir {directory}
"""

# As many may wait for a subscriber as memory holds; nobody is asked whether
# he is still there.
NATS = """\
listen: "127.0.0.1:{address}"
max_connections: 10000
max_pending: 4GB
write_deadline: "60s"
ping_interval: "1h"
ping_max: 1000
"""

# A Unix socket costs less than TCP; no queue has a limit.
MOSQUITTO = """\
listener 0 {address}
user {user}
allow_anonymous true
persistence false
max_queued_messages 0
max_queued_bytes 0
max_inflight_messages 0
set_tcp_nodelay true
sys_interval 0
connection_messages false
log_dest none
"""

# Members of one kind, and one more that publishes.
TREE = """\
name: bench
children:
  - {{id: m, command: [{program}, member, grouper, {shared}],
     instances: {count}, {messages}, restart: temporary, log: inherit}}
  - {{id: p, command: [{program}, publish, grouper, {shared}],
     messages: true, restart: temporary, log: inherit}}
"""

# The same with members that never read.
STALLED = """\
  - {{id: s, command: [{program}, stall, grouper, {shared}],
     instances: {stalled}, topics: ["room:0"], restart: temporary,
     log: inherit}}
"""


@dataclasses.dataclass
class System:
    """Something that carries messages.

    start(session) starts all of it, members and publisher included; program
    is what has to be installed, package the Debian package it is in.
    """

    name: str
    program: str
    start: object
    package: str = ""

    def path(self):
        return shutil.which(self.program, path=benchlib.SEARCH_PATH)


def write(session, name, text):
    path = session.run.path(name)
    with open(path, "w") as file:
        file.write(text)
    return path


def spawn(session, argv):
    """Starts a part of a session, with as many descriptors as it may.

    Each in a session of the kernel's, too: see member_fork().
    """
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    session.processes.append(session.run.start(
        argv, limits={resource.RLIMIT_NOFILE: min(most, DESCRIPTORS)},
        start_new_session=True))


def clients(session, roles, wire, address, program="bench_messages"):
    for role in roles:
        spawn(session, [session.settings.program(program), role, wire,
                        session.shared.path, address])


def start_grouper(session, stalled=0):
    words = {
        "program": session.settings.program("bench_messages"),
        "shared": session.shared.path, "count": session.cell.members,
        "messages": "messages: true" if session.cell.mixed
        else 'topics: ["room:0"]', "stalled": stalled}
    text = TREE + (STALLED if stalled > 0 else "")
    path = write(session, "tree.yaml", text.format(**words))
    spawn(session, [session.settings.grouper, "supervise", "-q", path])


def can_connect(family, address):
    def check():
        with socket.socket(family, socket.SOCK_STREAM) as client:
            return client.connect_ex(address) == 0
    return check


def start_server(session, argv, wire, family, address):
    """A server, and clients as soon as it can be connected to."""
    spawn(session, argv)
    session.await_true(can_connect(
        family, ("127.0.0.1", address) if family == socket.AF_INET
        else address), START_WITHIN, "the server cannot be reached")
    clients(session, ["members", "publish"], wire, str(address))


def start_redis(session):
    address = session.run.path("redis.sock")
    path = write(session, "redis.conf", REDIS.format(
        address=address, directory=session.run.directory))
    start_server(session, [session.system.path(), path], "redis",
                 socket.AF_UNIX, address)


def start_nats(session):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()[1]
    path = write(session, "nats.conf", NATS.format(address=address))
    start_server(session, [session.system.path(), "-c", path], "nats",
                 socket.AF_INET, address)


def start_mosquitto(session):
    address = session.run.path("mosquitto.sock")
    path = write(session, "mosquitto.conf", MOSQUITTO.format(
        address=address, user="nobody" if session.run.user.uid else "root"))
    start_server(session, [session.system.path(), "-c", path], "mqtt",
                 socket.AF_UNIX, address)


def start_zeromq(session):
    clients(session, ["publish", "members"], "zeromq",
            "ipc://" + session.run.path("zeromq.sock"), "bench_zeromq")


def start_bare(session):
    spawn(session, [session.settings.program("bench_messages"), "bare",
                    "grouper", session.shared.path])


def all_systems(settings):
    """Ours first, then the others, the limit last."""
    return [
        System("grouper", settings.grouper, start_grouper),
        System("Redis", "redis-server", start_redis, "redis-server"),
        System("NATS", "nats-server", start_nats, "nats-server"),
        System("Mosquitto", "mosquitto", start_mosquitto, "mosquitto"),
        System("ZeroMQ", settings.program("bench_zeromq"), start_zeromq,
               "libzmq3-dev"),
        System(BARE, settings.program("bench_messages"), start_bare),
    ]


BARE = "bare loop"
