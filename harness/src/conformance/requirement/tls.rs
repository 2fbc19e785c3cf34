//! What RFC 8446 adds for these handshakes.

use super::{
    Document,
    Level::{self, May, Must, Statement},
    Requirement,
};

pub(super) const ROWS: &[Requirement] = &[
    row(
        "TLS-1",
        "4.3.2",
        Must,
        "CertificateRequest, if sent, follows EncryptedExtensions; a server that \
         authenticates with a PSK does not send it in the main handshake",
    ),
    row(
        "TLS-2",
        "4.4.2",
        Must,
        "the client sends Certificate if and only if it was asked; it is empty if the client \
         has nothing suitable, and then it still goes on to Finished",
    ),
    row(
        "TLS-3",
        "4.4.3",
        Must,
        "CertificateVerify follows a non-empty Certificate, and only that",
    ),
    row(
        "TLS-4",
        "4.4.2.4",
        May,
        "a server that got an empty Certificate may go on without client authentication or \
         abort with certificate_required (116)",
    ),
    row(
        "TLS-5",
        "4.4.2.4, 6.2",
        May,
        "a server that finds the chain unacceptable may go on or abort, with the alert that \
         says why: unknown_ca (48), certificate_expired (45), unsupported_certificate (43), \
         bad_certificate (42), certificate_unknown (46)",
    ),
    row(
        "TLS-6",
        "4.4.3",
        Must,
        "a CertificateVerify that does not verify ends with decrypt_error (51)",
    ),
    row(
        "TLS-7",
        "4.2",
        Must,
        "a server ignores extensions in ClientHello that it does not know; a client that \
         receives an extension response it did not ask for aborts with unsupported_extension \
         (110)",
    ),
    row(
        "TLS-8",
        "4.2",
        Must,
        "an extension known to the receiver but not allowed in that message ends with \
         illegal_parameter (47); there is no more than one extension of a type in a block",
    ),
    row(
        "TLS-9",
        "4.1.2",
        Must,
        "the second ClientHello after HelloRetryRequest carries the same flags as the first",
    ),
    row(
        "TLS-10",
        "6",
        Must,
        "after a fatal alert both sides close; before an orderly close each side sends \
         close_notify",
    ),
    row(
        "TLS-11",
        "4.2.1",
        Statement,
        "`tls_flags` has no meaning when TLS 1.2 is negotiated: a server that selects 1.2 \
         behaves as if it were absent",
    ),
    row(
        "TLS-12",
        "4.6.2",
        Must,
        "CertificateRequest after the handshake only to a client that offered \
         post_handshake_auth",
    ),
];

const fn row(
    id: &'static str,
    section: &'static str,
    level: Level,
    statement: &'static str,
) -> Requirement {
    Requirement {
        id,
        level,
        document: Document::Tls,
        section,
        statement,
    }
}
