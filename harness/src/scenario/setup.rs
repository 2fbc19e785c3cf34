//! From a case's settings to the jobs of its two ends.

use reqmtls_contract::{
    CipherSuite, Edit, Group, Hex, Identity, Message, Policy, Resumption, Revision, Setup,
    TLS_FLAGS, Version,
};

use crate::certificates::{Certificates, SERVER_NAME};
use crate::scenario::{
    self, Certificate, Cipher, ClientEarlyData, ClientPretence, Encoding, Flag, FlagsIn, FlagsSent,
    Groups, PostHandshakeAuth, ServerEarlyData, ServerPretence, Settings, TlsFlags, Versions,
};
use reqmtls_observer::ExtensionType;

/// The highest flag that there can be (draft-ietf-tls-tlsflags §2).
const MAX_FLAG: u16 = 2039;

/// What is the same for every case of a run.
#[derive(Debug)]
pub struct Common {
    /// The certificates of the run.
    pub certificates: Certificates,
    /// The number of the request mTLS flag.
    pub flag: u16,
    /// The revision that both ends follow.
    pub revision: Revision,
}

/// How the ends of one job are set up, and what tells the job from others of its cell.
#[derive(Clone, Debug)]
pub struct Setups {
    /// The flag that a sweep has come to.
    pub sweep: Option<u16>,
    /// By which the ends are judged.
    pub judged: Ends,
    /// What the ends are told: something else, where they only pretend.
    pub told: Ends,
}

/// A setup for each end.
#[derive(Clone, Debug)]
pub struct Ends {
    /// The client's.
    pub client: Setup,
    /// The server's.
    pub server: Setup,
}

impl Common {
    /// The jobs of a case: one, or for a sweep one for each flag.
    #[must_use]
    pub fn setups(&self, settings: &Settings) -> Vec<Setups> {
        let ends = Ends {
            client: self.client(settings),
            server: self.server(settings),
        };
        let setups = |sweep, judged: Ends| Setups {
            sweep,
            told: pretend(settings, &judged),
            judged,
        };
        if settings.client_encoding != Encoding::Sweep {
            return vec![setups(None, ends)];
        }
        let swept = |flag| {
            let mut ends = ends.clone();
            ends.client.tls_flags = Some(extension_data(&[flag]));
            setups(Some(flag), ends)
        };
        (0..=MAX_FLAG).map(swept).collect()
    }

    fn client(&self, settings: &Settings) -> Setup {
        let sets = settings.client_flag == Flag::Set;
        let (tls_flags, edits) = self.encoding(settings.client_encoding, sets);
        let flags_later = settings.client_resumption == scenario::Resumption::FlagSet;
        let resumption = Resumption {
            tls_flags: flags_later.then(|| extension_data(&[self.flag])),
            early_data: settings.client_early_data == ClientEarlyData::Sent,
        };
        let resumes = settings.client_resumption != scenario::Resumption::None;
        // A client that never sends the extension is the library as it comes; the editor's copy has
        // rules for it all the same.
        let knows = tls_flags.is_some()
            || (resumes && flags_later)
            || self.revision == Revision::EditorsCopy;
        Setup {
            versions: versions(settings.client_versions),
            groups: groups(settings.client_groups),
            cipher_suites: cipher_suites(settings.cipher),
            revision: self.revision(),
            tls_flags,
            flag: knows.then_some(self.flag),
            identity: self.identity(settings.client_certificate),
            trust_anchors: Some(self.certificates.authority.clone()),
            server_name: Some(SERVER_NAME.to_owned()),
            resumption: resumes.then_some(resumption),
            post_handshake_auth: settings.client_post_handshake_auth == PostHandshakeAuth::Offered,
            edits,
            bad_certificate_verify: settings.client_certificate == Certificate::BadSignature,
            ..Setup::default()
        }
    }

    fn server(&self, settings: &Settings) -> Setup {
        Setup {
            versions: versions(settings.server_versions),
            groups: groups(settings.server_groups),
            cipher_suites: cipher_suites(settings.cipher),
            revision: self.revision(),
            flag: (settings.server_tls_flags == TlsFlags::Known).then_some(self.flag),
            policy: Some(policy(settings.server_policy)),
            identity: Some(self.certificates.server.clone()),
            trust_anchors: Some(self.certificates.authority.clone()),
            early_data: settings.server_early_data == ServerEarlyData::Accepted,
            edits: self.flags_in(settings),
            ..Setup::default()
        }
    }

    fn revision(&self) -> Option<Revision> {
        (self.revision != Revision::Draft02).then_some(self.revision)
    }

    fn identity(&self, certificate: Certificate) -> Option<Identity> {
        let all = &self.certificates;
        Some(
            match certificate {
                Certificate::Absent => return None,
                Certificate::Present | Certificate::BadSignature => &all.client,
                Certificate::Untrusted => &all.untrusted,
                Certificate::Expired => &all.expired,
                Certificate::NotYetValid => &all.not_yet_valid,
                Certificate::WrongKeyUsage => &all.wrong_key_usage,
                Certificate::SelfSigned => &all.self_signed,
                Certificate::IntermediateMissing => &all.intermediate_missing,
                Certificate::LongChain => &all.long_chain,
            }
            .clone(),
        )
    }

