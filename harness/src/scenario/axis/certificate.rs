//! What the client answers a CertificateRequest with.

use reqmtls_vocabulary::Side;

use super::super::certificates::Certificates;
use super::super::draft::Draft;
use super::{Axis, misbehaviour, nothing, value};

pub(super) const CLIENT: Axis = Axis {
    name: "client.certificate",
    about: "What the client has to answer a CertificateRequest with.",
    side: Some(Side::Client),
    needs: None,
    values: &[
        value("absent", "It has no certificate.", nothing),
        value(
            "present",
            "It has a certificate that the server trusts.",
            |draft| {
                has(draft, |all| &all.client);
            },
        ),
        value(
            "untrusted",
            "Its issuer is one that the server does not trust.",
            |draft| {
                has(draft, |all| &all.untrusted);
            },
        ),
        value("expired", "Its validity has ended.", |draft| {
            has(draft, |all| &all.expired);
        }),
        value("not-yet-valid", "Its validity has not begun.", |draft| {
            has(draft, |all| &all.not_yet_valid);
        }),
        value(
            "wrong-key-usage",
            "Its extended key usage allows servers only.",
            |draft| {
                has(draft, |all| &all.wrong_key_usage);
            },
        ),
        value("self-signed", "It is its own issuer.", |draft| {
            has(draft, |all| &all.self_signed);
        }),
        value(
            "intermediate-missing",
            "The client leaves out the certificate of its issuer, which the server does not have.",
            |draft| has(draft, |all| &all.intermediate_missing),
        ),
        value(
            "long-chain",
            "Four intermediates of some kilobytes stand between it and the authority.",
            |draft| has(draft, |all| &all.long_chain),
        ),
        misbehaviour(
            "bad-signature",
            "It is trusted, and the signature in CertificateVerify does not verify.",
            |draft| {
                has(draft, |all| &all.client);
                draft.client.bad_certificate_verify = true;
            },
        ),
    ],
};

fn has(draft: &mut Draft<'_>, which: fn(&Certificates) -> &reqmtls_contract::Identity) {
    draft.client.identity = Some(which(&draft.material.certificates).clone());
}
