//! The input of the target `records`: what two ends did, and what they logged.

use std::time::Duration;

use reqmtls_observer::testing::Sealer;
use reqmtls_observer::{
    ContentType, Epoch, HandshakeMessage, KeyLog, ProtocolVersion, Recording, Side, Transcript,
};

/// The most octets of a step that are sealed as one record.
const MAX_SEALED: usize = 1 << 14;

/// One thing that an end did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It sent these octets.
    Data(Vec<u8>),
    /// It sent one record under the keys of this epoch, which has some. The inside is these octets: in TLS 1.3 with
    /// content type and padding at their end, in TLS 1.2 with the content type.
    Sealed(Epoch, Vec<u8>),
    /// It went on to the next generation of its application keys.
    NextKeys,
    /// It closed its direction.
    HalfClose,
    /// It tore the connection down.
    Reset,
}

/// A connection as the fuzzer makes it up. Its form: key log lines up to an octet 0, then steps. A step is
/// an octet for what it is and who did it, a length of two octets, and as many octets of content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Story {
    /// Key log lines, which need not be such.
    pub key_log: Vec<u8>,
    /// What was done, in turn.
    pub steps: Vec<(Side, Step)>,
}

impl Story {
    /// Reads a story. Every input is one: what is cut short ends early.
    #[must_use]
    pub fn read(input: &[u8]) -> Self {
        let end = input.iter().position(|&octet| octet == 0);
        let (key_log, steps) = input.split_at(end.unwrap_or(input.len()));
        let mut rest = steps.get(1..).unwrap_or_default();
        let mut steps = Vec::new();
        while let [tag, high, low, behind @ ..] = rest {
            let length = usize::from(u16::from_be_bytes([*high, *low])).min(behind.len());
            let (content, behind) = behind.split_at(length);
            rest = behind;
            steps.push((Side::BOTH[usize::from(tag % 2)], step(tag / 2, content)));
        }
        let key_log = key_log.to_vec();
        Self { key_log, steps }
    }

    /// The input that reads as this story.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut input = self.key_log.clone();
        input.push(0);
        for (side, step) in &self.steps {
            let (number, content) = match step {
                Step::Data(content) | Step::Sealed(Epoch::Plaintext, content) => (0, &content[..]),
                Step::Sealed(Epoch::EarlyData, content) => (1, &content[..]),
                Step::Sealed(Epoch::Handshake, content) => (2, &content[..]),
                Step::Sealed(Epoch::Application, content) => (3, &content[..]),
                Step::NextKeys => (4, &[][..]),
                Step::HalfClose => (5, &[][..]),
                Step::Reset => (6, &[][..]),
            };
            let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
            input.push(2 * number + u8::from(*side == Side::Server));
            input.extend(length.to_be_bytes());
            input.extend(&content[..usize::from(length)]);
        }
        input
    }

    /// What a relay would have recorded, and the key log of the ends.
    ///
    /// What is sealed goes with fixed secrets, and is sent as it is where no hellos in clear show
    /// which suite.
    #[must_use]
    pub fn play(&self) -> (Recording, KeyLog) {
        let mut log = std::str::from_utf8(&self.key_log)
            .ok()
            .and_then(|text| KeyLog::parse(text).ok())
            .unwrap_or_default();
        let mut sealer = self.sealer();
        if let Some((_, sealer)) = &sealer {
            log.merge(sealer.log());
        }
        let mut recording = Recording::new();
        for (milliseconds, (side, step)) in (0..).zip(&self.steps) {
            let at = Duration::from_millis(milliseconds);
            match (step, &mut sealer) {
                (Step::Sealed(epoch, inner), Some((version, sealer)))
                    if *epoch != Epoch::Plaintext =>
                {
                    let inner = &inner[..inner.len().min(MAX_SEALED)];
                    recording.data(at, *side, seal(sealer, *version, (*side, *epoch), inner));
                }
                (Step::Data(content) | Step::Sealed(_, content), _) => {
                    recording.data(at, *side, &content[..]);
                }
                (Step::NextKeys, Some((_, sealer))) => sealer.next_keys(*side),
                (Step::NextKeys, None) => {}
                (Step::HalfClose, _) => recording.half_close(at, *side),
                (Step::Reset, _) => recording.reset(at, *side),
            }
        }
        (recording, log)
    }

    /// Seals for the suite of the hellos in clear, if there is one.
    fn sealer(&self) -> Option<(ProtocolVersion, Sealer)> {
        let mut in_clear = Recording::new();
        for (side, step) in &self.steps {
            if let Step::Data(content) = step {
                in_clear.data(Duration::ZERO, *side, &content[..]);
            }
        }
        let hellos = Transcript::observe(&in_clear, &KeyLog::default());
        let client_random = hellos.client_random?;
        let mut messages = hellos.messages(Side::Server);
        let server = messages.find_map(|message| match message {
            HandshakeMessage::ServerHello(hello) => Some(hello),
            _ => None,
        })?;
        let version = server.version();
        let sealer = match version {
            ProtocolVersion::TLS13 => Sealer::new(client_random, server.cipher_suite),
            _ => Sealer::tls12(client_random, server.random, server.cipher_suite),
        };
        Some((version, sealer?))
    }
}

fn seal(
    sealer: &mut Sealer,
    version: ProtocolVersion,
    (side, epoch): (Side, Epoch),
    inner: &[u8],
) -> Vec<u8> {
    match inner {
        [content @ .., content_type] if version != ProtocolVersion::TLS13 => {
            sealer.seal(side, epoch, ContentType(*content_type), content)
        }
        [] if version != ProtocolVersion::TLS13 => Vec::new(),
        _ => sealer.seal_inner(side, epoch, inner),
    }
}

fn step(number: u8, content: &[u8]) -> Step {
    let content = content.to_vec();
    match number % 7 {
        0 => Step::Data(content),
        1 => Step::Sealed(Epoch::EarlyData, content),
        2 => Step::Sealed(Epoch::Handshake, content),
        3 => Step::Sealed(Epoch::Application, content),
        4 => Step::NextKeys,
        5 => Step::HalfClose,
        _ => Step::Reset,
    }
}
