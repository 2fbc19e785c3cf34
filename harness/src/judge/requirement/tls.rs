//! What RFC 9846 adds for these handshakes.

use super::{BOTH, CLIENT, Check, Level, NO_ALERT, NO_SEAM, Requirement, SERVER, Section, Source};
use crate::judge::check::{alerts, certificate, demand, extensions, refusal, request, unknown};

pub(super) const ROWS: &[Requirement] = &[
    Requirement {
        id: "TLS-1",
        level: Level::Must,
        sections: &[now("4.4.2"), then("4.3.2")],
        statement: "CertificateRequest, if sent, follows EncryptedExtensions. A server that authenticates \
                    with a resumption PSK does not send it in the main handshake; with an external PSK \
                    neither there nor afterwards (RFC 9846), unless another specification permits it (RFC \
                    8773 and its successor)",
        binds: SERVER,
        check: Check::Observed(request::place),
        unviolated: NO_SEAM,
    },
    Requirement {
        id: "TLS-2",
        level: Level::Must,
        sections: &[now("4.5.1"), then("4.4.2")],
        statement: "the client sends Certificate (or CompressedCertificate, RFC 8879) if and only if it was \
                    asked; empty if it has nothing suitable, and then it still goes on to Finished. RFC \
                    9846 nowhere forbids a client to end the connection when it is asked: that alone \
                    violates nothing here (RCA-3 and RCA-4 speak of it)",
        binds: CLIENT,
        check: Check::Observed(certificate::if_and_only_if_asked),
        unviolated: NO_SEAM,
    },
    Requirement {
        id: "TLS-3",
        level: Level::Must,
        sections: &[now("4.5.2"), then("4.4.3")],
        statement: "CertificateVerify follows a non-empty Certificate at once, and only that",
        binds: BOTH,
        check: Check::Observed(certificate::verify_follows),
        unviolated: NO_SEAM,
    },
    Requirement {
        id: "TLS-4",
        level: Level::May,
        sections: &[now("4.5.1.3"), then("4.4.2.4")],
        statement: "a server that got an empty Certificate goes on without client authentication, or aborts \
                    with certificate_required (116). general_error (117) is open: §6.2 lets a sender \
                    conceal the specific code; report it as informational",
        binds: SERVER,
        check: Check::Observed(refusal::of_absent_certificate),
        unviolated: NO_ALERT,
    },
    Requirement {
        id: "TLS-5",
        level: Level::Must,
        sections: &[
            now("4.5.1.2"),
            now("4.5.1.3"),
            then("4.4.2.2"),
            then("4.4.2.4"),
        ],
        statement: "a server that finds the chain unacceptable goes on and regards the client as \
                    unauthenticated, or aborts; if it aborts, by a certificate-related alert (42 to 46, \
                    48). 49 is open: §6.2 gives it for a valid certificate that access control refuses. RFC \
                    8446 said this MUST of the client only",
        binds: SERVER,
        check: Check::Observed(refusal::of_unacceptable_chain),
        unviolated: NO_ALERT,
    },
    Requirement {
        id: "TLS-6",
        level: Level::Must,
        sections: &[now("4.5.2"), then("4.4.3")],
        statement: "a CertificateVerify that does not verify ends with decrypt_error (51)",
        binds: BOTH,
        check: Check::Observed(demand::tls_6),
        unviolated: Some("no end here accepts a signature that does not verify"),
    },
    Requirement {
        id: "TLS-7",
        level: Level::Must,
        sections: &[now("4.3"), then("4.2")],
        statement: "an extension in SH, HRR, EE or CT that the receiver did not ask for, of whatever type \
                    (cookie in HRR excepted): the sender must not send it, the receiver aborts with \
                    unsupported_extension (110)",
        binds: BOTH,
        check: Check::Observed(extensions::only_asked),
        unviolated: None,
    },
    Requirement {
        id: "TLS-8",
        level: Level::Must,
        sections: &[now("4.3"), then("4.2")],
        statement: "an extension that the receiver recognises in a message that it is not specified for \
                    ends with illegal_parameter (47); there is no more than one extension of a type in a \
                    block",
        binds: BOTH,
        check: Check::Observed(extensions::once_and_in_place),
        unviolated: None,
    },
    Requirement {
        id: "TLS-9",
        level: Level::Must,
        sections: &[now("4.2.2"), then("4.1.2")],
        statement: "the second ClientHello is the first, but for key_share, early_data, cookie, \
                    pre_shared_key, padding, and what an extension in HelloRetryRequest permits",
        binds: CLIENT,
        check: Check::Observed(extensions::same_after_retry),
        unviolated: None,
    },
    Requirement {
        id: "TLS-10",
        level: Level::Must,
        sections: &[now("6"), now("6.1"), now("6.2")],
        statement: "each side sends close_notify before it closes its direction, unless it sent an error \
                    alert; after an error alert, of whatever level, neither side sends anything. Who has \
                    received an error alert may close in silence",
        binds: BOTH,
        check: Check::Observed(alerts::closes),
        unviolated: NO_SEAM,
    },
    Requirement {
        id: "TLS-11",
        level: Level::Inference,
        sections: &[now("4.3.1"), then("4.2.1")],
        statement: "`tls_flags` has no meaning when TLS 1.2 is negotiated: a server that selects 1.2 \
                    behaves as if it were absent",
        binds: SERVER,
        check: Check::Observed(extensions::meaningless_in_tls12),
        unviolated: None,
    },
    Requirement {
        id: "TLS-12",
        level: Level::MustNot,
        sections: &[now("4.7.2"), then("4.6.2")],
        statement: "a server asks after the handshake only a client that offered post_handshake_auth",
        binds: SERVER,
        check: Check::Observed(request::only_if_offered),
        unviolated: NO_SEAM,
    },
    Requirement {
        id: "TLS-13",
        level: Level::Must,
        sections: &[now("4.2.2"), now("4.4.2"), now("9.3")],
        statement: "extensions that are not recognised are ignored: in ClientHello by servers, in \
                    CertificateRequest and NewSessionTicket by clients",
        binds: BOTH,
        check: Check::Observed(unknown::ignores_extensions),
        unviolated: Some("no end here refuses what it does not recognise"),
    },
    Requirement {
        id: "TLS-14",
        level: Level::Must,
        sections: &[now("4.7.2"), then("4.6.2")],
        statement: "a client answers a request after the handshake with Certificate (and CertificateVerify) \
                    and Finished, without other messages between; one that did not offer it sends fatal \
                    unexpected_message (10)",
        binds: CLIENT,
        check: Check::Observed(certificate::answers_late_request),
        unviolated: NO_SEAM,
    },
    Requirement {
        id: "TLS-15",
        level: Level::Must,
        sections: &[now("4.4.2"), then("4.3.2")],
        statement: "CertificateRequest carries signature_algorithms; its context is empty in the main \
                    handshake",
        binds: SERVER,
        check: Check::Observed(request::content),
        unviolated: None,
    },
    Requirement {
        id: "TLS-16",
        level: Level::Must,
        sections: &[now("4.5.1"), now("4.5.1.3"), then("4.4.2.4")],
        statement: "the server's Certificate is not empty; an empty one ends with decode_error (50)",
        binds: BOTH,
        check: Check::Observed(certificate::server_sends_some),
        unviolated: NO_SEAM,
    },
    Requirement {
        id: "TLS-17",
        level: Level::Must,
        sections: &[now("4.3")],
        statement: "data left over in extension_data after its structure: the sender must not send it, a \
                    receiver that implements the extension aborts with decode_error (50)",
        binds: BOTH,
        check: Check::Observed(extensions::nothing_left_over),
        unviolated: None,
    },
    Requirement {
        id: "TLS-18",
        level: Level::Must,
        sections: &[now("6")],
        statement: "what cannot be parsed by its syntax ends with decode_error (50); what parses and makes \
                    no sense, with illegal_parameter (47)",
        binds: BOTH,
        check: Check::Observed(demand::tls_18),
        unviolated: None,
    },
    Requirement {
        id: "TLS-19",
        level: Level::Must,
        sections: &[now("4.4.1"), then("4.3.1")],
        statement: "a client that finds a forbidden extension in EncryptedExtensions aborts with \
                    illegal_parameter (47); TLS-7 names 110 for one that it did not ask for",
        binds: CLIENT,
        check: Check::Observed(demand::tls_19),
        unviolated: None,
    },
    Requirement {
        id: "TLS-20",
        level: Level::Must,
        sections: &[now("6.1")],
        statement: "user_canceled is followed by close_notify; it is no error alert (RFC 9846)",
        binds: BOTH,
        check: Check::Observed(alerts::closes_after_cancel),
        unviolated: NO_ALERT,
    },
    Requirement {
        id: "TLS-21",
        level: Level::Must,
        sections: &[now("6"), now("6.1")],
        statement: "error alerts are sent at level fatal and are errors whatever their level; close_notify \
                    is sent at level warning",
        binds: BOTH,
        check: Check::Observed(alerts::levels),
        unviolated: NO_ALERT,
    },
    Requirement {
        id: "TLS-22",
        level: Level::Must,
        sections: &[Section::of(&Source::RFC8879, "4")],
        statement: "CompressedCertificate is sent only to an end that offered compress_certificate: in \
                    ClientHello for the server's, in CertificateRequest for the client's",
        binds: BOTH,
        check: Check::Observed(certificate::compressed_if_offered),
        unviolated: NO_SEAM,
    },
];

const fn now(number: &'static str) -> Section {
    Section::of(&Source::RFC9846, number)
}

const fn then(number: &'static str) -> Section {
    Section::of(&Source::RFC8446, number)
}
