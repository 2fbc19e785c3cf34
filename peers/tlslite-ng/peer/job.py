"""A job's setup: what of it this peer can do, and how the library is set for it."""

import re
from importlib.metadata import version

from tlslite.api import HandshakeSettings, X509CertChain, parsePEMKey
from tlslite.handshakesettings import TLS13_PERMITTED_GROUPS

# Number of the extension tls_flags.
TLS_FLAGS = 62

SUITES = {
    "TLS_AES_128_GCM_SHA256": "aes128gcm",
    "TLS_AES_256_GCM_SHA384": "aes256gcm",
    "TLS_CHACHA20_POLY1305_SHA256": "chacha20-poly1305",
}
VERSIONS = {"tls1.2": (3, 3), "tls1.3": (3, 4)}
GROUPS = ("x25519", "secp256r1", "secp384r1")

# Whose behaviour each capability shows.
LIBRARY = [
    "client", "server", "server.policy.never", "client.resumption", "server.sessions.shared",
    *(f"version.{name}" for name in VERSIONS),
    *(f"group.{name}" for name in GROUPS),
    *(f"cipher.{name}" for name in SUITES),
    "keys.rsa", "keys.ed25519",
]
# The library leaves to the application whether a certificate is accepted.
GLUE = [
    "server.policy.request", "server.policy.require", "server.policy.post-handshake", "server.sessions.separate",
    "server.flag", "server.extension", "server.policy.request-on-flag", "server.policy.require-on-flag",
]
PATCH = ["client.tls-flags", "client.flag", "client.extension", "client.revision.editors-copy"]
CAPABILITIES = {**dict.fromkeys(LIBRARY, "library"), **dict.fromkeys(GLUE, "glue"), **dict.fromkeys(PATCH, "patch")}


def describe():
    return {"name": "tlslite-ng", "library": f"tlslite-ng {version('tlslite-ng')}", "capabilities": CAPABILITIES}


class Unsupported(Exception):
    """A capability that is lacking."""


def text(value):
    return type(value) is str


def truth(value):
    return type(value) is bool


def texts(value):
    return type(value) is list and all(map(text, value))


def number(value):
    return type(value) is int and 0 <= value < 1 << 16


def milliseconds(value):
    return type(value) is int and 0 <= value < 1 << 32


def octets(value):
    return text(value) and re.fullmatch("([0-9a-fA-F]{2})*", value) is not None


def identity(value):
    return type(value) is dict and set(value) == {"certificates", "private_key"} and all(map(text, value.values()))


def resumption(value):
    keys = {"tls_flags": octets, "early_data": truth}
    return type(value) is dict and all(key in keys and keys[key](it) for key, it in value.items())


# What each key's value is, if it is any.
KEYS = {
    "versions": texts, "groups": texts, "cipher_suites": texts, "keys": text, "identity": identity,
    "trust_anchors": text, "server_name": text, "policy": text, "tls_flags": octets, "flag": number, "extension": number, "revision": text,
    "resumption": resumption, "sessions": text, "early_data": truth, "post_handshake_auth": truth,
    "edits": lambda value: type(value) is list, "bad_certificate_verify": truth, "deadline_ms": milliseconds,
}


class Setup:
    """A setup that this peer can do; its keys are attributes, None where it names none."""

    def __init__(self, side, setup):
        if type(setup) is not dict:
            raise ValueError(f"got setup {setup!r:.80}, expected an object")
        for key in setup:
            if key not in KEYS:
                raise Unsupported(f"setup.{key}")
        for key, is_right in KEYS.items():
            value = setup.get(key)
            if value is not None and not is_right(value):
                raise ValueError(f"got {key} {value!r:.80}, expected a value of the contract")
            setattr(self, key, value)
        for capability in self.needs(side):
            if capability not in CAPABILITIES:
                raise Unsupported(capability)
        self.check(side)
        self.extension = TLS_FLAGS if self.extension is None else self.extension
        self.policy = self.policy or "never"
        self.on_flag = self.policy.endswith("-on-flag")
        self.chain, self.key = None, None
        if self.identity:
            self.chain = chain("certificates", self.identity["certificates"])
            self.key = attempt("private_key", lambda: parsePEMKey(self.identity["private_key"], private=True))
        self.anchors = chain("trust_anchors", self.trust_anchors).x509List if self.trust_anchors else []

    def needs(self, side):
        """The capabilities that it needs."""
        yield side
        yield from (f"version.{name}" for name in self.versions or [])
        yield from (f"group.{name}" for name in self.groups or [])
        yield from (f"cipher.{name}" for name in self.cipher_suites or [])
        resumption = self.resumption or {}
        for is_needed, capability in [
            (self.keys is not None, f"keys.{self.keys}"),
            (self.policy is not None, f"server.policy.{self.policy}"),
            (self.tls_flags is not None or resumption.get("tls_flags") is not None, "client.tls-flags"),
            (self.flag is not None, f"{side}.flag"),
            (self.extension not in (None, TLS_FLAGS), f"{side}.extension"),
            (self.revision not in (None, "draft-02"), f"{side}.revision.{self.revision}"),
            (self.resumption is not None, "client.resumption"),
            (resumption.get("early_data"), "client.early-data"),
            (self.sessions is not None, f"server.sessions.{self.sessions}"),
            (self.early_data, "server.early-data"),
            (self.post_handshake_auth, "client.post-handshake-auth"),
            (self.edits, f"{side}.edits"),
            (self.bad_certificate_verify, f"{side}.bad-certificate-verify"),
        ]:
            if is_needed:
                yield capability

    def check(self, side):
        policy = self.policy or "never"
        for is_wrong, expected in [
            (side == "client" and self.server_name is None, "a server_name for a client"),
            (side == "server" and self.identity is None, "an identity for a server"),
            (self.flag is not None and self.flag > 2039, "a flag of at most 2039"),
            (self.flag is None and self.revision == "editors-copy", "a flag for revision editors-copy"),
            (self.flag is None and policy.endswith("-on-flag"), f"a flag for policy {policy}"),
            (side == "server" and policy != "never" and self.trust_anchors is None, f"trust_anchors for {policy}"),
        ]:
            if is_wrong:
                raise ValueError(f"expected {expected}")

    def settings(self):
        """The library's settings: its own but for what the job names."""
        settings = HandshakeSettings()
        if self.versions:
            settings.versions = [it for it in settings.versions if it in {VERSIONS[name] for name in self.versions}]
            settings.minVersion, settings.maxVersion = min(settings.versions), max(settings.versions)
        if self.groups:
            settings.eccCurves = list(self.groups)
            settings.keyShares = settings.eccCurves[:1]
            settings.dhGroups = []
        elif settings.minVersion > (3, 3):
            # By itself the library refuses its own default groups where no version has them all.
            settings.eccCurves = [name for name in settings.eccCurves if name in TLS13_PERMITTED_GROUPS]
        if self.cipher_suites:
            settings.cipherNames = [SUITES[name] for name in self.cipher_suites]
        return settings.validate()


def chain(what, pem):
    """The library's certificates, of a text with at least one."""
    chain = X509CertChain()
    attempt(what, lambda: chain.parsePemList(pem))
    if not chain.x509List:
        raise ValueError(f"got {what} without a certificate, expected PEM")
    return chain


def attempt(what, read):
    try:
        return read()
    except Exception as error:
        # The library raises whatever its parsers meet.
        raise ValueError(f"got {what} that cannot be read: {error!r}") from error