    /// The client's `tls_flags`, and what is done to its messages beyond that.
    fn encoding(&self, encoding: Encoding, sets: bool) -> (Option<Hex>, Vec<Edit>) {
        let ours = extension_data(&[self.flag]);
        let unknown = self.unknown();
        let put = |message, extension, last| Edit {
            message,
            extension,
            data: Some(ours.clone()),
            last,
        };
        let data = match encoding {
            Encoding::Minimal | Encoding::Sweep => return (sets.then_some(ours), vec![]),
            Encoding::UnknownAndOurs => extension_data(&[self.flag, unknown]),
            Encoding::UnknownAlone => extension_data(&[unknown]),
            Encoding::Octets255 => extension_data(&[self.flag, MAX_FLAG]),
            Encoding::NoBody => Hex(vec![]),
            Encoding::ZeroLength => Hex(vec![0]),
            Encoding::AllZero => Hex(vec![1, 0]),
            Encoding::TrailingZero => trailing_zero(&ours),
            Encoding::LengthTooShort => with_length(&ours, -1),
            Encoding::LengthTooLong => with_length(&ours, 1),
            Encoding::Twice => {
                let edits = vec![put(Message::ClientHello, TLS_FLAGS, false)];
                return (Some(ours), edits);
            }
            Encoding::AfterPreSharedKey => {
                return (None, vec![put(Message::ClientHello, TLS_FLAGS, true)]);
            }
            Encoding::FirstHelloOnly => {
                let edit = Edit {
                    data: None,
                    ..put(Message::SecondClientHello, TLS_FLAGS, false)
                };
                return (Some(ours), vec![edit]);
            }
            Encoding::SecondHelloOnly => {
                return (
                    None,
                    vec![put(Message::SecondClientHello, TLS_FLAGS, false)],
                );
            }
            Encoding::EarlyExperiment => {
                let number = ExtensionType::EARLY_EXPERIMENT.0;
                return (None, vec![put(Message::ClientHello, number, false)]);
            }
            Encoding::InCertificate => {
                let edits = vec![put(Message::Certificate, TLS_FLAGS, false)];
                return (sets.then_some(ours), edits);
            }
        };
        (Some(data), vec![])
    }

    /// What a misbehaving server does to its messages.
    fn flags_in(&self, settings: &Settings) -> Vec<Edit> {
        let message = match settings.server_flags_in {
            FlagsIn::None => return vec![],
            FlagsIn::ServerHello => Message::ServerHello,
            FlagsIn::HelloRetryRequest => Message::HelloRetryRequest,
            FlagsIn::EncryptedExtensions => Message::EncryptedExtensions,
            FlagsIn::CertificateRequest => Message::CertificateRequest,
            FlagsIn::Certificate => Message::Certificate,
            FlagsIn::NewSessionTicket => Message::NewSessionTicket,
        };
        let ours = extension_data(&[self.flag]);
        let data = match settings.server_flags_sent {
            FlagsSent::Request => ours,
            FlagsSent::Unknown => extension_data(&[self.unknown()]),
            FlagsSent::NoBody => Hex(vec![]),
            FlagsSent::AllZero => Hex(vec![1, 0]),
            FlagsSent::TrailingZero => trailing_zero(&ours),
        };
        vec![Edit {
            message,
            extension: TLS_FLAGS,
            data: Some(data),
            last: false,
        }]
    }

    /// A flag that nobody knows: the one above the request flag, or below where there is none.
    fn unknown(&self) -> u16 {
        if self.flag == MAX_FLAG {
            self.flag - 1
        } else {
            self.flag + 1
        }
    }
}

/// What ends are told that only pretend to be what they are judged by.
fn pretend(settings: &Settings, judged: &Ends) -> Ends {
    let Ends {
        mut client,
        mut server,
    } = judged.clone();
    match settings.client_pretence {
        ClientPretence::None => {}
        ClientPretence::Deaf => {
            client.flag = None;
            client.revision = None;
        }
        ClientPretence::Silent => client.tls_flags = None,
    }
    match settings.server_pretence {
        ServerPretence::None => {}
        ServerPretence::Deaf => {
            server.flag = None;
            server.revision = None;
        }
        ServerPretence::AsksEveryone => server.policy = Some(Policy::Request),
        ServerPretence::AsksNobody => server.policy = Some(Policy::Never),
        ServerPretence::NoAcknowledgement => server.revision = None,
    }
    Ends { client, server }
}

