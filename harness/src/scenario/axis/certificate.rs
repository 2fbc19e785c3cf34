//! Of what kind the keys are, and what the client answers a CertificateRequest with.

use reqmtls_contract::{Identity, Keys};
use reqmtls_vocabulary::Side;

use super::super::certificates::Certificates;
use super::super::draft::Draft;
use super::{Axis, misbehaviour, nothing, value};

// It stands before the client's certificate, which is then one with such keys.
pub(super) const KEYS: Axis = Axis {
    name: "keys",
    about: "Of what kind the keys of both ends' certificates are, and of the authority's.",
    side: None,
    needs: None,
    values: &[
        value("p256", "ECDSA on P-256.", nothing),
        value("rsa", "RSA of 2048 bits.", |draft| {
            have(draft, Keys::Rsa);
        }),
        value("ed25519", "Ed25519.", |draft| have(draft, Keys::Ed25519)),
    ],
};

fn have(draft: &mut Draft<'_>, keys: Keys) {
    let valid = draft.material.certificates.valid(Some(keys));
    for end in [&mut draft.client, &mut draft.server] {
        end.keys = Some(keys);
        end.trust_anchors = Some(valid.authority.clone());
    }
    draft.server.identity = Some(valid.server.clone());
}

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
            has_valid,
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
                has_valid(draft);
                draft.client.bad_certificate_verify = true;
            },
        ),
    ],
};

fn has_valid(draft: &mut Draft<'_>) {
    let valid = draft.material.certificates.valid(draft.client.keys);
    draft.client.identity = Some(valid.client.clone());
}

/// One with a defect, of which there are none with other keys: the loader refuses that.
fn has(draft: &mut Draft<'_>, which: fn(&Certificates) -> &Identity) {
    draft.client.identity = Some(which(&draft.material.certificates).clone());
}
