//! Connections put together record by record.

use std::time::Duration;

use crate::message::RETRY_RANDOM;
use crate::{
    Alert, CipherSuite, ContentType, Epoch, ExtensionType, HandshakeType, KeyLog, Octets32,
    Recording, Side, Transcript,
};

use super::seal::Sealer;
use super::wire::{extension, extensions, message, record};

/// The client random of a forged connection, unless it is given another.
pub const CLIENT_RANDOM: Octets32 = Octets32([0xc1; 32]);

/// The server random, unless it is that of a HelloRetryRequest.
const SERVER_RANDOM: Octets32 = Octets32([0x51; 32]);

/// A connection in the making. Its secrets and randoms are fixed; its time is the number of the event, in seconds.
/// Nothing is checked: it holds whatever is put in.
pub struct Forge {
    /// What passed so far.
    pub recording: Recording,
    client_random: Octets32,
    suite: CipherSuite,
    tls13: bool,
    /// `None` for a suite that the observer does not know.
    sealer: Option<Sealer>,
}

impl Forge {
    /// A connection of TLS 1.3.
    #[must_use]
    pub fn new(suite: CipherSuite) -> Self {
        Self::start(suite, true, CLIENT_RANDOM)
    }

    /// A connection of TLS 1.2. A side's keys are in use after its `ChangeCipherSpec`, and stand as those of
    /// [`Epoch::Application`].
    #[must_use]
    pub fn tls12(suite: CipherSuite) -> Self {
        Self::start(suite, false, CLIENT_RANDOM)
    }

    /// The same connection from its start, with another client random: key logs tell connections apart by it.
    #[must_use]
    pub fn with_client_random(self, random: Octets32) -> Self {
        Self::start(self.suite, self.tls13, random)
    }

    fn start(suite: CipherSuite, tls13: bool, client_random: Octets32) -> Self {
        Self {
            recording: Recording::new(),
            client_random,
            suite,
            tls13,
            sealer: if tls13 {
                Sealer::new(client_random, suite)
            } else {
                Sealer::tls12(client_random, SERVER_RANDOM, suite)
            },
        }
    }

    /// The suite that ServerHello chooses.
    #[must_use]
    pub fn suite(&self) -> CipherSuite {
        self.suite
    }

    /// The secrets of the connection as both ends would log them; none for a suite that the observer does not know.
    #[must_use]
    pub fn log(&self) -> KeyLog {
        self.sealer
            .as_ref()
            .map_or_else(KeyLog::default, Sealer::log)
    }

    /// What the observer makes of the connection.
    #[must_use]
    pub fn observe(&self) -> Transcript {
        Transcript::observe(&self.recording, &self.log())
    }

    /// Octets as they are.
    pub fn octets(&mut self, from: Side, octets: &[u8]) -> &mut Self {
        self.recording.data(self.now(), from, octets);
        self
    }

    /// A record, in clear or sealed under the keys of an epoch.
    ///
    /// # Panics
    ///
    /// If the content is too long for a record, or if there are no keys of that epoch.
    pub fn record(
        &mut self,
        from: Side,
        epoch: Epoch,
        content_type: ContentType,
        content: &[u8],
    ) -> &mut Self {
        let octets = match epoch {
            Epoch::Plaintext => record(content_type, content),
            _ => self.sealer().seal(from, epoch, content_type, content),
        };
        self.octets(from, &octets)
    }

    /// A sealed record of TLS 1.3, of which the inside is given with its type and padding.
    ///
    /// # Panics
    ///
    /// As [`Forge::record`] does, and in TLS 1.2.
    pub fn inner(&mut self, from: Side, epoch: Epoch, inner: &[u8]) -> &mut Self {
        let octets = self.sealer().seal_inner(from, epoch, inner);
        self.octets(from, &octets)
    }

    /// A record of handshake messages, or of a part of one.
    ///
    /// # Panics
    ///
    /// As [`Forge::record`] does.
    pub fn messages(&mut self, from: Side, epoch: Epoch, messages: &[u8]) -> &mut Self {
        self.record(from, epoch, ContentType::HANDSHAKE, messages)
    }

