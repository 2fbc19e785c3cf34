//! The editor's copy of the request mTLS flag, the opt-in revision.

use super::{
    CLIENT, Check, FREE, Level, NO_SEAM, RECOMMENDED, Requirement, SERVER, Section, Source,
};
use crate::judge::check::{demand, rca};

pub(super) const ROWS: &[Requirement] = &[
    Requirement {
        id: "RCA-1",
        level: Level::Must,
        sections: &[Section::of(&Source::RCA, "3")],
        statement: "a server that accepts the flag sends CertificateRequest with `tls_flags` carrying the \
                    flag",
        binds: SERVER,
        check: Check::Observed(rca::acknowledges),
        unviolated: None,
    },
    Requirement {
        id: "RCA-2",
        level: Level::May,
        sections: &[Section::of(&Source::RCA, "3")],
        statement: "a server may send CertificateRequest without the flag when it asks for another reason",
        binds: SERVER,
        check: Check::Observed(rca::other_reason),
        unviolated: FREE,
    },
    Requirement {
        id: "RCA-3",
        level: Level::Must,
        sections: &[Section::of(&Source::RCA, "3")],
        statement: "a client that set the flag and receives a CertificateRequest carrying it sends \
                    Certificate, empty if it has none. Ending the connection instead, by an alert or \
                    without, breaks it",
        binds: CLIENT,
        check: Check::Observed(rca::answers_with_certificate),
        unviolated: NO_SEAM,
    },
    Requirement {
        id: "RCA-4",
        level: Level::ShouldNot,
        sections: &[Section::of(&Source::RCA, "3")],
        statement: "such a client does not end the connection in anticipation of certificate_required",
        binds: CLIENT,
        check: Check::Observed(rca::does_not_end_early),
        unviolated: RECOMMENDED,
    },
    Requirement {
        id: "RCA-5",
        level: Level::MustNot,
        sections: &[Section::of(&Source::RCA, "3")],
        statement: "a server does not set the flag in CertificateRequest unless ClientHello had it",
        binds: SERVER,
        check: Check::Observed(rca::acknowledges_only_the_asked),
        unviolated: None,
    },
    Requirement {
        id: "RCA-6",
        level: Level::Must,
        sections: &[Section::of(&Source::RCA, "3")],
        statement: "a client that did not set it and receives it in CertificateRequest sends fatal \
                    illegal_parameter",
        binds: CLIENT,
        check: Check::Observed(demand::rca_6),
        unviolated: None,
    },
    Requirement {
        id: "RCA-7",
        level: Level::Must,
        sections: &[Section::of(&Source::RCA, "3")],
        statement: "a client that receives the flag in any message other than CertificateRequest ends with \
                    fatal illegal_parameter",
        binds: CLIENT,
        check: Check::Observed(demand::rca_7),
        unviolated: None,
    },
    Requirement {
        id: "RCA-8",
        level: Level::Must,
        sections: &[Section::of(&Source::RCA, "3")],
        statement: "a server that receives the flag in any message other than ClientHello ends with fatal \
                    illegal_parameter",
        binds: SERVER,
        check: Check::Observed(demand::rca_8),
        unviolated: None,
    },
    Requirement {
        id: "RCA-9",
        level: Level::MustNot,
        sections: &[Section::of(&Source::RCA, "3")],
        statement: "the client does not prompt a person for a certificate because of the flag (not visible \
                    on the wire)",
        binds: CLIENT,
        check: Check::Unobservable("whether a person was prompted does not pass over the wire"),
        unviolated: None,
    },
    Requirement {
        id: "RCA-10",
        level: Level::Should,
        sections: &[Section::of(&Source::RCA, "3")],
        statement: "a client sets the flag only when a certificate is directly available to it",
        binds: CLIENT,
        check: Check::Observed(rca::has_a_certificate),
        unviolated: RECOMMENDED,
    },
    Requirement {
        id: "RCA-11",
        level: Level::Statement,
        sections: &[Section::of(&Source::RCA, "3")],
        statement: "ending the connection is appropriate when the certificate_authorities or \
                    signature_algorithms of CertificateRequest cannot be satisfied: against RCA-3",
        binds: CLIENT,
        check: Check::Observed(rca::cannot_satisfy),
        unviolated: FREE,
    },
    Requirement {
        id: "RCA-12",
        level: Level::Statement,
        sections: &[Section::of(&Source::RCA, "4.2")],
        statement: "a server that verifies flag-setting clients by other trust anchors than the rest \
                    selects the right ones in each case, resumption included",
        binds: SERVER,
        check: Check::Unobservable(
            "which trust anchors a server verifies by does not pass over the wire, and is not known of any end",
        ),
        unviolated: None,
    },
];
