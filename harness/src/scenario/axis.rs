//! The axes: what a scenario may vary, with every value that it may take.
//!
//! To add an axis, add one entry to `axes!` below, and the enum of its values if
//! no enum here fits. The loader, the schema and [`Settings`] follow by themselves.

use super::{Choice, Word, choice::choices};

choices! {
    /// Whether the client sets the request mTLS flag.
    pub enum Flag {
        /// ClientHello does not carry the flag.
        Unset = "unset",
        /// ClientHello carries the flag.
        Set = "set" needs "client.tls-flags",
    }
}

choices! {
    /// What the client has to answer a CertificateRequest with.
    pub enum Certificate {
        /// The client has no certificate.
        Absent = "absent",
        /// The client has a certificate that the server trusts.
        Present = "present",
        /// Its issuer is one that the server does not trust.
        Untrusted = "untrusted",
        /// Its time is over.
        Expired = "expired",
        /// Its time has not begun.
        NotYetValid = "not-yet-valid",
        /// Its extended key usage allows servers only.
        WrongKeyUsage = "wrong-key-usage",
        /// It is its own issuer.
        SelfSigned = "self-signed",
        /// The client leaves out the certificate of its issuer, which the server does not have.
        IntermediateMissing = "intermediate-missing",
        /// Four intermediates of some kilobytes stand between it and the authority.
        LongChain = "long-chain",
        /// The client proves a trusted certificate with a signature that does not verify.
        BadSignature = "bad-signature" needs "bad-certificate-verify",
    }
}

choices! {
    /// When the server asks for a certificate in the main handshake, and whether it insists.
    pub enum Policy {
        /// The server never asks.
        Never = "never" needs "server.policy.never",
        /// The server always asks and goes on without a certificate.
        Request = "request" needs "server.policy.request",
        /// The server always asks and refuses a client without a certificate.
        Require = "require" needs "server.policy.require",
        /// The server asks the clients that set the flag and goes on without a certificate.
        RequestOnFlag = "request-on-flag" needs "server.policy.request-on-flag",
        /// The server asks the clients that set the flag and refuses those without a certificate.
        RequireOnFlag = "require-on-flag" needs "server.policy.require-on-flag",
        /// The server asks after the handshake the clients that offer it, goes on without one.
        PostHandshake = "post-handshake" needs "server.policy.post-handshake",
    }
}

impl Policy {
    /// Whether it asks only the clients that set the flag.
    #[must_use]
    pub fn is_on_flag(self) -> bool {
        matches!(self, Self::RequestOnFlag | Self::RequireOnFlag)
    }
}

choices! {
    /// How the client encodes `tls_flags` in ClientHello, and where it puts it.
    pub enum Encoding {
        /// As it should be.
        Minimal = "minimal",
        /// The request flag, and flag 81, which nobody knows.
        UnknownAndOurs = "unknown-and-ours" needs "edits",
        /// Flag 81 alone.
        UnknownAlone = "unknown-alone" needs "edits",
        /// The request flag and flag 2039: 255 octets.
        Octets255 = "octets-255" needs "edits",
        /// Every flag from 0 to 2039 alone, a connection each.
        Sweep = "sweep" needs "edits",
        /// No octet at all.
        NoBody = "no-body" needs "edits",
        /// A length octet of zero, and nothing behind it.
        ZeroLength = "zero-length" needs "edits",
        /// One octet of zero.
        AllZero = "all-zero" needs "edits",
        /// The request flag, and an octet of zero behind it.
        TrailingZero = "trailing-zero" needs "edits",
        /// A length octet smaller than the octets behind it.
        LengthTooShort = "length-too-short" needs "edits",
        /// A length octet greater than the octets behind it.
        LengthTooLong = "length-too-long" needs "edits",
        /// The extension twice, with the request flag in both.
        Twice = "twice" needs "edits",
        /// The extension behind `pre_shared_key`, which has to be the last.
        AfterPreSharedKey = "after-pre-shared-key" needs "edits",
        /// The request flag in the first ClientHello and not in the second.
        FirstHelloOnly = "first-hello-only" needs "edits",
        /// The request flag in the second ClientHello and not in the first.
        SecondHelloOnly = "second-hello-only" needs "edits",
        /// The request flag under the extension number of an early experiment, 0xfe01.
        EarlyExperiment = "early-experiment" needs "edits",
        /// The request flag in the client's Certificate.
        InCertificate = "in-certificate" needs "edits",
    }
}

