//! When the server asks for a certificate.

use reqmtls_contract::Policy;
use reqmtls_vocabulary::Side;

use super::super::draft::Draft;
use super::{Axis, nothing, value};

pub(super) const SERVER: Axis = Axis {
    name: "server.policy",
    about: "When the server asks for a certificate, and whether it insists.",
    side: Some(Side::Server),
    needs: None,
    values: &[
        value("never", Policy::Never.about(), |draft| {
            follows(draft, Policy::Never)
        }),
        value("request", Policy::Request.about(), |draft| {
            follows(draft, Policy::Request)
        }),
        value("require", Policy::Require.about(), |draft| {
            follows(draft, Policy::Require)
        }),
        value("request-on-flag", Policy::RequestOnFlag.about(), |draft| {
            follows(draft, Policy::RequestOnFlag);
        }),
        value("require-on-flag", Policy::RequireOnFlag.about(), |draft| {
            follows(draft, Policy::RequireOnFlag);
        }),
        value("post-handshake", Policy::PostHandshake.about(), |draft| {
            follows(draft, Policy::PostHandshake);
        }),
    ],
};

fn follows(draft: &mut Draft<'_>, policy: Policy) {
    draft.server.policy = Some(policy);
    if policy.is_on_flag() {
        draft.server.flag = Some(draft.material.flag);
    }
}

pub(super) const POST_HANDSHAKE_AUTH: Axis = Axis {
    name: "client.post-handshake-auth",
    about: "Whether the client offers post-handshake authentication.",
    side: Some(Side::Client),
    needs: None,
    values: &[
        value(
            "not-offered",
            "ClientHello does not carry `post_handshake_auth`.",
            nothing,
        ),
        value(
            "offered",
            "ClientHello carries `post_handshake_auth`.",
            |draft| {
                draft.client.post_handshake_auth = true;
            },
        ),
    ],
};
