"""The extension tls_flags, in front of the library and, for a client, inside it."""

from tlslite.api import TLSConnection
from tlslite.constants import AlertDescription
from tlslite.extensions import PreSharedKeyExtension, TLSExtension
from tlslite.handshakehelpers import HandshakeHelpers
from tlslite.messages import CertificateRequest, ClientHello, NewSessionTicket
from tlslite.utils.codec import Parser

# The most octets that are read for a ClientHello: what its length can say, with the headers of its records.
LONGEST = 1 << 17
HANDSHAKE = 22
CLIENT_HELLO = 1
SUPPORTED_VERSIONS = 43


class Malformed(ValueError):
    """A value of tls_flags that its receiver refuses by illegal_parameter, draft-ietf-tls-tlsflags section 2."""


def is_set(data, flag):
    """Whether the extension_data of tls_flags sets a flag."""
    if len(data) < 2 or data[0] != len(data) - 1 or data[-1] == 0:
        raise Malformed(f"malformed tls_flags: {data.hex() or 'no octets'}")
    octets = data[1:]
    return flag // 8 < len(octets) and octets[flag // 8] >> flag % 8 & 1 == 1


def peek(stream):
    """The ClientHello that comes, which is still there to be read; None if it cannot be read."""
    octets, body = bytearray(), bytearray()
    try:
        while len(body) < 4 or len(body) < 4 + int.from_bytes(body[1:4]):
            header = take(stream, 5, octets)
            record = take(stream, int.from_bytes(header[3:]), octets)
            if len(header) < 5 or header[0] != HANDSHAKE or not record or len(octets) > LONGEST:
                return None
            body += record
        return ClientHello().parse(Parser(body[1:])) if body[0] == CLIENT_HELLO else None
    except OSError:
        raise
    except Exception:
        return None  # What cannot be read is for the library to refuse; its parsers raise much.
    finally:
        stream.unread(octets)


def take(stream, length, octets):
    """Reads that many octets, or to the end of the stream, and notes them."""
    taken = bytearray()
    while len(taken) < length and (more := stream.recv(length - len(taken))):
        taken += more
        octets += more
    return taken


def offers_tls13(hello):
    offer = hello.getExtension(SUPPORTED_VERSIONS)
    return offer is not None and (3, 4) in (offer.versions or ())


class FlagConnection(TLSConnection):
    """The library's connection, with two of its internal functions extended: a client sends tls_flags, and if it
    implements them it refuses those that are malformed or that it did not ask for."""

    def __init__(self, stream, setup, sends, session):
        super().__init__(stream)
        self.number = setup.extension
        self.flag = setup.flag
        self.sends = sends
        self.offered = session
        set_by_us = sends is not None and setup.flag is not None and is_carried(sends, setup.flag)
        self.may_be_acknowledged = setup.revision != "editors-copy" or set_by_us
        self.may_be_in_tickets = setup.revision != "editors-copy"

    def _sendMsg(self, msg, *rest, **named):
        is_new = isinstance(msg, ClientHello) and msg.getExtension(self.number) is None
        if is_new and self.sends is not None:
            extension = TLSExtension().create(self.number, bytearray(self.sends))
            resumes = isinstance(msg.extensions[-1], PreSharedKeyExtension)
            msg.extensions.insert(len(msg.extensions) - resumes, extension)
            if resumes:
                HandshakeHelpers.update_binders(
                    msg, self._handshake_hash, [], self.offered.tickets, self.offered.resumptionMasterSecret)
        yield from super()._sendMsg(msg, *rest, **named)

    def _getMsg(self, *expected):
        for result in super()._getMsg(*expected):
            if self.flag is not None and result not in (0, 1):
                try:
                    self._look(result)
                except Malformed as error:
                    yield from self._sendError(AlertDescription.illegal_parameter, str(error))
            yield result

    def _look(self, message):
        extensions = list(getattr(message, "extensions", None) or [])
        for entry in getattr(message, "certificate_list", None) or []:
            extensions += getattr(entry, "extensions", None) or []
        for extension in extensions:
            if extension.extType != self.number:
                continue
            if isinstance(message, CertificateRequest):
                may_be_set = self.may_be_acknowledged
            elif isinstance(message, NewSessionTicket):
                may_be_set = self.may_be_in_tickets
            else:
                raise Malformed("tls_flags in a message that answers none")
            if is_set(extension.extData, self.flag) and not may_be_set:
                raise Malformed("the request flag in a message where it may not be")


def is_carried(data, flag):
    """Whether a value that we send is well formed and sets a flag."""
    try:
        return is_set(data, flag)
    except Malformed:
        return False
