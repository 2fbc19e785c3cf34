//! The request mTLS flag, revision -00.

use super::{
    Document,
    Level::{self, May, Statement},
    Requirement,
};

pub(super) const ROWS: &[Requirement] = &[
    row(
        "RM-1",
        "3",
        May,
        "a server that received the flag may send CertificateRequest in the main handshake",
    ),
    row(
        "RM-2",
        "4",
        Statement,
        "the flag is a hint and changes nothing about security: a server may send \
         CertificateRequest without it, and may leave it out with it",
    ),
    row(
        "RM-3",
        "4",
        May,
        "if the client set the flag and then provides no certificate, the server may end the \
         connection with bad_certificate (42)",
    ),
    row(
        "RM-4",
        "5",
        Statement,
        "the flag belongs in ClientHello only",
    ),
    row(
        "RM-5",
        "1",
        Statement,
        "what the flag is for: a server with an on-flag policy asks only the clients that set \
         it, in the first handshake, without the extra round trip of post-handshake \
         authentication",
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
        document: Document::Rm,
        section,
        statement,
    }
}
