//! What differs between revisions and deployments of the drafts.

use crate::flags::{REQUEST_MTLS, TLS_FLAGS};

/// The two numbers that an end has to agree on with the other end.
///
/// ```
/// use rustls_tlsflags::{Codepoints, EARLY_TLS_FLAGS};
///
/// // Cloudflare's deployment has the extension under its early number.
/// let cloudflare = Codepoints {
///     extension: EARLY_TLS_FLAGS,
///     ..Codepoints::default()
/// };
/// assert_eq!((cloudflare.extension, cloudflare.request_mtls), (0xfe01, 80));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Codepoints {
    /// The number of the extension `tls_flags`: [`TLS_FLAGS`] by default.
    ///
    /// It must not be one of an extension that rustls knows.
    pub extension: u16,
    /// The number of the request mTLS flag: [`REQUEST_MTLS`] by default.
    pub request_mtls: u16,
}

impl Default for Codepoints {
    fn default() -> Self {
        Self {
            extension: TLS_FLAGS,
            request_mtls: REQUEST_MTLS,
        }
    }
}

/// A text of draft-jhoyla-req-mtls-flag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Revision {
    /// The published revisions, draft-jhoyla-req-mtls-flag-00 to -02: the flag is never acknowledged.
    #[default]
    Draft02,
    /// The editor's copy of June 2025, where CertificateRequest acknowledges the flag: see
    /// [`crate::editors_copy`].
    EditorsCopy,
}