/// The minimal `extension_data` of `tls_flags` that sets these flags, of which there is at least one
/// (draft-ietf-tls-tlsflags §2).
fn extension_data(flags: &[u16]) -> Hex {
    let octets = usize::from(flags.iter().max().map_or(0, |flag| flag / 8 + 1));
    let mut data = vec![0; octets + 1];
    data[0] = u8::try_from(octets).unwrap_or(u8::MAX);
    for flag in flags {
        data[usize::from(flag / 8) + 1] |= 1 << (flag % 8);
    }
    Hex(data)
}

fn trailing_zero(data: &Hex) -> Hex {
    let mut longer = with_length(data, 1);
    longer.0.push(0);
    longer
}

/// The same octets, with a length octet that is off by so many.
fn with_length(data: &Hex, by: i8) -> Hex {
    let mut data = data.clone();
    if let Some(length) = data.0.first_mut() {
        *length = length.wrapping_add_signed(by);
    }
    data
}

fn policy(policy: scenario::Policy) -> Policy {
    match policy {
        scenario::Policy::Never => Policy::Never,
        scenario::Policy::Request => Policy::Request,
        scenario::Policy::Require => Policy::Require,
        scenario::Policy::RequestOnFlag => Policy::RequestOnFlag,
        scenario::Policy::RequireOnFlag => Policy::RequireOnFlag,
        scenario::Policy::PostHandshake => Policy::PostHandshake,
    }
}

fn versions(versions: Versions) -> Vec<Version> {
    match versions {
        Versions::Tls13 => vec![Version::Tls13],
        Versions::Tls12 => vec![Version::Tls12],
        Versions::Both => vec![Version::Tls12, Version::Tls13],
    }
}

fn groups(groups: Groups) -> Vec<Group> {
    match groups {
        Groups::Default => vec![],
        Groups::X25519 => vec![Group::X25519],
        Groups::Secp256r1 => vec![Group::Secp256r1],
        Groups::Secp384r1 => vec![Group::Secp384r1],
        Groups::X25519Mlkem768 => vec![Group::X25519Mlkem768],
    }
}

fn cipher_suites(cipher: Cipher) -> Vec<CipherSuite> {
    match cipher {
        Cipher::Default => vec![],
        Cipher::Aes128Gcm => vec![CipherSuite::Aes128GcmSha256],
        Cipher::Aes256Gcm => vec![CipherSuite::Aes256GcmSha384],
        Cipher::Chacha20Poly1305 => vec![CipherSuite::Chacha20Poly1305Sha256],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flag_80_is_ten_zero_octets_and_a_one() {
        assert_eq!(
            extension_data(&[80]).to_string(),
            "0b0000000000000000000001"
        );
    }

    #[test]
    fn flags_share_their_octet() {
        assert_eq!(
            extension_data(&[81, 80]).to_string(),
            "0b0000000000000000000003"
        );
    }

    #[test]
    fn the_lowest_and_the_highest_flag_have_their_length() {
        assert_eq!(extension_data(&[0]).to_string(), "0101");
        let highest = extension_data(&[2039]).0;
        assert_eq!((highest.len(), highest[0], highest[255]), (256, 255, 0x80));
    }

    #[test]
    fn malformed_values_are_what_they_say() {
        let ours = extension_data(&[8]);
        assert_eq!(trailing_zero(&ours).to_string(), "03000100");
        assert_eq!(with_length(&ours, -1).to_string(), "010001");
        assert_eq!(with_length(&ours, 1).to_string(), "030001");
    }

    fn common() -> Common {
        Common {
            certificates: Certificates::generate().expect("certificates"),
            flag: 80,
            revision: Revision::Draft02,
        }
    }

    #[test]
    fn a_sweep_sets_every_flag_once() {
        let settings = Settings {
            client_encoding: Encoding::Sweep,
            ..Settings::default()
        };
        let setups = common().setups(&settings);
        assert_eq!(setups.len(), 2040);
        for (flag, setups) in (0..).zip(&setups) {
            assert_eq!(setups.sweep, Some(flag));
            let data = setups.told.client.tls_flags.clone().expect("flags");
            assert_eq!(reqmtls_contract::flag_is_set(&data.0, flag), Ok(true));
        }
    }

    #[test]
    fn an_end_without_the_flag_is_the_library_as_it_comes() {
        let settings = Settings {
            server_tls_flags: TlsFlags::Unknown,
            ..Settings::default()
        };
        let Ends { client, server } = common().setups(&settings).remove(0).told;
        assert_eq!((client.flag, server.flag), (None, None));
        assert_eq!(client.tls_flags, None);
    }

    #[test]
    fn an_end_that_pretends_is_judged_by_what_it_is_not_told() {
        let settings = Settings {
            server_policy: scenario::Policy::RequestOnFlag,
            server_pretence: ServerPretence::AsksEveryone,
            ..Settings::default()
        };
        let setups = common().setups(&settings).remove(0);
        assert_eq!(setups.judged.server.policy, Some(Policy::RequestOnFlag));
        assert_eq!(setups.told.server.policy, Some(Policy::Request));
    }
}
