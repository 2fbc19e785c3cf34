//! Misbehaviour: what an end does to `tls_flags` in a message that it sends. The same four questions for
//! either side: in which message, which value, at which place, under which number.

use reqmtls_contract::Message;
use reqmtls_vocabulary::Side;

use super::super::edit::{Octets, Place};
use super::{Axis, Need, misbehaviour, nothing, value};

const IN: &str = "The message that the end sends with `tls_flags` edited.";
const NONE: &str = "It edits no message.";

/// A message of one end.
macro_rules! message {
    ($edit:ident, $name:literal, $message:ident) => {
        misbehaviour($name, Message::$message.about(), |draft| {
            draft.$edit.message = Some(Message::$message);
        })
    };
}

pub(super) const CLIENT_MESSAGE: Axis = Axis {
    name: "client.edit.message",
    about: IN,
    side: Some(Side::Client),
    needs: None,
    values: &[
        value("none", NONE, nothing),
        message!(client_edit, "client-hello", ClientHello),
        message!(client_edit, "first-client-hello", FirstClientHello),
        message!(client_edit, "second-client-hello", SecondClientHello),
        message!(client_edit, "certificate", Certificate),
    ],
};

pub(super) const SERVER_MESSAGE: Axis = Axis {
    name: "server.edit.message",
    about: IN,
    side: Some(Side::Server),
    needs: None,
    values: &[
        value("none", NONE, nothing),
        message!(server_edit, "server-hello", ServerHello),
        message!(server_edit, "hello-retry-request", HelloRetryRequest),
        message!(server_edit, "encrypted-extensions", EncryptedExtensions),
        message!(server_edit, "certificate-request", CertificateRequest),
        message!(server_edit, "certificate", Certificate),
        message!(server_edit, "new-session-ticket", NewSessionTicket),
    ],
};

/// The values that an edit may put there, for one end. The first is well formed, and the control of the others.
macro_rules! octets {
    ($edit:ident: $($octets:ident)+) => {
        &[$(value(Octets::$octets.as_str(), Octets::$octets.about(), |draft| {
            draft.$edit.octets = Octets::$octets;
        })),+]
    };
    ($edit:ident) => {
        octets!($edit: Request Unknown RequestAndUnknown Longest Removed Empty ZeroLength AllZero TrailingZero
            LengthTooShort LengthTooLong)
    };
}

const CLIENT_EDIT: Need = Need {
    axis: "client.edit.message",
    without: "no case edits a message of the client",
};
const SERVER_EDIT: Need = Need {
    axis: "server.edit.message",
    without: "no case edits a message of the server",
};

const VALUE: &str = "The `extension_data` of `tls_flags` there.";

pub(super) const CLIENT_VALUE: Axis = Axis {
    name: "client.edit.value",
    about: VALUE,
    side: Some(Side::Client),
    needs: Some(CLIENT_EDIT),
    values: octets!(client_edit),
};

pub(super) const SERVER_VALUE: Axis = Axis {
    name: "server.edit.value",
    about: VALUE,
    side: Some(Side::Server),
    needs: Some(SERVER_EDIT),
    values: octets!(server_edit),
};

/// The places that an edit may choose, for one end.
macro_rules! places {
    ($edit:ident: $($place:ident)+) => {
        &[$(value(Place::$place.as_str(), Place::$place.about(), |draft| {
            draft.$edit.place = Place::$place;
        })),+]
    };
}

const POSITION: &str = "Where in the message it stands.";

pub(super) const CLIENT_POSITION: Axis = Axis {
    name: "client.edit.position",
    about: POSITION,
    side: Some(Side::Client),
    needs: Some(CLIENT_EDIT),
    values: places!(client_edit: Usual Twice Last),
};

pub(super) const SERVER_POSITION: Axis = Axis {
    name: "server.edit.position",
    about: POSITION,
    side: Some(Side::Server),
    needs: Some(SERVER_EDIT),
    values: places!(server_edit: Usual Twice Last),
};

/// The numbers that an edit may use, for one end.
macro_rules! numbers {
    ($edit:ident) => {
        &[
            value("tls-flags", "That of `tls_flags` in this run.", nothing),
            value(
                "other",
                "The other of the two that are in use: 0xfe01 of the deployed experiment, or 62 where the run has that.",
                |draft| draft.$edit.other_number = true,
            ),
        ]
    };
}

const EXTENSION: &str = "The number of the extension there.";

pub(super) const CLIENT_EXTENSION: Axis = Axis {
    name: "client.edit.extension",
    about: EXTENSION,
    side: Some(Side::Client),
    needs: Some(CLIENT_EDIT),
    values: numbers!(client_edit),
};

pub(super) const SERVER_EXTENSION: Axis = Axis {
    name: "server.edit.extension",
    about: EXTENSION,
    side: Some(Side::Server),
    needs: Some(SERVER_EDIT),
    values: numbers!(server_edit),
};
