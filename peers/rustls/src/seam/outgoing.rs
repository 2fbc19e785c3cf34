//! Edits plaintext handshake records on their way out.

use super::Plan;
use super::edits::{Edits, Side};
use super::message::{Kind, RANDOM, RETRY_RANDOM, edit};
use super::records::{HANDSHAKE, is_whole, whole_length, write_handshake};

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

/// Takes what one side writes, in pieces of any size, and gives out what is sent.
///
/// Only the hellos ever exist in the clear under TLS 1.3. Under TLS 1.2,
/// encrypted records of the handshake type follow, which must never be taken
/// for a hello: see [`State`].
#[derive(Debug)]
pub(super) struct Outgoing {
    plan: Option<&'static Plan>,
    state: State,
    /// The header, and the payload if it is a handshake record, as far as it came.
    record: Vec<u8>,
    /// Payload of another kind of record still to pass.
    passing: usize,
    /// Records that hold the beginning of a hello, as they were written.
    held: Vec<u8>,
    /// The payloads of `held`.
    message: Vec<u8>,
    /// Greatest payload of a record, in octets.
    chunk: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The first ClientHello comes next.
    FirstClientHello,
    /// A second ClientHello may come. It has the random of the first
    /// (RFC 9846 §4.2.2 (RFC 8446 §4.1.2)); an encrypted record does not, and ends this state.
    SecondClientHello { random: [u8; 32] },
    /// A HelloRetryRequest or ServerHello comes next.
    ServerHello,
    /// Nothing is edited any more.
    Done,
}

impl Outgoing {
    /// Edits by `plan`, in records of at most `chunk` octets of payload.
    pub(super) fn new(side: Side, plan: Option<&'static Plan>, chunk: usize) -> Self {
        let state = match side {
            Side::Client if plan.is_none_or(|plan| plan.edits.is_empty()) => State::Done,
            Side::Client => State::FirstClientHello,
            Side::Server => State::ServerHello,
        };
        Self {
            plan,
            state,
            record: Vec::new(),
            passing: 0,
            held: Vec::new(),
            message: Vec::new(),
            chunk,
        }
    }

    /// Whether everything from here on is sent as it is written.
    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Whether some record is only written in part.
    #[cfg(any(test, feature = "tokio"))]
    pub(super) fn is_mid_record(&self) -> bool {
        self.passing > 0 || !self.record.is_empty() || !self.held.is_empty()
    }

    pub(super) fn push(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while !bytes.is_empty() {
            if self.is_done() {
                out.extend_from_slice(bytes);
                return;
            }
            let wanted = match (self.passing, &self.record[..]) {
                (0, [_, _, _, high, low, ..]) => {
                    5 + usize::from(u16::from_be_bytes([*high, *low])) - self.record.len()
                }
                (0, header) => 5 - header.len(),
                (passing, _) => passing,
            };
            let (taken, rest) = bytes.split_at(wanted.min(bytes.len()));
            bytes = rest;
            if self.passing > 0 {
                self.passing -= taken.len();
                out.extend_from_slice(taken);
                continue;
            }
            self.record.extend_from_slice(taken);
            let [typ, _, _, high, low, ..] = self.record[..] else {
                continue;
            };
            let payload = usize::from(u16::from_be_bytes([high, low]));
            if typ != HANDSHAKE {
                self.passing = payload;
                out.append(&mut self.record);
            } else if self.record.len() == 5 + payload {
                self.message.extend_from_slice(&self.record[5..]);
                self.held.append(&mut self.record);
                self.on_handshake(out);
            }
        }
    }

