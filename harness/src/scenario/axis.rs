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
}

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// The TLS client.
    Client,
    /// The TLS server.
    Server,
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