choices! {
    /// Whether a second connection offers the session of the first, and what it carries.
    pub enum Resumption {
        /// There is no second connection.
        None = "none",
        /// Its ClientHello does not carry the flag.
        FlagUnset = "flag-unset" needs "client.resumption",
        /// Its ClientHello carries the flag.
        FlagSet = "flag-set" needs "client.resumption",
    }
}

choices! {
    /// Whether the client of a second connection sends its request as early data.
    pub enum ClientEarlyData {
        /// After the handshake only.
        NotSent = "not-sent",
        /// As early data.
        Sent = "sent" needs "client.early-data",
    }
}

choices! {
    /// Whether the server accepts early data.
    pub enum ServerEarlyData {
        /// It does not.
        Refused = "refused",
        /// It does.
        Accepted = "accepted" needs "server.early-data",
    }
}

choices! {
    /// Whether the client lets itself be asked after the handshake.
    pub enum PostHandshakeAuth {
        /// ClientHello does not carry `post_handshake_auth`.
        NotOffered = "not-offered",
        /// ClientHello carries it.
        Offered = "offered" needs "client.post-handshake-auth",
    }
}

choices! {
    /// Whether the server knows `tls_flags`.
    pub enum TlsFlags {
        /// It does.
        Known = "known",
        /// It is the library as it comes.
        Unknown = "unknown",
    }
}

choices! {
    /// The message in which the server sends `tls_flags`.
    pub enum FlagsIn {
        /// None that it should not.
        None = "none",
        /// ServerHello.
        ServerHello = "server-hello" needs "edits",
        /// HelloRetryRequest.
        HelloRetryRequest = "hello-retry-request" needs "edits",
        /// EncryptedExtensions.
        EncryptedExtensions = "encrypted-extensions" needs "edits",
        /// CertificateRequest.
        CertificateRequest = "certificate-request" needs "edits",
        /// The server's Certificate.
        Certificate = "certificate" needs "edits",
        /// NewSessionTicket.
        NewSessionTicket = "new-session-ticket" needs "edits",
    }
}

choices! {
    /// What `tls_flags` the server sends there.
    pub enum FlagsSent {
        /// The request flag.
        Request = "request",
        /// Flag 81, which nobody knows.
        Unknown = "unknown",
        /// No octet at all.
        NoBody = "no-body",
        /// One octet of zero.
        AllZero = "all-zero",
        /// The request flag, and an octet of zero behind it.
        TrailingZero = "trailing-zero",
    }
}

choices! {
    /// The protocol versions that an end offers or accepts.
    pub enum Versions {
        /// TLS 1.3 alone.
        Tls13 = "tls13" needs "version.tls1.3",
        /// TLS 1.2 alone.
        Tls12 = "tls12" needs "version.tls1.2",
        /// TLS 1.3, and TLS 1.2 where the peer has it.
        Both = "both",
    }
}

choices! {
    /// The key exchange groups that an end offers or accepts.
    pub enum Groups {
        /// What the library offers by itself.
        Default = "default",
        /// X25519 alone.
        X25519 = "x25519" needs "group.x25519",
        /// NIST P-256 alone.
        Secp256r1 = "secp256r1" needs "group.secp256r1",
        /// NIST P-384 alone.
        Secp384r1 = "secp384r1" needs "group.secp384r1",
        /// The hybrid of X25519 and ML-KEM-768 alone.
        X25519Mlkem768 = "x25519mlkem768" needs "group.x25519mlkem768",
    }
}

