//! The `tls_flags` extension, decoded as strictly as a receiver has to.

use reqmtls_vocabulary::ExtensionType;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The numbers of extensions that are known to carry flags: IANA's, and that of an early deployment.
pub(super) const CARRIERS: [ExtensionType; 2] =
    [ExtensionType::TLS_FLAGS, ExtensionType::EARLY_EXPERIMENT];

/// The flags of one well-formed `tls_flags` extension (draft-ietf-tls-tlsflags §2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFlags {
    flags: Vec<u16>,
}

/// Why the body of a `tls_flags` extension is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsFlagsError {
    /// There is not even a length octet.
    #[error("empty body, expected a length octet")]
    Empty,
    /// The length octet is zero.
    #[error("zero length, expected at least 1")]
    ZeroLength,
    /// The length octet is not the number of octets that follow it.
    #[error("length says {declared}, got {got} octets")]
    LengthMismatch {
        /// What the length octet says.
        declared: usize,
        /// How many octets follow it.
        got: usize,
    },
    /// No flag is set.
    #[error("all octets zero, expected at least one flag")]
    AllZero,
    /// The last octet is zero, so that fewer octets would do.
    #[error("trailing zero octet")]
    TrailingZero,
}

impl TlsFlags {
    /// Reads the body of a `tls_flags` extension: one length octet and that
    /// many octets, the last of them not zero; flag n is bit n mod 8, least
    /// significant first, of octet n div 8.
    pub fn decode(body: &[u8]) -> Result<Self, TlsFlagsError> {
        let (&declared, octets) = body.split_first().ok_or(TlsFlagsError::Empty)?;
        let (declared, got) = (usize::from(declared), octets.len());
        if declared != got {
            return Err(TlsFlagsError::LengthMismatch { declared, got });
        }
        let last = octets.last().ok_or(TlsFlagsError::ZeroLength)?;
        if octets.iter().all(|&octet| octet == 0) {
            return Err(TlsFlagsError::AllZero);
        }
        if *last == 0 {
            return Err(TlsFlagsError::TrailingZero);
        }
        let is_set = |&flag: &u16| octets[usize::from(flag / 8)] & (1 << (flag % 8)) != 0;
        let flags = (0..8 * u16::try_from(got).unwrap_or(255))
            .filter(is_set)
            .collect();
        Ok(Self { flags })
    }

    /// Whether a flag is set.
    #[must_use]
    pub fn contains(&self, flag: u16) -> bool {
        self.flags.binary_search(&flag).is_ok()
    }

    /// The numbers of the flags set, ascending; never empty.
    #[must_use]
    pub fn flags(&self) -> &[u16] {
        &self.flags
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DEFAULT_FLAG;

    #[test]
    fn decodes_the_request_mtls_flag() {
        let body = [11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        let flags = TlsFlags::decode(&body).unwrap();
        assert_eq!(flags.flags(), [DEFAULT_FLAG]);
        assert!(flags.contains(80) && !flags.contains(81) && !flags.contains(2000));
    }

    #[test]
    fn counts_bits_from_the_least_significant() {
        let flags = TlsFlags::decode(&[2, 0b1000_0001, 0b0100_0000]).unwrap();
        assert_eq!(flags.flags(), [0, 7, 14]);
    }

    #[test]
    fn decodes_every_single_flag() {
        for flag in 0..2040_u16 {
            let length = flag / 8 + 1;
            let mut body = vec![0; usize::from(length) + 1];
            body[0] = u8::try_from(length).unwrap();
            *body.last_mut().unwrap() = 1 << (flag % 8);
            assert_eq!(TlsFlags::decode(&body).unwrap().flags(), [flag]);
        }
    }

    #[test]
    fn rejects_an_empty_body() {
        assert_eq!(TlsFlags::decode(&[]), Err(TlsFlagsError::Empty));
    }

    #[test]
    fn rejects_zero_length() {
        assert_eq!(TlsFlags::decode(&[0]), Err(TlsFlagsError::ZeroLength));
    }

    #[test]
    fn rejects_a_length_that_does_not_match() {
        let error = |declared, got| Err(TlsFlagsError::LengthMismatch { declared, got });
        assert_eq!(TlsFlags::decode(&[0, 1]), error(0, 1));
        assert_eq!(TlsFlags::decode(&[2, 1]), error(2, 1));
        assert_eq!(TlsFlags::decode(&[1, 1, 1]), error(1, 2));
        assert_eq!(TlsFlags::decode(&[1; 257]), error(1, 256));
    }

    #[test]
    fn rejects_all_zero() {
        assert_eq!(TlsFlags::decode(&[1, 0]), Err(TlsFlagsError::AllZero));
        assert_eq!(TlsFlags::decode(&[3, 0, 0, 0]), Err(TlsFlagsError::AllZero));
    }

    #[test]
    fn rejects_trailing_zero_octet() {
        assert_eq!(
            TlsFlags::decode(&[2, 1, 0]),
            Err(TlsFlagsError::TrailingZero)
        );
    }
}
