//! Whether to ask a client for a certificate.

use crate::flags::Flags;

/// What a server asks of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientAuth {
    /// No CertificateRequest.
    None,
    /// CertificateRequest; a client without a certificate is welcome.
    Optional,
    /// CertificateRequest; a client without a certificate is refused.
    Required,
}

/// How a server decides what to ask.
///
/// The flag is a hint that changes nothing about security
/// (draft-jhoyla-req-mtls-flag §4): under the two policies that look at it, a
/// client that does not set it is *not authenticated*, and the application
/// must treat it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientAuthPolicy {
    /// Ask nobody.
    Never,
    /// Ask everybody, refuse nobody for lack of a certificate.
    Request,
    /// Ask everybody, and refuse who has no certificate.
    Require,
    /// Ask those that set the flag, refuse nobody for lack of a certificate.
    RequestOnFlag,
    /// Ask those that set the flag, and refuse them without a certificate.
    RequireOnFlag,
}

impl ClientAuthPolicy {
    /// What to ask of a client.
    #[must_use]
    pub fn decide(self, flag_is_set: bool) -> ClientAuth {
        match (self, flag_is_set) {
            (Self::Never, _) | (Self::RequestOnFlag | Self::RequireOnFlag, false) => {
                ClientAuth::None
            }
            (Self::Request, _) | (Self::RequestOnFlag, true) => ClientAuth::Optional,
            (Self::Require, _) | (Self::RequireOnFlag, true) => ClientAuth::Required,
        }
    }
}

/// What a client offers, as far as flags go.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Offer {
    /// The flags of its ClientHello.
    ///
    /// `None` if it has no `tls_flags` extension, and also if TLS 1.2 is
    /// negotiated, where the extension has no meaning.
    pub flags: Option<Flags>,
    /// The `extension_data` of `tls_flags` as it came, under any version.
    pub extension_data: Option<Vec<u8>>,
    /// Whether TLS 1.3 is negotiated, if the handshake gets that far.
    pub tls13: bool,
}

impl Offer {
    /// Whether `flag` is set, and has a meaning.
    #[must_use]
    pub fn sets(&self, flag: u16) -> bool {
        self.flags
            .as_ref()
            .is_some_and(|flags| flags.contains(flag))
    }
}