    /// Gives out whatever is held back and edits nothing any more.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.held);
        out.append(&mut self.record);
        self.message.clear();
        self.passing = 0;
        self.state = State::Done;
    }

    fn on_handshake(&mut self, out: &mut Vec<u8>) {
        let expected = match self.state {
            State::FirstClientHello | State::SecondClientHello { .. } => CLIENT_HELLO,
            State::ServerHello => SERVER_HELLO,
            State::Done => return self.finish(out),
        };
        let differs = match self.state {
            State::SecondClientHello { random } => {
                let present = self.message.get(RANDOM.start..).unwrap_or_default();
                present.iter().zip(random).any(|(got, first)| *got != first)
            }
            _ => false,
        };
        if differs || self.message.first().is_some_and(|typ| *typ != expected) {
            return self.finish(out);
        }
        if !is_whole(&self.message) {
            return;
        }

        let random = self
            .message
            .get(RANDOM)
            .and_then(|random| <[u8; 32]>::try_from(random).ok());
        let (kind, next) = match (self.state, random) {
            (State::FirstClientHello, Some(random)) => {
                (Kind::FirstClientHello, State::SecondClientHello { random })
            }
            (State::SecondClientHello { .. }, _) => (Kind::SecondClientHello, State::Done),
            (State::ServerHello, Some(RETRY_RANDOM)) => {
                (Kind::HelloRetryRequest, State::ServerHello)
            }
            (State::ServerHello, Some(_)) => (Kind::ServerHello, State::Done),
            _ => return self.finish(out),
        };
        self.edit(kind, out);
        self.state = next;
    }

    /// Gives out the held records with their first message edited.
    fn edit(&mut self, kind: Kind, out: &mut Vec<u8>) {
        let length = whole_length(&self.message).unwrap_or(usize::MAX);
        let (message, behind) = self.message.split_at(length.min(self.message.len()));
        let none = Edits::new();
        let edits = self.plan.map_or(&none, |plan| &plan.edits);
        match (edit(edits, kind, message), &self.held[..]) {
            (Some(mut edited), &[_, major, minor, ..]) => {
                edited.extend_from_slice(behind);
                write_handshake([major, minor], &edited, self.chunk, out);
            }
            _ => out.extend_from_slice(&self.held),
        }
        self.held.clear();
        self.message.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hello::tests::client_hello;
    use crate::seam::Message;

    fn client(chunk: usize) -> Outgoing {
        let edits = Edits::new().insert(Message::ClientHello, 62, [1, 1]);
        let side = Side::Client;
        let plan = Box::leak(Box::new(Plan {
            side,
            edits,
            watch: None,
        }));
        Outgoing::new(side, Some(plan), chunk)
    }

    fn record(typ: u8, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
        [&[typ, 3, 3][..], &length, payload].concat()
    }

    /// Records of the handshake type, of these lengths and then of one for the rest.
    fn handshake(mut payload: &[u8], lengths: &[usize]) -> Vec<u8> {
        let mut records = Vec::new();
        for length in lengths {
            let (taken, rest) = payload.split_at((*length).min(payload.len()));
            payload = rest;
            if !taken.is_empty() {
                records.extend(record(HANDSHAKE, taken));
            }
        }
        if !payload.is_empty() {
            records.extend(record(HANDSHAKE, payload));
        }
        records
    }

    fn push(outgoing: &mut Outgoing, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        outgoing.push(bytes, &mut out);
        out
    }

    #[test]
    fn long_hello_goes_out_in_records_of_the_chunk() {
        let hello = client_hello(&[(16, &vec![5; 20000])]);
        let edited = client_hello(&[(16, &vec![5; 20000]), (62, &[1, 1])]);
        let mut outgoing = client(1 << 14);
        assert_eq!(
            push(&mut outgoing, &handshake(&hello, &[1 << 14])),
            handshake(&edited, &[1 << 14])
        );
        let mut outgoing = client(7000);
        assert_eq!(
            push(&mut outgoing, &handshake(&hello, &[7000, 7000])),
            handshake(&edited, &[7000, 7000])
        );
    }

    #[test]
    fn hello_that_grows_past_a_record_takes_two() {
        let filler = (1 << 14) - client_hello(&[(16, &[])]).len();
        let hello = client_hello(&[(16, &vec![5; filler])]);
        assert_eq!(hello.len(), 1 << 14);
        let edited = client_hello(&[(16, &vec![5; filler]), (62, &[1, 1])]);
        assert_eq!(
            push(&mut client(1 << 14), &handshake(&hello, &[])),
            handshake(&edited, &[1 << 14])
        );
    }

    #[test]
    fn second_hello_is_edited_after_early_data() {
        let (hello, edited) = (client_hello(&[]), client_hello(&[(62, &[1, 1])]));
        let between = [record(20, &[1]), record(23, &[9; 300])].concat();
        let mut outgoing = client(1 << 14);
        let written = [
            handshake(&hello, &[]),
            between.clone(),
            handshake(&hello, &[20]),
        ]
        .concat();
        let sent = [handshake(&edited, &[]), between, handshake(&edited, &[])].concat();
        assert_eq!(push(&mut outgoing, &written), sent);
        assert!(outgoing.is_done());
    }

    #[test]
    fn encrypted_records_of_tls12_pass_as_they_are() {
        let hello = client_hello(&[]);
        let mut outgoing = client(1 << 14);
        push(&mut outgoing, &handshake(&hello, &[]));
        // An encrypted Finished whose explicit nonce looks like a ClientHello.
        let mut finished = hello.clone();
        finished[10] ^= 1;
        let flight = [
            record(20, &[1]),
            record(HANDSHAKE, &finished[..40]),
            record(HANDSHAKE, &hello),
        ]
        .concat();
        assert_eq!(push(&mut outgoing, &flight), flight);
        assert!(outgoing.is_done());
    }

    #[test]
    fn other_messages_in_the_record_of_server_hello_are_kept() {
        let hello = |extensions: &[u8]| {
            let body = [&[3, 3][..], &[5; 32], &[0, 0x13, 1, 0], extensions].concat();
            [&[2, 0, 0, u8::try_from(body.len()).unwrap()], &body[..]].concat()
        };
        let edits = Edits::new().insert(Message::ServerHello, 62, [1, 1]);
        let side = Side::Server;
        let plan = Box::leak(Box::new(Plan {
            side,
            edits,
            watch: None,
        }));
        let mut outgoing = Outgoing::new(side, Some(plan), 1 << 14);
        let behind = [11, 0, 0, 3, 0, 0, 0];
        assert_eq!(
            push(
                &mut outgoing,
                &record(HANDSHAKE, &[&hello(&[0, 0])[..], &behind].concat())
            ),
            record(
                HANDSHAKE,
                &[&hello(&[0, 6, 0, 62, 0, 2, 1, 1])[..], &behind].concat()
            )
        );
        assert!(outgoing.is_done());
    }

    #[test]
    fn what_is_held_back_comes_out_at_the_end() {
        let hello = handshake(&client_hello(&[]), &[20, 20]);
        let mut outgoing = client(1 << 14);
        let written = &hello[..hello.len() - 1];
        assert_eq!(push(&mut outgoing, written), []);
        assert!(outgoing.is_mid_record());
        let mut out = Vec::new();
        outgoing.finish(&mut out);
        assert_eq!(out, written);
    }

    proptest! {
        #[test]
        fn neither_records_nor_writes_matter(
            fragments in prop::collection::vec(1usize..60, 0..10),
            writes in prop::collection::vec(1usize..60, 0..20),
        ) {
            let hello = client_hello(&[(43, &[2, 3, 4]), (41, &[9; 150])]);
            let edited = client_hello(&[(43, &[2, 3, 4]), (62, &[1, 1]), (41, &[9; 150])]);
            let behind = [record(20, &[1]), record(23, &[8; 40])].concat();
            let written = [handshake(&hello, &fragments), behind.clone()].concat();
            let mut outgoing = client(1 << 14);
            let (mut out, mut rest) = (Vec::new(), &written[..]);
            for write in writes {
                let (taken, left) = rest.split_at(write.min(rest.len()));
                outgoing.push(taken, &mut out);
                rest = left;
            }
            outgoing.push(rest, &mut out);
            prop_assert_eq!(out, [handshake(&edited, &[]), behind].concat());
        }

        #[test]
        fn arbitrary_bytes_come_out_unless_they_hold_a_hello(
            bytes in prop::collection::vec(any::<u8>(), 0..300)
        ) {
            let mut outgoing = client(1 << 14);
            let mut out = Vec::new();
            outgoing.push(&bytes, &mut out);
            outgoing.finish(&mut out);
            prop_assert_eq!(out, bytes);
        }
    }
}
