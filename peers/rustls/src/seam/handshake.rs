//! What an [`super::EditedIo`] does until no message can be edited any more.

use std::task::Waker;

use super::message::{Kind, RANDOM, RETRY_RANDOM};
use super::outgoing::Outgoing;
use super::records::{HelloReader, Progress};
use super::watch::Watch;
use crate::flags::FlagsError;
use crate::hello::{CLIENT_HELLO, raw_flags_in_client_hello};

const SERVER_HELLO: u8 = 2;

/// Octets that rustls buffers at most until it has a whole ClientHello.
const READ_AHEAD: usize = 0xffff;

/// The state of an [`super::EditedIo`] while messages may be edited or looked at.
#[derive(Debug)]
pub(super) struct Handshake {
    pub(super) outgoing: Outgoing,
    pub(super) inbound: Inbound,
    /// Edited octets that the inner stream has yet to take, from `sent` on.
    pub(super) pending: Vec<u8>,
    pub(super) sent: usize,
    /// Who waits for `pending` to be sent.
    pub(super) writer: Option<Waker>,
    /// Octets read ahead, which rustls has yet to get.
    pub(super) ahead: ReadAhead,
}

/// What is looked for in what comes in. All of it passes to rustls unchanged.
#[derive(Debug)]
pub(super) enum Inbound {
    /// Nothing.
    Off,
    /// A client looks for ServerHello: then no second ClientHello follows.
    ServerHello {
        reader: HelloReader,
        watch: Option<&'static Watch>,
    },
    /// A server looks for a second ClientHello, whose flags must be those of the first.
    SecondClientHello {
        reader: HelloReader,
        extension: u16,
        first: Option<Vec<u8>>,
    },
    /// The other end broke a rule that rustls does not know.
    Failed(FlagsError),
}

/// What [`Inbound::see`] has found out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing to act on.
    Nothing,
    /// The client has sent its last ClientHello.
    LastClientHello,
    /// The other end broke a rule that rustls does not know.
    Refused(FlagsError),
}

impl Handshake {
    pub(super) fn new(outgoing: Outgoing, inbound: Inbound) -> Self {
        Self {
            outgoing,
            inbound,
            pending: Vec::new(),
            sent: 0,
            writer: None,
            ahead: ReadAhead::default(),
        }
    }

    /// Whether everything passes from here on.
    pub(super) fn is_over(&self) -> bool {
        self.outgoing.is_done()
            && self.pending.is_empty()
            && self.ahead.is_empty()
            && !matches!(
                self.inbound,
                Inbound::ServerHello { .. } | Inbound::Failed(_)
            )
    }

    /// Looks at octets that are about to pass. Returns whether they may.
    pub(super) fn see(&mut self, bytes: &[u8]) -> bool {
        let seeks_second = matches!(self.inbound, Inbound::SecondClientHello { .. });
        if seeks_second && self.outgoing.is_done() {
            self.inbound = Inbound::Off;
        }
        match self.inbound.see(bytes) {
            Seen::Nothing => true,
            Seen::LastClientHello => {
                self.outgoing.finish(&mut self.pending);
                true
            }
            Seen::Refused(error) => {
                self.outgoing.finish(&mut self.pending);
                self.pending.extend(crate::alert::fatal(error.alert()));
                self.inbound = Inbound::Failed(error);
                false
            }
        }
    }
}

impl Inbound {
    pub(super) fn server_hello(watch: Option<&'static Watch>) -> Self {
        Self::ServerHello {
            reader: HelloReader::behind_others(SERVER_HELLO),
            watch,
        }
    }

    fn see(&mut self, mut bytes: &[u8]) -> Seen {
        while !bytes.is_empty() {
            let (Self::ServerHello { reader, .. } | Self::SecondClientHello { reader, .. }) = self
            else {
                break;
            };
            let (taken, progress) = reader.push(bytes);
            bytes = &bytes[taken..];
            let seen = match progress {
                Progress::Unfinished => Seen::Nothing,
                Progress::Whole => self.judge(),
                Progress::Other => self.give_up(),
            };
            if seen != Seen::Nothing {
                return seen;
            }
        }
        Seen::Nothing
    }

    /// What is not a hello is for rustls to answer.
    fn give_up(&mut self) -> Seen {
        match std::mem::replace(self, Self::Off) {
            Self::ServerHello { .. } => Seen::LastClientHello,
            _ => Seen::Nothing,
        }
    }

    /// Judges a message that has come whole, and goes on.
    fn judge(&mut self) -> Seen {
        match self {
            Self::ServerHello { reader, watch } => {
                let message = reader.message();
                let is_retry = message.get(RANDOM) == Some(&RETRY_RANDOM[..]);
                let kind = if is_retry {
                    Kind::HelloRetryRequest
                } else {
                    Kind::ServerHello
                };
                let judged = watch.map_or(Ok(()), |watch| watch.judge(kind, message));
                if is_retry && watch.is_some() {
                    reader.next();
                } else {
                    *self = Self::Off;
                }
                match judged {
                    Err(error) => Seen::Refused(error),
                    Ok(()) if is_retry => Seen::Nothing,
                    Ok(()) => Seen::LastClientHello,
                }
            }
            Self::SecondClientHello {
                reader,
                extension,
                first,
            } => {
                // Whatever else is wrong with a ClientHello, rustls finds.
                let second = raw_flags_in_client_hello(reader.message(), *extension);
                let is_changed = second.is_ok_and(|second| second != first.as_deref());
                *self = Self::Off;
                if is_changed {
                    Seen::Refused(FlagsError::Changed)
                } else {
                    Seen::Nothing
                }
            }
            Self::Off | Self::Failed(_) => Seen::Nothing,
        }
    }
}

/// What a server reads before it knows which configuration to serve.
#[derive(Debug, Default)]
pub(super) struct ReadAhead {
    octets: Vec<u8>,
    /// How many of them rustls has got.
    given: usize,
    /// Where the first ClientHello ends among them.
    hello_end: usize,
}

impl ReadAhead {
    fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// How many octets more may be read.
    pub(super) fn room(&self) -> usize {
        READ_AHEAD - self.octets.len()
    }

    /// Takes octets that were read. Returns what `reader`, which has seen all before them, makes of them.
    pub(super) fn push(&mut self, bytes: &[u8], reader: &mut HelloReader) -> Progress {
        let (taken, progress) = reader.push(bytes);
        if progress == Progress::Whole {
            self.hello_end = self.octets.len() + taken;
        }
        self.octets.extend_from_slice(bytes);
        progress
    }

    /// The next octets for rustls, `most` at most, and whether they stand behind the first ClientHello.
    ///
    /// They never reach from before its end to behind it: so rustls has answered it before it gets more, and
    /// what more there is can be judged by the answer.
    pub(super) fn take(&mut self, most: usize) -> Option<(&[u8], bool)> {
        let is_behind = self.given >= self.hello_end;
        let end = if is_behind {
            self.octets.len()
        } else {
            self.hello_end
        };
        let given = self.given;
        let taken = (end - given).min(most);
        self.given += taken;
        (end > given).then(|| (&self.octets[given..given + taken], is_behind))
    }

    /// Frees the octets once rustls has all of them.
    pub(super) fn tidy(&mut self) {
        if self.given == self.octets.len() {
            *self = Self::default();
        }
    }
}

/// A reader for the first message of a client.
pub(super) fn first_client_hello() -> HelloReader {
    HelloReader::first(CLIENT_HELLO)
}