choices! {
    /// The TLS 1.3 cipher suites that both ends offer and accept.
    pub enum Cipher {
        /// What the libraries offer by themselves.
        Default = "default",
        /// `TLS_AES_128_GCM_SHA256` alone.
        Aes128Gcm = "tls_aes_128_gcm_sha256" needs "cipher.TLS_AES_128_GCM_SHA256",
        /// `TLS_AES_256_GCM_SHA384` alone.
        Aes256Gcm = "tls_aes_256_gcm_sha384" needs "cipher.TLS_AES_256_GCM_SHA384",
        /// `TLS_CHACHA20_POLY1305_SHA256` alone.
        Chacha20Poly1305 = "tls_chacha20_poly1305_sha256" needs "cipher.TLS_CHACHA20_POLY1305_SHA256",
    }
}

axes! {
    /// Whether the client sets the request mTLS flag in ClientHello.
    "client.flag" [Client] client_flag: Flag = Unset,
    /// Whether the client has a certificate to answer with.
    "client.certificate" [Client] client_certificate: Certificate = Absent,
    /// When the server asks for a certificate, and whether it insists.
    "server.policy" [Server] server_policy: Policy = Never,
    /// The protocol versions that the client offers.
    "client.versions" [Client] client_versions: Versions = Both,
    /// The protocol versions that the server accepts.
    "server.versions" [Server] server_versions: Versions = Both,
    /// The key exchange groups that the client offers.
    "client.groups" [Client] client_groups: Groups = Default,
    /// The key exchange groups that the server accepts.
    "server.groups" [Server] server_groups: Groups = Default,
    /// The TLS 1.3 cipher suites that both ends allow.
    "cipher" [Client, Server] cipher: Cipher = Default,
    /// How the client encodes the extension, and where it puts it.
    "client.encoding" [Client] client_encoding: Encoding = Minimal,
    /// Whether a second connection offers the session of the first, and what it carries.
    "client.resumption" [Client] client_resumption: Resumption = None,
    /// Whether the client of a second connection sends its request as early data.
    "client.early-data" [Client] client_early_data: ClientEarlyData = NotSent,
    /// Whether the client offers post-handshake authentication.
    "client.post-handshake-auth" [Client] client_post_handshake_auth: PostHandshakeAuth = NotOffered,
    /// Whether the server accepts early data.
    "server.early-data" [Server] server_early_data: ServerEarlyData = Refused,
    /// Whether the server knows the extension.
    "server.tls-flags" [Server] server_tls_flags: TlsFlags = Known,
    /// The message in which the server sends the extension.
    "server.flags-in" [Server] server_flags_in: FlagsIn = None,
    /// What the server sends there.
    "server.flags-sent" [Server] server_flags_sent: FlagsSent = Request,
}

/// Capabilities that only an end has that is there to break rules.
const MISBEHAVIOUR: &[&str] = &["edits", "bad-certificate-verify"];

choices! {
    /// One end of a connection.
    pub enum End {
        /// The TLS client.
        Client = "client",
        /// The TLS server.
        Server = "server",
    }
}

/// One thing that a scenario may vary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// How scenario files write it.
    pub name: &'static str,
    /// What it varies, in one line.
    pub about: &'static str,
    /// The ends that need the capability of a value.
    pub ends: &'static [End],
    /// Every value that it may take.
    pub values: &'static [Word],
    /// The value in a scenario that does not name the axis.
    pub default: &'static str,
}

impl Axis {
    /// The axis of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        AXES.iter().find(|axis| axis.name == name)
    }

    /// The value of that name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&'static Word> {
        self.values.iter().find(|value| value.name == name)
    }
}

impl Settings {
    /// The ends that have to misbehave for this.
    #[must_use]
    pub fn misbehaving(&self) -> Vec<End> {
        let wrong = |end: &End| {
            let needs = self.needs(*end);
            MISBEHAVIOUR
                .iter()
                .any(|capability| needs.contains(capability))
        };
        [End::Client, End::Server]
            .into_iter()
            .filter(wrong)
            .collect()
    }

