"""Tests of what this peer does itself."""

import json
import unittest
from datetime import datetime, timezone
from ssl import DER_cert_to_PEM_cert, PEM_cert_to_DER_cert

from tlslite.extensions import SupportedVersionsExtension, TLSExtension
from tlslite.handshakesettings import HandshakeSettings
from tlslite.messages import ClientHello
from tlslite.x509certchain import X509CertChain

import checker
import contract
import flags
import job
from certificates import (
    AUTHORITY, BELOW_CLIENT, BELOW_INTERMEDIATE, CLIENT, ED25519_AUTHORITY, ED25519_CLIENT, INTERMEDIATE, RSA_AUTHORITY,
    RSA_CLIENT, SERVER,
)


def hello(*values):
    """A record with a ClientHello that has these values of tls_flags."""
    extensions = [TLSExtension().create(62, bytearray(value)) for value in values]
    extensions.append(SupportedVersionsExtension().create([(3, 4)]))
    message = ClientHello().create((3, 3), bytearray(32), bytearray(), [0x1301], extensions=extensions)
    body = bytes(message.write())
    return b"\x16\x03\x01" + len(body).to_bytes(2) + body


class Played:
    """A stream that plays back octets, a few at once."""

    def __init__(self, octets, width=1 << 20):
        self.octets, self.width = octets, width

    def recv(self, length):
        length = min(length, self.width)
        octets, self.octets = self.octets[:length], self.octets[length:]
        return octets

    def unread(self, octets):
        self.octets = bytes(octets) + self.octets


class Flags(unittest.TestCase):
    def test_finds_flag_80_and_no_other(self):
        data = bytes.fromhex("0b0000000000000000000001")
        self.assertEqual([flag for flag in range(2040) if flags.is_set(data, flag)], [80])

    def test_refuses_every_malformed_value(self):
        for text in ("", "00", "01", "0100", "0201", "020100", "010101", "03000000"):
            with self.subTest(text), self.assertRaises(flags.Malformed):
                flags.is_set(bytes.fromhex(text), 80)

    def test_peeks_however_the_octets_come_and_takes_none(self):
        octets = hello(b"\x01\x01") + b"more"
        for width in (1, 2, 3, 7, 1 << 20):
            stream = Played(octets, width)
            seen = flags.peek(stream)
            self.assertEqual(bytes(seen.getExtension(62).extData), b"\x01\x01")
            self.assertTrue(flags.offers_tls13(seen))
            self.assertEqual(stream.octets, octets)

    def test_leaves_to_the_library_what_is_no_client_hello(self):
        whole = hello(b"\x01\x01")
        other = whole[:5] + b"\x02" + whole[6:]
        for octets in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x00", whole[:-1], other):
            stream = Played(octets)
            self.assertIsNone(flags.peek(stream))
            self.assertEqual(stream.octets, octets)


class Setups(unittest.TestCase):
    def test_names_what_is_lacking(self):
        for setup, lacking in [
            ({"delegated_credentials": True}, "setup.delegated_credentials"),
            ({"versions": ["tls1.9"]}, "version.tls1.9"),
            ({"resumption": {"early_data": True}}, "client.early-data"),
            ({"edits": [{}]}, "client.edits"),
            ({"flag": 80, "revision": "draft-99"}, "client.revision.draft-99"),
        ]:
            with self.subTest(lacking), self.assertRaises(job.Unsupported) as raised:
                job.Setup("client", {"server_name": "a.test", **setup})
            self.assertEqual(str(raised.exception), lacking)

    def test_refuses_what_makes_no_sense(self):
        for side, setup in [
            ("client", {}),
            ("client", {"server_name": 7}),
            ("client", {"server_name": "a.test", "tls_flags": "0"}),
            ("client", {"server_name": "a.test", "flag": 2040}),
            ("client", {"server_name": "a.test", "deadline_ms": True}),
            ("server", {}),
            ("server", {"identity": {"certificates": "", "private_key": ""}}),
        ]:
            with self.subTest(setup), self.assertRaises(ValueError):
                job.Setup(side, setup)

    def test_leaves_the_library_its_defaults(self):
        settings = job.Setup("client", {"server_name": "a.test"}).settings()
        expected = HandshakeSettings().validate()
        for name in ("versions", "eccCurves", "keyShares", "dhGroups", "cipherNames", "ticketKeys"):
            self.assertEqual(getattr(settings, name), getattr(expected, name))

    def test_every_version_group_and_suite_is_one_of_the_library(self):
        for versions in (["tls1.3"], ["tls1.2"], ["tls1.2", "tls1.3"]):
            for group in job.GROUPS:
                setup = {"versions": versions, "groups": [group], "cipher_suites": list(job.SUITES)}
                settings = job.Setup("client", {"server_name": "a.test", **setup}).settings()
                self.assertEqual(settings.keyShares, [group])
            job.Setup("client", {"server_name": "a.test", "versions": versions}).settings()


