"""The other end's octets, and the secrets that the library derives from them."""

import socket
import threading
import time

from tlslite import tlsconnection

# The library's label of a secret, and the key log's.
LABELS = {
    b"c hs traffic": "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    b"s hs traffic": "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    b"c ap traffic": "CLIENT_TRAFFIC_SECRET_0",
    b"s ap traffic": "SERVER_TRAFFIC_SECRET_0",
    b"exp master": "EXPORTER_SECRET",
}
# Record and message header and legacy_version stand before the random of a ClientHello.
RANDOM = slice(11, 43)

# The stream and the report of the connection that a thread runs.
running = threading.local()


class Stream:
    """A socket that fails once the connection's deadline has passed, and that the library does not close."""

    def __init__(self, connection, octets, seconds):
        self.socket = connection
        self.buffer = octets
        self.deadline = time.monotonic() + seconds
        self.received, self.sent = bytearray(), bytearray()

    def wait(self):
        rest = self.deadline - time.monotonic()
        if rest <= 0:
            raise TimeoutError("the deadline has passed")
        self.socket.settimeout(rest)

    def recv(self, length):
        if not self.buffer:
            self.wait()
            self.buffer = self.socket.recv(max(length, 4096))
            note(self.received, self.buffer)
        octets, self.buffer = self.buffer[:length], self.buffer[length:]
        return octets

    def unread(self, octets):
        """Has these octets come again, before all others."""
        self.buffer = bytes(octets) + self.buffer

    def send(self, octets):
        self.wait()
        length = self.socket.send(octets)
        note(self.sent, octets[:length])
        return length

    def sendall(self, octets):
        self.wait()
        note(self.sent, octets)
        self.socket.sendall(octets)

    def close(self):
        """What the library calls when it is done; finish is what closes."""

    def finish(self):
        """Sends the end of the stream, and reads to the end of the other's: a reset would swallow an alert."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
            self.buffer = b""
            while self.recv(65536):
                self.buffer = b""
        except OSError:
            pass  # The other end is gone, or the deadline has passed.


def note(octets, more):
    octets += more[:RANDOM.stop - len(octets)]


def observe(stream, report, is_client):
    """Has this thread's secrets written into a report's key log."""
    running.hello = stream.sent if is_client else stream.received
    running.lines = report["key_log"]


def log(label, secret):
    running.lines.append(f"{label} {running.hello[RANDOM].hex()} {secret.hex()}")


def derive_secret(secret, label, *rest, derive=tlsconnection.derive_secret):
    derived = derive(secret, label, *rest)
    if label := LABELS.get(bytes(label)):
        log(label, derived)
    return derived


# The library has no key log. Its connections look this function up in their module; what it returns is unchanged.
tlsconnection.derive_secret = derive_secret
