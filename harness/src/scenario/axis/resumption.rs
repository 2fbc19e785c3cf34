//! Sessions that a second connection resumes, and early data.

use reqmtls_contract::{Resumption, Sessions};
use reqmtls_vocabulary::Side;

use super::{Axis, Need, nothing, value};

const SECOND: Need = Need {
    axis: "client.resumption",
    without: "no case has a second connection",
};

pub(super) const CLIENT: Axis = Axis {
    name: "client.resumption",
    about: "Whether a second connection offers the session of the first, and what it carries.",
    side: Some(Side::Client),
    needs: None,
    values: &[
        value("none", "There is no second connection.", nothing),
        value(
            "flag-unset",
            "Its ClientHello does not carry the flag.",
            |draft| {
                draft.client.resumption = Some(Resumption::default());
            },
        ),
        value("flag-set", "Its ClientHello carries the flag.", |draft| {
            draft.client.flag = Some(draft.material.flag);
            draft.client.resumption = Some(Resumption {
                tls_flags: Some(draft.material.request()),
                early_data: false,
            });
        }),
    ],
};

pub(super) const SERVER_SESSIONS: Axis = Axis {
    name: "server.sessions",
    about: "Which sessions the server resumes.",
    side: Some(Side::Server),
    needs: Some(SECOND),
    values: &[
        value("default", "What the peer does by itself.", nothing),
        value("shared", Sessions::Shared.about(), |draft| {
            draft.server.sessions = Some(Sessions::Shared);
        }),
        value("separate", Sessions::Separate.about(), |draft| {
            draft.server.sessions = Some(Sessions::Separate);
        }),
    ],
};

pub(super) const CLIENT_EARLY_DATA: Axis = Axis {
    name: "client.early-data",
    about: "Whether the client of a second connection sends its request as early data.",
    side: Some(Side::Client),
    needs: Some(SECOND),
    values: &[
        value("not-sent", "It is sent after the handshake only.", nothing),
        value("sent", "It is sent as early data.", |draft| {
            draft.early_data = true;
        }),
    ],
};

pub(super) const SERVER_EARLY_DATA: Axis = Axis {
    name: "server.early-data",
    about: "Whether the server accepts early data.",
    side: Some(Side::Server),
    needs: None,
    values: &[
        value("refused", "It does not.", nothing),
        value("accepted", "It does.", |draft| {
            draft.server.early_data = true;
        }),
    ],
};
