//! Self-tests of the harness: ends that are deliberately misconfigured. Each does something else than what it
//! is judged by, which the harness has to find.

use reqmtls_contract::Policy;
use reqmtls_vocabulary::Side;

use super::{Axis, misbehaviour, nothing, value};

pub(super) const CLIENT: Axis = Axis {
    name: "client.fault",
    about: "How the client is deliberately misconfigured.",
    side: Some(Side::Client),
    needs: None,
    values: &[
        value("none", "It is not.", nothing),
        misbehaviour(
            "ignores-tls-flags",
            "It ignores `tls_flags`, which it is to implement.",
            |draft| {
                draft.client_fault = Some(|setup| {
                    setup.flag = None;
                    setup.revision = None;
                });
            },
        ),
        misbehaviour(
            "omits-tls-flags",
            "It omits `tls_flags`, which it is to send.",
            |draft| {
                draft.client_fault = Some(|setup| setup.tls_flags = None);
            },
        ),
    ],
};

pub(super) const SERVER: Axis = Axis {
    name: "server.fault",
    about: "How the server is deliberately misconfigured.",
    side: Some(Side::Server),
    needs: None,
    values: &[
        value("none", "It is not.", nothing),
        misbehaviour(
            "ignores-tls-flags",
            "It ignores `tls_flags`, which it is to implement.",
            |draft| {
                draft.server_fault = Some(|setup| {
                    setup.flag = None;
                    setup.revision = None;
                });
            },
        ),
        misbehaviour(
            "asks-everyone",
            "It asks every client, against its policy.",
            |draft| {
                draft.server_fault = Some(|setup| setup.policy = Some(Policy::Request));
            },
        ),
        misbehaviour(
            "asks-nobody",
            "It asks no client, against its policy.",
            |draft| {
                draft.server_fault = Some(|setup| setup.policy = Some(Policy::Never));
            },
        ),
        misbehaviour(
            "does-not-acknowledge",
            "It does not acknowledge the flag, against its revision.",
            |draft| {
                draft.server_fault = Some(|setup| setup.revision = None);
            },
        ),
    ],
};
