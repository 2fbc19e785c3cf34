//! Whether an end implements `tls_flags`, and whether the client sets the request mTLS flag.

use reqmtls_vocabulary::Side;

use super::{Axis, nothing, value};

pub(super) const CLIENT: Axis = Axis {
    name: "client.flag",
    about: "Whether the client implements `tls_flags`, and sets the request mTLS flag in ClientHello.",
    side: Some(Side::Client),
    needs: None,
    values: &[
        value(
            "unmodified",
            "It is the unmodified library, which does not implement the request mTLS flag.",
            nothing,
        ),
        value(
            "unset",
            "It implements `tls_flags` and sends none.",
            |draft| {
                draft.client.flag = Some(draft.material.flag);
            },
        ),
        value(
            "set",
            "It implements `tls_flags` and sets the flag.",
            |draft| {
                draft.client.flag = Some(draft.material.flag);
                draft.client.tls_flags = Some(draft.material.request());
            },
        ),
    ],
};

pub(super) const SERVER: Axis = Axis {
    name: "server.tls-flags",
    about: "Whether the server implements `tls_flags`; one with a policy on the flag does in any case.",
    side: Some(Side::Server),
    needs: None,
    values: &[
        value(
            "unmodified",
            "It is the unmodified library, which does not implement the request mTLS flag.",
            nothing,
        ),
        value("implemented", "It implements `tls_flags`.", |draft| {
            draft.server.flag = Some(draft.material.flag);
        }),
    ],
};
