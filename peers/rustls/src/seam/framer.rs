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

    /// Takes `bytes`, and gives `out` what is known to be sent.
    pub(super) fn push(&mut self, mut bytes: &[u8], out: &mut dyn FnMut(&[u8])) {
        while !bytes.is_empty() {
            if self.passing > 0 {
                let taken = split(&mut bytes, self.passing);
                self.passing -= taken.len();
                out(taken);
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
                    self.give_as_it_is(out);
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
                match edited {
                    Some(edited) => self.give(&edited, out),
                    None => self.give_as_it_is(out),
                }
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
    pub(super) fn lend(&mut self, out: &mut dyn FnMut(&[u8])) {
        if self.lent == 0 {
            if let Some(first) = self.pending.get(..1) {
                out(first);
            }
            self.lent = self.pending.len().min(1);
        } else if let Some((_, length)) = header(&self.pending) {
            self.passing = 4 + length - self.pending.len();
            self.give_as_it_is(out);
        }
    }

    /// Gives out `message` for the pending one, except what was lent of it.
    fn give(&mut self, message: &[u8], out: &mut dyn FnMut(&[u8])) {
        out(&message[self.lent..]);
        match message.first() {
            Some(&MESSAGE_HASH) => self.retried = true,
            Some(&FINISHED) => self.finished = true,
            _ => {}
        }
        self.pending.clear();
        self.lent = 0;
    }

    fn give_as_it_is(&mut self, out: &mut dyn FnMut(&[u8])) {
        let message = std::mem::take(&mut self.pending);
        self.give(&message, out);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hello::tests::client_hello;
    use crate::seam::{Edits, Message};

    fn plan(side: Side, edits: Edits) -> &'static Plan {
        Box::leak(Box::new(Plan {
            side,
            edits,
            watch: None,
        }))
    }

    fn message(typ: u8, body: &[u8]) -> Vec<u8> {
        let length = u8::try_from(body.len()).unwrap();
        [&[typ, 0, 0, length], body].concat()
    }

    fn through(framer: &mut Framer, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        framer.push(bytes, &mut |bytes| out.extend_from_slice(bytes));
        out
    }

    #[test]
    fn hello_after_a_retry_is_the_second_even_in_one_piece() {
        let edits = Edits::new()
            .insert(Message::FirstClientHello, 62, [1, 1])
            .insert(Message::SecondClientHello, 62, [1, 2]);
        let plan = plan(Side::Client, edits);
        let (hash, retry) = (
            message(MESSAGE_HASH, &[0; 32]),
            message(SERVER_HELLO, &[7; 70]),
        );
        let hello = client_hello(&[]);
        let mut framer = Framer::new(plan, Place::Transcript13);
        assert_eq!(through(&mut framer, &hello), client_hello(&[(62, &[1, 1])]));
        let mut framer = Framer::new(plan, Place::Transcript13);
        let second = client_hello(&[(62, &[1, 2])]);
        assert_eq!(
            through(&mut framer, &[&hash[..], &retry, &hello].concat()),
            [&hash[..], &retry, &second].concat()
        );
    }

    #[test]
    fn truncated_hello_is_edited_as_far_as_it_goes() {
        let edits = Edits::new().insert(Message::ClientHello, 62, [1, 1]);
        let hello = client_hello(&[(41, &[9; 80])]);
        let edited = client_hello(&[(62, &[1, 1]), (41, &[9; 80])]);
        let mut framer = Framer::new(plan(Side::Client, edits), Place::Transcript13);
        assert_eq!(through(&mut framer, &hello[..hello.len() - 33]), []);
        assert_eq!(framer.rest(), edited[..edited.len() - 33]);
    }

    #[test]
    fn certificate_belongs_to_the_side_that_finished_says() {
        let certificate = message(CERTIFICATE, &[0, 0, 0, 6, 0, 0, 1, 7, 0, 0]);
        let edited = message(
            CERTIFICATE,
            &[0, 0, 0, 12, 0, 0, 1, 7, 0, 6, 0, 62, 0, 2, 1, 1],
        );
        let finished = message(FINISHED, &[3; 32]);
        let transcript = [&certificate[..], &finished, &certificate].concat();
        let edits = Edits::new().insert(Message::Certificate, 62, [1, 1]);
        for (side, expected) in [
            (Side::Server, [&edited[..], &finished, &certificate]),
            (Side::Client, [&certificate, &finished, &edited]),
        ] {
            let plan = plan(side, edits.clone());
            let mut framer = Framer::new(plan, Place::Transcript13);
            assert_eq!(through(&mut framer, &transcript), expected.concat());
            let mut framer = Framer::new(plan, Place::Transcript12);
            assert_eq!(through(&mut framer, &transcript), transcript);
        }
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(cuts in prop::collection::vec(1usize..60, 0..20)) {
            let edits = Edits::new().insert(Message::ClientHello, 62, [1, 1]);
            let plan = plan(Side::Client, edits);
            let flight = [
                client_hello(&[(43, &[2, 3, 4]), (41, &[9; 50])]),
                message(SERVER_HELLO, &[7; 70]),
                message(ENCRYPTED_EXTENSIONS, &[0, 0]),
                message(FINISHED, &[4; 32]),
            ]
            .concat();
            let whole = through(&mut Framer::new(plan, Place::Transcript13), &flight);
            let mut framer = Framer::new(plan, Place::Transcript13);
            let (mut pieces, mut rest) = (Vec::new(), &flight[..]);
            for cut in cuts {
                framer.push(split(&mut rest, cut), &mut |bytes| pieces.extend_from_slice(bytes));
            }
            framer.push(rest, &mut |bytes| pieces.extend_from_slice(bytes));
            prop_assert_eq!(pieces, whole);
        }

        /// What an encrypter gives out is never empty, and all of it is given out.
        #[test]
        fn one_byte_is_lent_where_nothing_is_ready(first in 1usize..40) {
            let edits = Edits::new().insert(Message::CertificateRequest, 62, [1, 1]);
            let plan = plan(Side::Server, edits);
            let flight = [
                message(CERTIFICATE_REQUEST, &[0, 0, 20, 0, 13, 0, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]),
                message(FINISHED, &[4; 32]),
            ]
            .concat();
            let whole = through(&mut Framer::new(plan, Place::Encrypted), &flight);
            prop_assert_eq!(whole.len(), flight.len() + 6);
            let mut framer = Framer::new(plan, Place::Encrypted);
            let mut out = through(&mut framer, &flight[..first]);
            if out.is_empty() {
                framer.lend(&mut |bytes| out.extend_from_slice(bytes));
            }
            prop_assert!(!out.is_empty());
            out.extend(through(&mut framer, &flight[first..]));
            prop_assert_eq!(out, whole);
        }
    }
}
