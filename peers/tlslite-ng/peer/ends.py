"""The two ends of a job: what a connection consists of."""

import json
import secrets
from hashlib import sha256

from tlslite.api import TLSConnection
from tlslite.constants import AlertDescription
from tlslite.errors import TLSAbruptCloseError, TLSAlert, TLSAuthenticationError, TLSError, TLSLocalAlert

from checker import CLIENT_AUTH, SERVER_AUTH, PathChecker
from flags import FlagConnection, Malformed, is_set, offers_tls13, peek
from stream import log, observe

REQUEST = b"who am i?\n"
# The most octets of an answer.
LONGEST = 4096


class Unexpected(Exception):
    """What the other end wrote is not what the contract asks for."""


class ClosedInstead(Exception):
    """The server has closed where its answer was due: there are servers that refuse a client so."""


def end(side, setup):
    """What runs the connections of one end."""
    return (Client if side == "client" else Server)(setup).run


class End:
    """What both sides have in common: a connection and what is reported of it."""

    def __init__(self, setup):
        self.setup = setup

    def run(self, number, stream, report):
        observe(stream, report, isinstance(self, Client))
        try:
            self.converse(number, stream, report)
            report["outcome"] = "completed"
        except (OSError, TLSAbruptCloseError, Unexpected) as error:
            report["error"] = repr(error)
        except Exception as error:
            # An alert, or whatever made the library give up.
            report["outcome"] = "refused"
            report["error"] = str(error) if isinstance(error, TLSError) else repr(error)
            if isinstance(error, TLSAlert) and error.description != AlertDescription.close_notify:
                report["alert_sent" if isinstance(error, TLSLocalAlert) else "alert_received"] = error.description

    def established(self, connection, handshake):
        """Completes a handshake. In TLS 1.2 the library shows its secret when it is done, even if it then refuses."""
        connection.closeSocket = False
        try:
            handshake()
        finally:
            session = connection.session
            if connection.version == (3, 3) and session and session.masterSecret:
                log("CLIENT_RANDOM", session.masterSecret)


class Client(End):
    """The client of a job; connection 1 offers the session of connection 0."""

    def __init__(self, setup):
        super().__init__(setup)
        self.settings = setup.settings()
        # By itself the library offers compress_certificate, and takes its own offer for the server's: it compresses
        # its Certificate, an empty one too, for servers that did not say that they can read that.
        self.settings.certificate_compression_receive = []
        self.checker = PathChecker(setup.anchors, SERVER_AUTH, setup.server_name)
        self.session = None

    def converse(self, number, stream, report):
        setup = self.setup
        sends = setup.tls_flags
        if number > 0 and setup.resumption is not None:
            sends = setup.resumption.get("tls_flags")
        session = self.session if setup.resumption is not None else None
        if sends is None and setup.flag is None:
            connection = TLSConnection(stream)
        else:
            sends = None if sends is None else bytes.fromhex(sends)
            connection = FlagConnection(stream, setup, sends, session)
            if sends is not None:
                report["tls_flags_sent"] = sends.hex()
        self.established(connection, lambda: connection.handshakeClientCert(
            setup.chain, setup.key, session=session, settings=self.settings, checker=self.checker,
            serverName=setup.server_name))
        report["resumed"] = connection.resumed
        # A resumed session of TLS 1.3 does not know whose it is; the one before does.
        known = connection.session.serverCertChain or session and session.serverCertChain
        if known:
            report["peer_certificate"] = fingerprint(known)
        connection.write(REQUEST)
        line = bytearray()
        while not line.endswith(b"\n"):
            octets = connection.read(1, 1)
            if not octets and not line:
                raise ClosedInstead("got close_notify, expected the server's answer")
            if not octets or len(line) > LONGEST:
                raise Unexpected(f"got {bytes(line)!r:.80}, expected a line with the server's answer")
            line += octets
        self.session = connection.session
        try:
            report["answer"] = json.loads(line.decode())
        except (ValueError, RecursionError) as error:
            raise Unexpected(f"got {bytes(line)!r:.80}, expected the server's answer") from error
        # Sends close_notify and waits for the server's.
        connection.close()


class Server(End):
    """The server of a job."""

    def __init__(self, setup):
        super().__init__(setup)
        requires = setup.policy.startswith("require")
        self.checkers = [PathChecker(setup.anchors, CLIENT_AUTH, is_required=asks and requires)
                         for asks in (False, True)]
        self.settings = [setup.settings(), setup.settings()]
        # Without keys the library gives no sessions. It gets one for all, or one for each decision to ask.
        self.settings[False].ticketKeys = [secrets.token_bytes(32)]
        is_separate = setup.sessions == "separate"
        self.settings[True].ticketKeys = [secrets.token_bytes(32)] if is_separate else self.settings[False].ticketKeys

    def converse(self, number, stream, report):
        setup = self.setup
        asks = not setup.on_flag and setup.policy in ("request", "require")
        if setup.flag is not None:
            asks = self.look(stream, report) or asks
        connection = TLSConnection(stream)
        self.established(connection, lambda: connection.handshakeServer(
            certChain=setup.chain, privateKey=setup.key, reqCert=asks, settings=self.settings[asks],
            checker=self.checkers[asks]))
        request = connection.read(len(REQUEST), len(REQUEST))
        if request != REQUEST:
            raise Unexpected(f"got {request!r:.80}, expected the request")
        if setup.policy == "post-handshake":
            self.authenticate(connection)
        chain = connection.session.clientCertChain
        if chain:
            report["peer_certificate"] = fingerprint(chain)
        answer = {"client_certificate": report.get("peer_certificate"), "tls_flags": report.get("tls_flags_received")}
        connection.write(json.dumps(answer).encode() + b"\n")
        # At the client's close_notify the library sends its own.
        while connection.read(LONGEST, 1):
            pass

    def look(self, stream, report):
        """Whether the ClientHello that comes has the server ask; malformed flags end the connection."""
        setup = self.setup
        hello = peek(stream)
        if hello is None:
            return False
        # The library looks a type up only where it stands once.
        extension = next((it for it in hello.extensions or [] if it.extType == setup.extension), None)
        if extension is None:
            return False
        data = bytes(extension.extData)
        report["tls_flags_received"] = data.hex()
        if (3, 4) not in self.settings[0].versions or not offers_tls13(hello):
            return False
        try:
            return is_set(data, setup.flag) and setup.on_flag
        except Malformed:
            # In plaintext, as ClientHello is.
            stream.sendall(bytes([21, 3, 3, 0, 2, 2, AlertDescription.illegal_parameter]))
            report["alert_sent"] = AlertDescription.illegal_parameter
            raise

    def authenticate(self, connection):
        """Asks after the handshake, if the client offered that, and waits for the answer."""
        try:
            for _ in connection.request_post_handshake_auth(self.settings[0]):
                pass
        except ValueError:
            return  # Not offered, or not in TLS 1.3: the library says so only by refusing to ask.
        connection.read(0, 0)
        try:
            self.checkers[True](connection)
        except TLSAuthenticationError:
            # The library has no other word for it after the handshake.
            connection.close()
            raise


def fingerprint(chain):
    return sha256(chain.x509List[0].bytes).hexdigest()