class Paths(unittest.TestCase):
    def verify(self, chain, purpose, name=None, year=2030, anchor=AUTHORITY):
        read = X509CertChain()
        read.parsePemList(chain)
        anchors = X509CertChain()
        anchors.parsePemList(anchor)
        checker.verify(read.x509List, anchors.x509List, purpose, name, datetime(year, 1, 1, tzinfo=timezone.utc))

    def test_accepts_who_is_issued_by_an_anchor(self):
        self.verify(CLIENT, checker.CLIENT_AUTH)
        self.verify(SERVER, checker.SERVER_AUTH, "Server.reqmtls.test")
        self.verify(BELOW_INTERMEDIATE + INTERMEDIATE, checker.CLIENT_AUTH)

    def test_verifies_signatures_of_other_keys(self):
        for chain, anchor, other in [
            (RSA_CLIENT, RSA_AUTHORITY, ED25519_AUTHORITY),
            (ED25519_CLIENT, ED25519_AUTHORITY, RSA_AUTHORITY),
        ]:
            self.verify(chain, checker.CLIENT_AUTH, anchor=anchor)
            with self.assertRaisesRegex(checker.Refused, "no path"):
                self.verify(chain, checker.CLIENT_AUTH, anchor=other)
            # The last octets are the signature's.
            der = bytearray(PEM_cert_to_DER_cert(chain))
            der[-1] ^= 1
            with self.assertRaisesRegex(checker.Refused, "no path"):
                self.verify(DER_cert_to_PEM_cert(der), checker.CLIENT_AUTH, anchor=anchor)

    def test_refuses_everybody_else(self):
        for why, words in [
            ("expired", {"chain": CLIENT, "year": 2090}),
            ("not yet valid", {"chain": CLIENT, "year": 2000}),
            ("wrong extended key usage", {"chain": SERVER}),
            ("wrong name", {"chain": SERVER, "purpose": checker.SERVER_AUTH, "name": "other.reqmtls.test"}),
            ("no path", {"chain": BELOW_INTERMEDIATE}),
            ("no path", {"chain": CLIENT, "anchor": INTERMEDIATE}),
            ("no authority", {"chain": BELOW_CLIENT + CLIENT}),
        ]:
            with self.subTest(why), self.assertRaisesRegex(checker.Refused, why):
                self.verify(**{"purpose": checker.CLIENT_AUTH, **words})


class Lines(unittest.TestCase):
    def test_takes_one_object_without_names_that_stand_twice(self):
        self.assertEqual(contract.parse(b'{"ask":"describe"}'), {"ask": "describe"})
        for line in (b"", b"7", b"[]", b"{}{}", b'{"a":1,"a":2}', b"\xff", b"[" * 100000):
            with self.subTest(line[:9]), self.assertRaises((ValueError, RecursionError)):
                contract.parse(line)

    def test_describes_what_the_library_is(self):
        description = json.loads(json.dumps(job.describe()))
        self.assertRegex(description["library"], r"^tlslite-ng \d+\.\d+\.\d+$")


if __name__ == "__main__":
    unittest.main()
