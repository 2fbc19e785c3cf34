//! From a case's settings to the jobs of its two ends.

use reqmtls_contract::{CipherSuite, Group, Hex, Policy, Setup, Version};

use crate::certificates::{Certificates, SERVER_NAME};
use crate::scenario::{self, Certificate, Cipher, Flag, Groups, Settings, Versions};

/// The setup of the client's end. `flag` is the number of the request mTLS flag.
#[must_use]
pub fn client(settings: &Settings, certificates: &Certificates, flag: u16) -> Setup {
    Setup {
        versions: versions(settings.client_versions),
        groups: groups(settings.client_groups),
        cipher_suites: cipher_suites(settings.cipher),
        tls_flags: (settings.client_flag == Flag::Set).then(|| extension_data(flag)),
        identity: (settings.client_certificate == Certificate::Present)
            .then(|| certificates.client.clone()),
        trust_anchors: Some(certificates.authority.clone()),
        server_name: Some(SERVER_NAME.to_owned()),
        ..Setup::default()
    }
}

/// The setup of the server's end. `flag` is the number of the request mTLS flag.
#[must_use]
pub fn server(settings: &Settings, certificates: &Certificates, flag: u16) -> Setup {
    Setup {
        versions: versions(settings.server_versions),
        groups: groups(settings.server_groups),
        cipher_suites: cipher_suites(settings.cipher),
        flag: Some(flag),
        policy: Some(match settings.server_policy {
            scenario::Policy::Never => Policy::Never,
            scenario::Policy::Request => Policy::Request,
            scenario::Policy::Require => Policy::Require,
            scenario::Policy::RequestOnFlag => Policy::RequestOnFlag,
            scenario::Policy::RequireOnFlag => Policy::RequireOnFlag,
        }),
        identity: Some(certificates.server.clone()),
        trust_anchors: Some(certificates.authority.clone()),
        ..Setup::default()
    }
}

/// The minimal `extension_data` of `tls_flags` that sets one flag (draft-ietf-tls-tlsflags §2).
#[must_use]
pub fn extension_data(flag: u16) -> Hex {
    let octets = flag / 8 + 1;
    let length = u8::try_from(octets).unwrap_or(u8::MAX);
    let mut data = vec![0; usize::from(length) + 1];
    data[0] = length;
    data[usize::from(length)] = 1 << (flag % 8);
    Hex(data)
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
        assert_eq!(extension_data(80).to_string(), "0b0000000000000000000001");
    }

    #[test]
    fn the_lowest_and_the_highest_flag_have_their_length() {
        assert_eq!(extension_data(0).to_string(), "0101");
        let highest = extension_data(2039).0;
        assert_eq!((highest.len(), highest[0], highest[255]), (256, 255, 0x80));
    }
}
