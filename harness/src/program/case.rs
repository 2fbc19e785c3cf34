//! What a client is put before: when the server asks, and what certificate the client has.

use std::fmt;

use reqmtls_contract::Policy;
use reqmtls_vocabulary::words;
use serde::{Deserialize, Serialize};

words! {
    /// The certificate that a client has.
    pub enum Certificate {
        /// None.
        None = "none",
        /// One that an authority has issued which the server trusts.
        Fits = "fits",
        /// One of another authority.
        Other = "other",
    }
}

/// One case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// When the server asks.
    pub policy: Policy,
    /// What the client has.
    pub certificate: Certificate,
    /// Whether CertificateRequest names the authority that the server trusts (RFC 9846 §4.3.4 (RFC 8446 §4.2.4)). One
    /// that names none accepts anybody's.
    pub names_authority: bool,
}

const fn case(policy: Policy, certificate: Certificate) -> Case {
    Case {
        policy,
        certificate,
        names_authority: true,
    }
}

/// Every case.
pub const CASES: &[Case] = &[
    case(Policy::Never, Certificate::None),
    case(Policy::Request, Certificate::None),
    case(Policy::Require, Certificate::None),
    case(Policy::RequestOnFlag, Certificate::None),
    case(Policy::Request, Certificate::Fits),
    case(Policy::Require, Certificate::Fits),
    case(Policy::RequestOnFlag, Certificate::Fits),
    case(Policy::Request, Certificate::Other),
    Case {
        names_authority: false,
        ..case(Policy::Request, Certificate::Other)
    },
];

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            policy,
            certificate,
            names_authority,
        } = self;
        let unnamed = if *names_authority {
            ""
        } else {
            "/no-authority-named"
        };
        write!(f, "{policy}/{certificate}{unnamed}")
    }
}
