//! What an [`super::EditedIo`] looks for in what comes in.

use super::message::{Kind, RANDOM, RETRY_RANDOM};
use super::records::{CHANGE_CIPHER_SPEC, Gather, Gathered, HANDSHAKE, is_whole, whole_length};
use super::watch::Watch;
use crate::flags::FlagsError;
use crate::hello::raw_flags_in_client_hello;

/// What is looked for in what comes in.
#[derive(Debug)]
pub(super) enum Inbound {
    /// Nothing.
    Off,
    /// A client looks for ServerHello: then no ClientHello follows.
    ServerHello(Gather),
    /// A server keeps the first ClientHello.
    ClientHello(Gather),
    /// A server has the first ClientHello, and waits for a second.
    Heard(Vec<u8>),
    /// A server holds back what comes until the second ClientHello is there.
    Holding { first: Vec<u8>, held: Vec<u8> },
    /// What was held back is given out, from the index on.
    Releasing { held: Vec<u8>, given: usize },
    /// The client broke a rule that rustls does not know.
    Failed(FlagsError),
}

/// What [`Inbound::see`] has found out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing to act on.
    Nothing,
    /// The server sent no HelloRetryRequest.
    LastClientHelloWasSent,
    /// The other end broke a rule that rustls does not know.
    Refused(FlagsError),
}

impl Inbound {
    /// Looks at bytes that pass on their way in.
    pub(super) fn see(&mut self, bytes: &[u8], watch: Option<&Watch>) -> Seen {
        match self {
            Self::ServerHello(gather) => {
                let is_enough = |message: &[u8]| match watch {
                    Some(_) => is_whole(message),
                    None => message.len() >= RANDOM.end,
                };
                let gathered = gather.push(bytes, is_enough);
                let is_hello = match gather.record_type() {
                    None | Some(CHANGE_CIPHER_SPEC | HANDSHAKE) => true,
                    Some(_) => false, // an alert: there is no second ClientHello
                };
                if is_hello && gathered == Gathered::Unfinished {
                    return Seen::Nothing;
                }
                let is_retry = gather.message().get(RANDOM) == Some(&RETRY_RANDOM[..]);
                let judged = judge_server_hello(gather.message(), is_retry, watch);
                *self = if is_retry && watch.is_some() {
                    Self::ServerHello(Gather::default())
                } else {
                    Self::Off
                };
                match judged {
                    Err(error) => Seen::Refused(error),
                    Ok(()) if is_retry => Seen::Nothing,
                    Ok(()) => Seen::LastClientHelloWasSent,
                }
            }
            Self::ClientHello(gather) => {
                if gather.push(bytes, is_whole) == Gathered::Unfinished {
                    return Seen::Nothing;
                }
                let hello = gather.message().to_vec();
                if let Err(error @ (FlagsError::Duplicate | FlagsError::BehindPreSharedKey)) =
                    raw_flags_in_client_hello(&hello)
                {
                    return Seen::Refused(error);
                }
                *self = Self::Heard(hello);
                Seen::Nothing
            }
            _ => Seen::Nothing,
        }
    }
}

fn judge_server_hello(
    gathered: &[u8],
    is_retry: bool,
    watch: Option<&Watch>,
) -> Result<(), FlagsError> {
    let length = whole_length(gathered).unwrap_or_default();
    let kind = if is_retry {
        Kind::HelloRetryRequest
    } else {
        Kind::ServerHello
    };
    match (watch, gathered.get(..length)) {
        (Some(watch), Some(message)) => watch.judge(kind, message),
        _ => Ok(()),
    }
}

/// What becomes of bytes held back for a second ClientHello.
pub(super) enum Held {
    /// So many may pass; the others may be part of a ClientHello.
    GiveOut(usize),
    /// The ClientHello is fine, or is not one that flags can be read from.
    GiveOutAll,
    /// The ClientHello does not carry the flags of the first.
    Changed,
}

/// Looks for a whole ClientHello in `held`, and compares its flags with the first.
pub(super) fn judge_second_hello(first: &[u8], held: &[u8]) -> Held {
    let mut at = 0;
    let mut hello = Vec::new();
    let mut hello_at = None;
    while let [typ, _, _, high, low, payload @ ..] = &held[at..] {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some(payload) = payload.get(..length) else {
            break;
        };
        if *typ == HANDSHAKE {
            hello_at.get_or_insert(at);
            hello.extend_from_slice(payload);
        }
        at += 5 + length;
        if hello_at.is_some() && is_whole(&hello) {
            // Whatever else is wrong with a ClientHello, rustls finds.
            return match (
                raw_flags_in_client_hello(first),
                raw_flags_in_client_hello(&hello),
            ) {
                (Ok(first), Ok(second)) if first != second => Held::Changed,
                _ => Held::GiveOutAll,
            };
        }
    }
    Held::GiveOut(hello_at.unwrap_or(at))
}
