"""Whether the other end's certificate is accepted: the library leaves that to a Checker of the application."""

from datetime import datetime, timezone

from tlslite.api import Checker
from tlslite.constants import HashAlgorithm, SignatureAlgorithm
from tlslite.errors import TLSAuthenticationError, TLSNoAuthenticationError
from tlslite.utils.asn1parser import ASN1Parser

CLIENT_AUTH = bytes.fromhex("2b06010505070302")
SERVER_AUTH = bytes.fromhex("2b06010505070301")
SUBJECT_KEY_IDENTIFIER = bytes.fromhex("551d0e")
KEY_USAGE = bytes.fromhex("551d0f")
SUBJECT_ALTERNATIVE_NAME = bytes.fromhex("551d11")
BASIC_CONSTRAINTS = bytes.fromhex("551d13")
EXTENDED_KEY_USAGE = bytes.fromhex("551d25")
KNOWN = {
    SUBJECT_KEY_IDENTIFIER, KEY_USAGE, SUBJECT_ALTERNATIVE_NAME, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE,
}
# What a key signs certificates with, by the library's name of its kind; RSA by PKCS #1 v1.5.
ALGORITHMS = {"ecdsa": SignatureAlgorithm.ecdsa, "rsa": SignatureAlgorithm.rsa, "Ed25519": SignatureAlgorithm.ed25519}
# The most certificates between the end entity's and an anchor.
DEEPEST = 8


class Refused(ValueError):
    """Why a chain is not accepted."""


class PathChecker(Checker):
    """Accepts a chain that leads to an anchor; the library refuses what it objects to."""

    def __init__(self, anchors, purpose, name=None, is_required=True):
        super().__init__()
        self.anchors, self.purpose, self.name, self.is_required = anchors, purpose, name, is_required

    def __call__(self, connection):
        if connection.resumed and not self.checkResumedSession:
            return
        session = connection.session
        chain = session.serverCertChain if connection._client else session.clientCertChain
        if not chain or not chain.getNumCerts():
            if self.is_required:
                raise TLSNoAuthenticationError("no certificate")
            return
        try:
            verify(chain.x509List, self.anchors, self.purpose, self.name)
        except Exception as error:
            # The library's parsers raise whatever they meet.
            raise TLSAuthenticationError(f"certificate not accepted: {error!r}") from error


def verify(chain, anchors, purpose, name=None, now=None):
    """Looks for a path from the first certificate to an anchor."""
    now = now or datetime.now(timezone.utc)
    end = Certificate(chain[0])
    end.check(now)
    if EXTENDED_KEY_USAGE in end.extensions and purpose not in children(end.extensions[EXTENDED_KEY_USAGE]):
        raise Refused("wrong extended key usage")
    if name is not None and name.lower().encode() not in end.names():
        raise Refused("wrong name")
    last = end
    for _ in range(DEEPEST):
        if any(last.is_issued_by(anchor) for anchor in anchors):
            return
        last = next((Certificate(it) for it in chain[1:] if last.is_issued_by(it)), None)
        if last is None:
            raise Refused("no path to an anchor")
        last.check(now)
        last.check_authority()
    raise Refused("no path to an anchor that is short enough")


class Certificate:
    """What a path needs of a certificate."""

    def __init__(self, x509):
        self.x509 = x509
        whole = ASN1Parser(x509.bytes)
        self.signed = whole.getChildBytes(0)
        self.signature = whole.getChild(2).value[1:]
        tbs = ASN1Parser(self.signed)
        # The version, which stands first, may be absent.
        self.validity = tbs.getChild(4 if tbs.value[0] == 0xA0 else 3)
        self.extensions = {}
        last = tbs.getChild(tbs.getChildCount() - 1)
        if (last.type.tag_class, last.type.tag_id) == (2, 3):
            self.read(last.getChild(0))

    def read(self, extensions):
        for at in range(extensions.getChildCount()):
            extension = extensions.getChild(at)
            kind = bytes(extension.getChild(0).value)
            if extension.getChildCount() == 3 and any(extension.getChild(1).value) and kind not in KNOWN:
                raise Refused(f"critical extension {kind.hex()} is not known")
            self.extensions[kind] = ASN1Parser(extension.getChild(extension.getChildCount() - 1).value)

    def check(self, now):
        if now < time(self.validity.getChild(0).value):
            raise Refused("not yet valid")
        if now > time(self.validity.getChild(1).value):
            raise Refused("expired")

    def check_authority(self):
        constraints = self.extensions.get(BASIC_CONSTRAINTS)
        if constraints is None or not constraints.getChildCount() or constraints.getChild(0).value != b"\xff":
            raise Refused("the issuer is no authority")
        # keyCertSign is the sixth bit, behind the octet that counts the unused ones.
        if KEY_USAGE in self.extensions and not self.extensions[KEY_USAGE].value[1] & 0x04:
            raise Refused("the issuer may not sign certificates")

    def names(self):
        """The dNSNames, in lower case."""
        names = self.extensions.get(SUBJECT_ALTERNATIVE_NAME)
        every = [names.getChild(at) for at in range(names.getChildCount())] if names else []
        return [bytes(it.value).lower() for it in every if (it.type.tag_class, it.type.tag_id) == (2, 2)]

    def is_issued_by(self, issuer):
        digest, algorithm = self.x509.sigalg
        if self.x509.issuer != issuer.subject or algorithm != ALGORITHMS.get(issuer.certAlg):
            return False
        return issuer.publicKey.hashAndVerify(self.signature, self.signed, hAlg=HashAlgorithm.toRepr(digest))


def children(sequence):
    return [bytes(sequence.getChild(at).value) for at in range(sequence.getChildCount())]


def time(value):
    """UTCTime or GeneralizedTime, RFC 5280 section 4.1.2.5."""
    text = bytes(value).decode("ascii")
    if len(text) == 13:
        text = ("19" if text >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)
