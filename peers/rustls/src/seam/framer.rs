//! Finds the messages to edit in a stream of handshake bytes.

use super::edits::Side;
use super::message::{Kind, RANDOM, RETRY_RANDOM, edit};
use super::{EDITABLE, Plan};

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const NEW_SESSION_TICKET: u8 = 4;
const ENCRYPTED_EXTENSIONS: u8 = 8;
const CERTIFICATE: u8 = 11;
const CERTIFICATE_REQUEST: u8 = 13;
const FINISHED: u8 = 20;
const MESSAGE_HASH: u8 = 254;

/// Where handshake bytes are seen, which says what can be among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A TLS 1.2 transcript: both sides' messages; only hellos are edited.
    Transcript12,
    /// A TLS 1.3 transcript: both sides' messages.
    Transcript13,
    /// What one side encrypts under TLS 1.3: its own messages only.
    Encrypted,
}

/// Takes handshake bytes in pieces of any size and gives them out edited.
#[derive(Clone)]
pub(super) struct Framer {
    plan: &'static Plan,
    place: Place,
    /// A HelloRetryRequest lies before the bytes to come.
    retried: bool,
    /// The server's Finished lies before the bytes to come.
    finished: bool,
    /// A header, or a message to be edited, that is not complete yet.
    pending: Vec<u8>,
    /// How much of `pending` was given out already.
    lent: usize,
    /// How many bytes of the current message pass as they are.
    passing: usize,
}

impl Framer {
    pub(super) fn new(plan: &'static Plan, place: Place) -> Self {
        Self {
            plan,
            place,
            retried: false,
            finished: false,
            pending: Vec::new(),
            lent: 0,
            passing: 0,
        }
    }

    /// Takes `bytes`, and appends to `out` what is known to be sent.
    pub(super) fn push(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while !bytes.is_empty() {
            if self.passing > 0 {
                let taken = split(&mut bytes, self.passing);
                self.passing -= taken.len();
                out.extend_from_slice(taken);
                continue;
            }
            if self.pending.len() < 4 {
                let taken = split(&mut bytes, 4 - self.pending.len());
                self.pending.extend_from_slice(taken);
                let Some((typ, length)) = header(&self.pending) else {
                    continue;
                };
                if !self.is_wanted(typ, length) {
                    self.passing = length;
                    self.give(None, out);
                    continue;
                }
            }
            let Some((_, length)) = header(&self.pending) else {
                continue;
            };
            let taken = split(&mut bytes, 4 + length - self.pending.len());
            self.pending.extend_from_slice(taken);
            if self.pending.len() == 4 + length {
                let edited = self
                    .kind()
                    .and_then(|kind| edit(&self.plan.edits, kind, &self.pending));
                self.give(edited, out);
            }
        }
    }

    /// What the bytes held back become if nothing follows them.
    ///
    /// That happens to the ClientHello that a PSK binder covers.
    pub(super) fn rest(&self) -> Vec<u8> {
        let mut rest = match self.pending.first() {
            Some(&CLIENT_HELLO) => self
                .kind()
                .and_then(|kind| edit(&self.plan.edits, kind, &self.pending)),
            _ => None,
        }
        .unwrap_or_else(|| self.pending.clone());
        rest.drain(..self.lent);
        rest
    }

    /// Gives out one byte of what is held back, if there is any to give.
    ///
    /// For a record that must not be empty. No edit changes the type of a
    /// message, which is its first byte. A second byte cannot be known yet:
    /// then the message is given up and passes as it is.
    pub(super) fn lend(&mut self, out: &mut Vec<u8>) {
        if self.lent == 0 {
            out.extend(self.pending.first());
            self.lent = self.pending.len().min(1);
        } else if let Some((_, length)) = header(&self.pending) {
            self.passing = 4 + length - self.pending.len();
            self.give(None, out);
        }
    }

    fn give(&mut self, edited: Option<Vec<u8>>, out: &mut Vec<u8>) {
        let message = edited.as_ref().unwrap_or(&self.pending);
        out.extend_from_slice(&message[self.lent..]);
        match self.pending[0] {
            MESSAGE_HASH => self.retried = true,
            FINISHED => self.finished = true,
            _ => {}
        }
        self.pending.clear();
        self.lent = 0;
    }

    /// Whether a message that begins like this is to be held back and edited.
    fn is_wanted(&self, typ: u8, length: usize) -> bool {
        let edits = &self.plan.edits;
        match self.kinds(typ) {
            [] => false,
            kinds => {
                (self.place != Place::Encrypted && matches!(typ, CLIENT_HELLO | SERVER_HELLO)
                    || 4 + length <= EDITABLE)
                    && kinds.iter().any(|kind| kind.is_named_in(edits))
            }
        }
    }

    /// What a message of this type can be, if this side sends it.
    fn kinds(&self, typ: u8) -> &'static [Kind] {
        let transcript = self.place != Place::Encrypted;
        let tls13 = self.place != Place::Transcript12;
        match (self.plan.side, typ) {
            (Side::Client, CLIENT_HELLO) if transcript && self.retried => {
                &[Kind::SecondClientHello]
            }
            (Side::Client, CLIENT_HELLO) if transcript => &[Kind::FirstClientHello],
            (Side::Server, SERVER_HELLO) if transcript => {
                &[Kind::ServerHello, Kind::HelloRetryRequest]
            }
            // In a transcript, the server's Certificate comes before its
            // Finished, and the client's after it.
            (Side::Client, CERTIFICATE) if tls13 && (self.finished || !transcript) => {
                &[Kind::Certificate]
            }
            (Side::Server, CERTIFICATE) if tls13 && (!self.finished || !transcript) => {
                &[Kind::Certificate]
            }
            (Side::Server, ENCRYPTED_EXTENSIONS) if tls13 => &[Kind::EncryptedExtensions],
            (Side::Server, CERTIFICATE_REQUEST) if tls13 => &[Kind::CertificateRequest],
            (Side::Server, NEW_SESSION_TICKET) if !transcript => &[Kind::NewSessionTicket],
            _ => &[],
        }
    }

    /// What the pending message is.
    fn kind(&self) -> Option<Kind> {
        let is_retry = self.pending.get(RANDOM) == Some(&RETRY_RANDOM[..]);
        match self.kinds(*self.pending.first()?) {
            [kind] => Some(*kind),
            [Kind::ServerHello, retry] if is_retry => Some(*retry),
            [Kind::ServerHello, _] => Some(Kind::ServerHello),
            _ => None,
        }
    }
}

/// The type and length of a message, once four bytes of it are there.
pub(super) fn header(message: &[u8]) -> Option<(u8, usize)> {
    let &[typ, high, middle, low, ..] = message else {
        return None;
    };
    let length = u32::from_be_bytes([0, high, middle, low]);
    Some((typ, usize::try_from(length).ok()?))
}

fn split<'a>(bytes: &mut &'a [u8], most: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(most.min(bytes.len()));
    *bytes = rest;
    taken
}
