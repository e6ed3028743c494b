#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
#
# A worker with nothing but Python's standard library: as worker.c, on the
# frames of its two pipes.  See "PIPES" in grouper-protocol(7).
#
#	$ grouper spawn --messages -- ./worker.py
#	$ grouper publish job work hello

import os
import sys

# The variables are removed, and Python makes what it opens close-on-exec, so
# that no child reads what is this process's.
down = os.fdopen(int(os.environ.pop("GROUPER_EVENTS_FD")), "rb")
up = os.fdopen(int(os.environ.pop("GROUPER_COMMANDS_FD")), "wb")
os.set_inheritable(down.fileno(), False)
os.set_inheritable(up.fileno(), False)


def say(header, payload=None):
    """Writes one frame in one piece."""
    frame = header.encode() + b"\n"
    if payload is not None:
        frame += payload + b"\n"
    up.write(frame)
    up.flush()


def publish(topic, event, payload=b""):
    say(f"P {topic} {event} {len(payload)}", payload)


def frames():
    """Each frame as its letter, its fields, and the payload of an event."""
    for line in down:
        letter, *fields = line.split()  # names hold no blanks
        payload = b""
        if letter == b"E":
            length = int(fields[-1])
            payload = down.read(length + 1)[:length]
        yield letter, fields, payload


jobs = 0
say("S job")
for letter, fields, payload in frames():
    if letter == b"R":
        # The subscription holds: whoever hears this may send jobs.
        publish("result", "ready")
    elif letter == b"L":
        print("too slow:", int(fields[0]), "jobs were lost", file=sys.stderr)
    elif fields[2] == b"work":
        publish("result", "done", payload.upper())
        jobs += 1
    elif fields[2] == b"stop":
        break
print(jobs, "jobs done")