    /// The value of every axis, in the order of [`AXES`].
    pub fn iter(&self) -> impl Iterator<Item = (&'static Axis, &'static Word)> + '_ {
        AXES.iter()
            .filter_map(|axis| Some((axis, self.get(axis.name)?)))
    }

    /// The capabilities of the peer contract that the end needs, in the order of [`AXES`], each once.
    #[must_use]
    pub fn needs(&self, end: End) -> Vec<&'static str> {
        let mut needs = Vec::new();
        for (axis, value) in self.iter() {
            let capability = value.capability.filter(|_| axis.ends.contains(&end));
            needs.extend(capability.filter(|name| !needs.contains(name)));
        }
        needs
    }
}

/// Declares every axis: documentation, name, ends, field, type and default in one place.
macro_rules! axes {
    ( $(
        #[doc = $about:literal]
        $name:literal [$($end:ident),+] $field:ident: $type:ident = $default:ident
    ),+ $(,)? ) => {
        /// Every axis.
        pub const AXES: &[Axis] = &[ $( Axis {
            name: $name,
            about: $about.trim_ascii(),
            ends: &[ $( End::$end ),+ ],
            values: <$type as Choice>::WORDS,
            default: <$type as Choice>::WORDS[$type::$default as usize].name,
        } ),+ ];

        /// The value of every axis, typed.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub struct Settings {
            $( #[doc = $about] pub $field: $type ),+
        }

        impl Default for Settings {
            fn default() -> Self {
                Self { $( $field: $type::$default ),+ }
            }
        }

        impl Settings {
            /// The value of the axis of that name.
            #[must_use]
            pub fn get(&self, axis: &str) -> Option<&'static Word> {
                match axis {
                    $( $name => Some(self.$field.word()), )+
                    _ => None,
                }
            }

            /// Sets the axis of that name to the value of that name, if both exist.
            pub(super) fn set(&mut self, axis: &str, value: &str) -> Option<()> {
                match axis {
                    $( $name => self.$field = $type::parse(value)?, )+
                    _ => return None,
                }
                Some(())
            }
        }
    };
}

use axes;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_every_axis_can_be_set_and_read() {
        for axis in AXES {
            for value in axis.values {
                let mut settings = Settings::default();
                assert_eq!(settings.set(axis.name, value.name), Some(()));
                assert_eq!(settings.get(axis.name), Some(value));
            }
        }
    }

    #[test]
    fn defaults_are_those_of_the_registry() {
        let settings = Settings::default();
        assert_eq!(settings.iter().count(), AXES.len());
        for (axis, value) in settings.iter() {
            assert_eq!(axis.default, value.name);
        }
    }

    #[test]
    fn names_are_unique_and_written_one_way() {
        let tidy = |name: &str, also: &str| {
            let allowed =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || also.contains(c);
            !name.is_empty() && name.chars().all(allowed)
        };
        for axis in AXES {
            assert_eq!(
                AXES.iter().filter(|other| other.name == axis.name).count(),
                1
            );
            assert!(tidy(axis.name, ".-"), "{}", axis.name);
            for value in axis.values {
                let same = axis.values.iter().filter(|other| other.name == value.name);
                assert_eq!(same.count(), 1, "{}", value.name);
                assert!(tidy(value.name, "-_"), "{}", value.name);
            }
        }
    }

    #[test]
    fn documentation_is_one_sentence() {
        for axis in AXES {
            for about in axis
                .values
                .iter()
                .map(|value| value.about)
                .chain([axis.about])
            {
                assert!(about.ends_with('.') && !about.contains('\n'), "{about}");
            }
        }
    }

    #[test]
    fn defaults_need_a_server_that_never_asks() {
        let settings = Settings::default();
        assert_eq!(settings.needs(End::Client), Vec::<&str>::new());
        assert_eq!(settings.needs(End::Server), ["server.policy.never"]);
    }

    #[test]
    fn needs_belong_to_the_end_that_has_the_axis() {
        let settings = Settings {
            client_flag: Flag::Set,
            server_policy: Policy::RequireOnFlag,
            cipher: Cipher::Aes128Gcm,
            ..Settings::default()
        };
        let cipher = "cipher.TLS_AES_128_GCM_SHA256";
        assert_eq!(settings.needs(End::Client), ["client.tls-flags", cipher]);
        assert_eq!(
            settings.needs(End::Server),
            ["server.policy.require-on-flag", cipher]
        );
    }
}
