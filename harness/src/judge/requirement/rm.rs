//! The request mTLS flag, draft-jhoyla-req-mtls-flag-00.

use super::{BOTH, Check, FREE, Level, Requirement, SERVER, Section, Source};
use crate::judge::check::rm;

pub(super) const ROWS: &[Requirement] = &[
    Requirement {
        id: "RM-1",
        level: Level::May,
        sections: &[Section::of(&Source::RM, "3")],
        statement: "a server that received the flag may send CertificateRequest in the main handshake",
        binds: SERVER,
        check: Check::Observed(rm::may_request),
        unviolated: FREE,
    },
    Requirement {
        id: "RM-2",
        level: Level::Statement,
        sections: &[Section::of(&Source::RM, "4")],
        statement: "the flag is a hint and changes nothing about security: a server may send \
                    CertificateRequest without it, and may leave it out with it",
        binds: SERVER,
        check: Check::Observed(rm::hint),
        unviolated: FREE,
    },
    Requirement {
        id: "RM-3",
        level: Level::May,
        sections: &[Section::of(&Source::RM, "4")],
        statement: "if the client set the flag and then provides no certificate, the server may end the \
                    connection with bad_certificate (42). Only then: towards a client that did not set it, \
                    42 for an absent certificate breaks TLS-4",
        binds: SERVER,
        check: Check::Observed(rm::absent_certificate),
        unviolated: FREE,
    },
    Requirement {
        id: "RM-4",
        level: Level::Statement,
        sections: &[Section::of(&Source::RM, "5")],
        statement: "the flag belongs in ClientHello only",
        binds: BOTH,
        check: Check::Observed(rm::client_hello_only),
        unviolated: None,
    },
    Requirement {
        id: "RM-5",
        level: Level::Inference,
        sections: &[Section::of(&Source::RM, "1")],
        statement: "what the flag is for: a server with an on-flag policy asks only the clients that set \
                    it, in the first handshake, without the extra round trip of post-handshake \
                    authentication",
        binds: SERVER,
        check: Check::Observed(rm::asks_on_flag),
        unviolated: None,
    },
];
