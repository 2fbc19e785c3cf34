//! Malformed values of `tls_flags`, and what each document demands of their receiver.
//!
//! The syntax is `opaque flags<1..255>`, draft-ietf-tls-tlsflags §2. Where a value does not parse by it, that
//! document wants `illegal_parameter` (TF-4) and RFC 9846 wants `decode_error` (TLS-17, TLS-18). Where it parses and
//! makes no sense, both want `illegal_parameter` (TF-3, TLS-18).
//!
//! | value | TF-3 | TF-4 | TLS-17 | TLS-18 |
//! | --- | --- | --- | --- | --- |
//! | no octets at all: the length octet is missing | | 47 | | 50 |
//! | length 0: out of range, with or without more octets | | 47 | 50 if any follow | 50 |
//! | length too small: octets are left over | | 47 | 50 | |
//! | length too large: beyond the end of the extension | | 47 | | 50 |
//! | all zero, or trailing zero octets | 47 | | | 47 |

use reqmtls_observer::{AlertDescription, TlsFlagsError};

/// An alert and the requirement that demands it.
pub(super) type Demand = (AlertDescription, &'static str);

const ILLEGAL: AlertDescription = AlertDescription::ILLEGAL_PARAMETER;
const DECODE: AlertDescription = AlertDescription::DECODE_ERROR;

/// What a receiver that implements the extension has to answer.
pub(super) fn demands(error: TlsFlagsError) -> &'static [Demand] {
    match error {
        TlsFlagsError::Empty | TlsFlagsError::ZeroLength => {
            &[(ILLEGAL, "TF-4"), (DECODE, "TLS-18")]
        }
        TlsFlagsError::LengthMismatch { declared: 0, .. } => {
            &[(ILLEGAL, "TF-4"), (DECODE, "TLS-17"), (DECODE, "TLS-18")]
        }
        TlsFlagsError::LengthMismatch { declared, got } if declared < got => {
            &[(ILLEGAL, "TF-4"), (DECODE, "TLS-17")]
        }
        TlsFlagsError::LengthMismatch { .. } => &[(ILLEGAL, "TF-4"), (DECODE, "TLS-18")],
        TlsFlagsError::AllZero | TlsFlagsError::TrailingZero => {
            &[(ILLEGAL, "TF-3"), (ILLEGAL, "TLS-18")]
        }
    }
}

/// Whether octets are left over behind the structure (TLS-17).
pub(super) fn has_surplus(error: TlsFlagsError) -> bool {
    matches!(error, TlsFlagsError::LengthMismatch { declared, got } if declared < got)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqmtls_observer::TlsFlags;

    #[test]
    fn every_kind_of_value_has_the_alerts_of_the_table() {
        let demanded = |value: &[u8]| {
            let error = TlsFlags::decode(value).unwrap_err();
            let alerts = demands(error)
                .iter()
                .map(|(alert, by)| format!("{by} {}", alert.0));
            (alerts.collect::<Vec<_>>().join(", "), has_surplus(error))
        };
        let row = |text: &str, surplus| (text.to_owned(), surplus);
        assert_eq!(demanded(&[]), row("TF-4 47, TLS-18 50", false));
        assert_eq!(demanded(&[0]), row("TF-4 47, TLS-18 50", false));
        assert_eq!(
            demanded(&[0, 1]),
            row("TF-4 47, TLS-17 50, TLS-18 50", true)
        );
        assert_eq!(demanded(&[1, 1, 1]), row("TF-4 47, TLS-17 50", true));
        assert_eq!(demanded(&[2, 1]), row("TF-4 47, TLS-18 50", false));
        assert_eq!(demanded(&[1, 0]), row("TF-3 47, TLS-18 47", false));
        assert_eq!(demanded(&[2, 1, 0]), row("TF-3 47, TLS-18 47", false));
    }
}
