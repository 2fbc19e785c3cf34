"""The contract's lines: what a connection starts with, asks and replies, jobs and their reports."""

import json
import os
import threading

from ends import end
from job import Setup, Unsupported, describe
from stream import Stream

# Version of the peer contract.
VERSION = 2
# The most octets of a line.
LONGEST = 4 << 20
# How long a connection may take to its first line, and one of a job that names no deadline; in seconds.
PATIENCE = 10


class Job:
    """One end of one cell, and the reports of its connections."""

    def __init__(self, side, setup):
        self.run = end(side, setup)
        self.deadline = PATIENCE if setup.deadline_ms is None else setup.deadline_ms / 1000
        self.reports = {}
        self.open = 0


class Peer:
    """The jobs of all control connections."""

    def __init__(self, exits):
        self.exits = exits
        self.held = False
        self.jobs = {}
        self.changed = threading.Condition()

    def exit_unless_held(self):
        if not self.held:
            os._exit(0)

    def serve(self, connection):
        """Reads the first line of a connection and does what it asks for."""
        with connection:
            try:
                self._serve(connection)
            except OSError:
                pass  # Whoever has asked is gone.

    def _serve(self, connection):
        lines = Lines(connection)
        try:
            connection.settimeout(PATIENCE)
            line = lines.read()
            if line is None:
                return
            connection.settimeout(None)
            first = parse(line)
            if first.get("open") == "control" and set(first) == {"open", "reqmtls"}:
                serve = None
            elif first.get("open") == "tls" and set(first) == {"open", "reqmtls", "job", "connection"}:
                serve = self.open(first["job"], first["connection"])
            else:
                raise ValueError(f"got {short(line)}, expected control, or tls with job and connection")
            if type(first["reqmtls"]) is not int or first["reqmtls"] != VERSION:
                raise ValueError(f"got version {first['reqmtls']!r} of the contract, expected {VERSION}")
        except (ValueError, RecursionError) as error:
            lines.write(failure(error))
            return
        if serve is None:
            self.control(lines)
        else:
            self.tls(lines, *serve)

    def open(self, name, number):
        """Registers a connection of a job."""
        if type(name) is not str or type(number) is not int or not 0 <= number < 1 << 32:
            raise ValueError(f"got job {name!r} and connection {number!r}, expected an id and a number")
        with self.changed:
            job = self.jobs.get(name)
            if job is None:
                raise ValueError(f"got job {name!r}, expected a prepared one")
            if number in job.reports:
                raise ValueError(f"got connection {number} of job {name!r} a second time")
            job.reports[number] = {"outcome": "broken", "key_log": []}
            job.open += 1
            return job, number

    def tls(self, lines, job, number):
        report = job.reports[number]
        try:
            lines.write({"reply": "open"})
            stream = Stream(lines.connection, lines.rest(), job.deadline)
            try:
                job.run(number, stream, report)
            finally:
                stream.finish()
        finally:
            with self.changed:
                job.open -= 1
                self.changed.notify_all()

    def control(self, lines):
        """Answers asks until the connection ends; its jobs end with it."""
        own, holds = [], False
        try:
            while True:
                try:
                    line = lines.read()
                except ValueError as error:
                    lines.write(failure(error))
                    return
                if line is None:
                    return
                try:
                    reply = self.reply(parse(line), own)
                    if reply["reply"] == "held":
                        holds = holds or self.hold()
                except Unsupported as lacking:
                    reply = {"reply": "unsupported", "capability": str(lacking)}
                except (ValueError, RecursionError) as error:
                    reply = failure(error)
                lines.write(reply)
        finally:
            with self.changed:
                for name in own:
                    self.jobs.pop(name, None)
            if holds and self.exits:
                os._exit(0)

    def hold(self):
        """The first connection that asks holds the peer, and no other: who could ask too could end it."""
        with self.changed:
            if self.held:
                raise ValueError("got hold, which another connection has asked before")
            self.held = True
        return True

    def reply(self, ask, own):
        kind = ask.get("ask")
        if kind == "describe" and len(ask) == 1:
            return {"reply": "description", "reqmtls": VERSION, **describe()}
        if kind == "hold" and len(ask) == 1:
            return {"reply": "held"}
        if kind == "prepare" and set(ask) == {"ask", "job"}:
            own.append(self.prepare(ask["job"]))
            return {"reply": "prepared"}
        if kind == "report" and set(ask) == {"ask", "job"}:
            return self.report(ask["job"])
        raise ValueError(f"got ask {kind!r}, expected describe, hold, or prepare or report with a job")

    def prepare(self, job):
        if type(job) is not dict or set(job) != {"id", "side", "setup"}:
            raise ValueError("got a job that is not one of id, side and setup")
        name, side = job["id"], job["side"]
        if type(name) is not str or side not in ("client", "server"):
            raise ValueError(f"got job {name!r} of side {side!r}, expected text, and client or server")
        prepared = Job(side, Setup(side, job["setup"]))
        with self.changed:
            if name in self.jobs:
                raise ValueError(f"got job {name!r} a second time, expected a new id")
            self.jobs[name] = prepared
        return name

    def report(self, name):
        """Ends a job, once its connections have ended."""
        with self.changed:
            job = self.jobs.pop(name, None) if type(name) is str else None
            if job is None:
                raise ValueError(f"got job {name!r}, expected a prepared one")
            self.changed.wait_for(lambda: job.open == 0)
        return {"reply": "report", "connections": [job.reports[number] for number in sorted(job.reports)]}


class Lines:
    """A connection, line by line."""

    def __init__(self, connection):
        self.connection = connection
        self.buffer = bytearray()

    def read(self):
        """A line; None at the end of the stream."""
        looked = 0
        while (end := self.buffer.find(b"\n", looked)) < 0 and len(self.buffer) < LONGEST:
            looked = len(self.buffer)
            octets = self.connection.recv(65536)
            if not octets and self.buffer:
                raise ValueError("got a line without end")
            if not octets:
                return None
            self.buffer += octets
        if not 0 <= end < LONGEST:
            raise ValueError(f"got a line of more than {LONGEST} octets")
        line = bytes(self.buffer[:end])
        del self.buffer[:end + 1]
        return line

    def rest(self):
        """What came behind the lines."""
        return bytes(self.buffer)

    def write(self, value):
        self.connection.sendall(json.dumps(value).encode() + b"\n")


def parse(line):
    """One JSON object, of which no name stands twice."""
    def once(pairs):
        if len({name for name, _ in pairs}) < len(pairs):
            raise ValueError(f"got a name twice in {short(line)}")
        return dict(pairs)

    value = json.loads(line.decode(), object_pairs_hook=once)
    if type(value) is not dict:
        raise ValueError(f"got {short(line)}, expected an object")
    return value


def failure(error):
    return {"reply": "error", "message": str(error) or type(error).__name__}


def short(line):
    return repr(line[:80].decode(errors="replace"))
