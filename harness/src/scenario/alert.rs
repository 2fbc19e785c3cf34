//! The alerts by which a refused handshake may end, as in IANA's TLS Alerts registry.

use std::fmt;

/// One alert. Reserved ones are left out: none may be expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Alert {
    /// IANA's name.
    pub name: &'static str,
    /// IANA's number.
    pub code: u8,
}

impl Alert {
    /// The alert of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        ALERTS.iter().copied().find(|alert| alert.name == name)
    }
}

impl fmt::Display for Alert {
    /// `certificate_required(116)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}({})", self.name, self.code))
    }
}

/// Every alert, by number.
pub const ALERTS: &[Alert] = &[
    alert("close_notify", 0),
    alert("unexpected_message", 10),
    alert("bad_record_mac", 20),
    alert("record_overflow", 22),
    alert("handshake_failure", 40),
    alert("bad_certificate", 42),
    alert("unsupported_certificate", 43),
    alert("certificate_revoked", 44),
    alert("certificate_expired", 45),
    alert("certificate_unknown", 46),
    alert("illegal_parameter", 47),
    alert("unknown_ca", 48),
    alert("access_denied", 49),
    alert("decode_error", 50),
    alert("decrypt_error", 51),
    alert("too_many_cids_requested", 52),
    alert("protocol_version", 70),
    alert("insufficient_security", 71),
    alert("internal_error", 80),
    alert("inappropriate_fallback", 86),
    alert("user_canceled", 90),
    alert("missing_extension", 109),
    alert("unsupported_extension", 110),
    alert("unrecognized_name", 112),
    alert("bad_certificate_status_response", 113),
    alert("unknown_psk_identity", 115),
    alert("certificate_required", 116),
    alert("general_error", 117),
    alert("no_application_protocol", 120),
    alert("ech_required", 121),
];

const fn alert(name: &'static str, code: u8) -> Alert {
    Alert { name, code }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_snake_case_and_found() {
        for alert in ALERTS {
            assert!(
                alert
                    .name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c == '_')
            );
            assert_eq!(Alert::find(alert.name), Some(*alert));
        }
        assert_eq!(Alert::find("certificate-required"), None);
    }

    #[test]
    fn numbers_rise_without_repetition() {
        assert!(ALERTS.is_sorted_by(|one, other| one.code < other.code));
    }

    #[test]
    fn displays_name_and_number() {
        let alert = Alert::find("certificate_required").unwrap();
        assert_eq!(alert.to_string(), "certificate_required(116)");
    }
}
