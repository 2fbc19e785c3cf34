//! When the server asks for a certificate.

use reqmtls_contract::Policy;
use reqmtls_vocabulary::Side;

use super::super::draft::Draft;
use super::{Axis, nothing, value};

/// The policies of a server.
macro_rules! policies {
    ($($policy:ident)+) => {
        &[$(value(Policy::$policy.as_str(), Policy::$policy.about(), |draft| {
            follows(draft, Policy::$policy);
        })),+]
    };
}

pub(super) const SERVER: Axis = Axis {
    name: "server.policy",
    about: "When the server asks for a certificate, and whether it requires one.",
    side: Some(Side::Server),
    needs: None,
    values: policies!(Never Request Require RequestOnFlag RequireOnFlag PostHandshake),
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