    /// An alert.
    ///
    /// # Panics
    ///
    /// As [`Forge::record`] does.
    pub fn alert(&mut self, from: Side, epoch: Epoch, alert: Alert) -> &mut Self {
        let octets = [alert.level.0, alert.description.0];
        self.record(from, epoch, ContentType::ALERT, &octets)
    }

    /// Application data under the keys of an epoch.
    ///
    /// # Panics
    ///
    /// As [`Forge::record`] does.
    pub fn data(&mut self, from: Side, epoch: Epoch, data: &[u8]) -> &mut Self {
        self.record(from, epoch, ContentType::APPLICATION_DATA, data)
    }

    /// A `ChangeCipherSpec` in clear.
    pub fn change_cipher_spec(&mut self, from: Side) -> &mut Self {
        self.record(
            from,
            Epoch::Plaintext,
            ContentType::CHANGE_CIPHER_SPEC,
            &[1],
        )
    }

    /// A ClientHello that offers the suite and TLS 1.3 with 1.2, and has these extensions besides.
    pub fn client_hello(&mut self, more: &[Vec<u8>]) -> &mut Self {
        let versions = extension(ExtensionType::SUPPORTED_VERSIONS, &[4, 3, 4, 3, 3]);
        let [high, low] = self.suite.0.to_be_bytes();
        // The first suite is another one, so that the choice of the server matters.
        let body = [
            &[3, 3][..],
            &self.client_random.0,
            &[0, 0, 4, 0x13, 0x02, high, low, 1, 0],
            &extensions(&[&[versions], more].concat()),
        ];
        let hello = message(HandshakeType::CLIENT_HELLO, &body.concat());
        self.messages(Side::Client, Epoch::Plaintext, &hello)
    }

    /// A ServerHello of the connection's version and suite, with these extensions besides.
    pub fn server_hello(&mut self, more: &[Vec<u8>]) -> &mut Self {
        self.hello(SERVER_RANDOM.0, more)
    }

    /// A HelloRetryRequest with these extensions besides `supported_versions`.
    pub fn hello_retry_request(&mut self, more: &[Vec<u8>]) -> &mut Self {
        self.hello(RETRY_RANDOM, more)
    }

    fn hello(&mut self, random: [u8; 32], more: &[Vec<u8>]) -> &mut Self {
        let mut all = Vec::new();
        if self.tls13 {
            all.push(extension(ExtensionType::SUPPORTED_VERSIONS, &[3, 4]));
        }
        all.extend_from_slice(more);
        let [high, low] = self.suite.0.to_be_bytes();
        let body = [&[3, 3][..], &random, &[0, high, low, 0], &extensions(&all)];
        let hello = message(HandshakeType::SERVER_HELLO, &body.concat());
        self.messages(Side::Server, Epoch::Plaintext, &hello)
    }

    /// Goes on to a side's next generation of application keys, as after its `KeyUpdate`.
    ///
    /// # Panics
    ///
    /// If the observer does not know the suite.
    pub fn next_keys(&mut self, from: Side) -> &mut Self {
        self.sealer().next_keys(from);
        self
    }

    /// Counts a record of TLS 1.3 as sealed that was sent otherwise.
    ///
    /// # Panics
    ///
    /// If there are no keys of that epoch.
    pub fn skip(&mut self, from: Side, epoch: Epoch) -> &mut Self {
        self.sealer().skip(from, epoch);
        self
    }

    /// The end of a side's direction.
    pub fn half_close(&mut self, from: Side) -> &mut Self {
        self.recording.half_close(self.now(), from);
        self
    }

    /// A side's reset of the connection.
    pub fn reset(&mut self, from: Side) -> &mut Self {
        self.recording.reset(self.now(), from);
        self
    }

    fn sealer(&mut self) -> &mut Sealer {
        let suite = self.suite;
        let sealer = self.sealer.as_mut();
        sealer.unwrap_or_else(|| panic!("{suite} is not known, nothing can be sealed with it"))
    }

    fn now(&self) -> Duration {
        Duration::from_secs(self.recording.events().len() as u64)
    }
}
