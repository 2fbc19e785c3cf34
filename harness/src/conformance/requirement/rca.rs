//! The editor's copy of the request mTLS flag, the opt-in revision.

use super::{
    Document,
    Level::{self, May, Must, MustNot, ShouldNot},
    Requirement,
};

pub(super) const ROWS: &[Requirement] = &[
    row(
        "RCA-1",
        Must,
        "a server that accepts the flag sends CertificateRequest with `tls_flags` carrying \
         the flag",
    ),
    row(
        "RCA-2",
        May,
        "a server may send CertificateRequest without the flag when it asks for another \
         reason",
    ),
    row(
        "RCA-3",
        Must,
        "a client that set the flag and receives a CertificateRequest carrying it answers \
         with Certificate, empty if it has none",
    ),
    row(
        "RCA-4",
        ShouldNot,
        "such a client does not end the connection in anticipation of certificate_required",
    ),
    row(
        "RCA-5",
        MustNot,
        "a server does not set the flag in CertificateRequest unless ClientHello had it",
    ),
    row(
        "RCA-6",
        Must,
        "a client that did not set it and receives it in CertificateRequest sends fatal \
         illegal_parameter",
    ),
    row(
        "RCA-7",
        Must,
        "a client that receives the flag in any message other than CertificateRequest ends \
         with fatal illegal_parameter",
    ),
    row(
        "RCA-8",
        Must,
        "a server that receives the flag in any message other than ClientHello ends with \
         fatal illegal_parameter",
    ),
    row(
        "RCA-9",
        MustNot,
        "the client does not prompt a person for a certificate because of the flag",
    ),
];

const fn row(id: &'static str, level: Level, statement: &'static str) -> Requirement {
    Requirement {
        id,
        level,
        document: Document::Rca,
        section: "",
        statement,
    }
}
