//! What a server on the flag has to know of a ClientHello's extensions.

use thiserror::Error;

/// Number of the `tls_flags` extension in the TLS `ExtensionType` registry.
pub const TLS_FLAGS: u16 = 62;

/// Number of the `supported_versions` extension, RFC 9846 §4.3.1 (RFC 8446 §4.2.1).
pub const SUPPORTED_VERSIONS: u16 = 43;

/// A `tls_flags` value that its receiver answers with `illegal_parameter`
/// (draft-ietf-tls-tlsflags §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("malformed tls_flags: {0}")]
pub struct MalformedFlags(&'static str);

/// Whether the `extension_data` of `tls_flags` sets a flag.
pub fn flag_is_set(extension_data: &[u8], flag: u16) -> Result<bool, MalformedFlags> {
    let Some((length, octets)) = extension_data.split_first() else {
        return Err(MalformedFlags("no octets, expected a length"));
    };
    if usize::from(*length) != octets.len() {
        return Err(MalformedFlags(
            "the length is not that of the octets that follow",
        ));
    }
    match octets.last() {
        None => Err(MalformedFlags("length zero, expected at least one octet")),
        Some(0) => Err(MalformedFlags("the last octet is zero")),
        Some(_) => {
            let octet = octets.get(usize::from(flag / 8)).copied().unwrap_or(0);
            Ok(octet >> (flag % 8) & 1 == 1)
        }
    }
}

/// Whether the `extension_data` of a ClientHello's `supported_versions` offers TLS 1.3.
#[must_use]
pub fn offers_tls13(extension_data: &[u8]) -> bool {
    let versions = extension_data.get(1..).unwrap_or_default();
    versions.chunks_exact(2).any(|version| version == [3, 4])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_flag_80_and_no_other() {
        let data = [11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        assert_eq!(flag_is_set(&data, 80), Ok(true));
        assert_eq!(flag_is_set(&data, 81), Ok(false));
        assert_eq!(flag_is_set(&data, 2039), Ok(false));
    }

    #[test]
    fn rejects_every_malformed_value() {
        for data in [
            &[][..],
            &[0],
            &[1, 0],
            &[2, 1, 0],
            &[2, 1],
            &[1, 1, 1],
            &[3, 0, 0, 0],
        ] {
            assert!(flag_is_set(data, 80).is_err(), "{data:?}");
        }
    }

    #[test]
    fn tells_tls13_from_tls12() {
        assert!(offers_tls13(&[4, 3, 4, 3, 3]));
        assert!(!offers_tls13(&[2, 3, 3]));
        assert!(!offers_tls13(&[]));
    }
}
