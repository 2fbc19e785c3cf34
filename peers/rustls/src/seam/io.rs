//! A stream that edits what passes in the clear.

use rustls::{ClientConfig, ServerConfig};

use super::edits::Side;
use super::handshake::Inbound;
use super::outgoing::Outgoing;
use super::plan_of;
use super::records::HelloReader;
use super::stage::Stage;

#[cfg(feature = "tokio")]
mod asynchronous;
mod blocking;

#[cfg(test)]
mod tests;

/// A stream between rustls and the network that edits plaintext messages.
///
/// It stands below tokio-rustls, `tokio_rustls::client::TlsStream<EditedIo<IO>>`, or, over a blocking stream, below
/// rustls itself: `rustls::StreamOwned<ClientConnection, EditedIo<IO>>`. What rustls writes is taken at once and
/// sent as the inner stream allows; what is taken is never lost, and is sent before anything that comes later,
/// also by reading, flushing and shutting down. As soon as no message can be edited any more, calls go straight to
/// the inner stream, without a copy, and every buffer is freed.
///
/// What comes in passes unchanged. A [`crate::TlsFlagsAcceptor`] only reads ahead to the end of the first
/// ClientHello, no further than rustls would buffer, and looks for a second one, after HelloRetryRequest. If
/// that carries other flags than the first (RFC 9846 §4.2.2 (RFC 8446 §4.1.2)), it is not passed on: the alert
/// is sent, and reading fails with an error that wraps the [`crate::FlagsError`].
#[derive(Debug)]
pub struct EditedIo<IO> {
    io: IO,
    stage: Stage,
}

impl<IO> EditedIo<IO> {
    /// Wraps a client's stream; edits as the provider of `config` says.
    #[cfg(feature = "seam")]
    pub fn client(io: IO, config: &ClientConfig) -> Self {
        Self::for_client(io, config)
    }

    pub(crate) fn for_client(io: IO, config: &ClientConfig) -> Self {
        let plan = plan_of(config.crypto_provider());
        let watch = plan.and_then(|plan| plan.watch.as_ref());
        let limit = payload_limit(config.max_fragment_size);
        let outgoing = Outgoing::new(Side::Client, plan, limit);
        let inbound = if outgoing.is_done() && watch.is_none() {
            Inbound::Off
        } else {
            Inbound::server_hello(watch)
        };
        Self::new(io, outgoing, inbound)
    }

    /// Wraps a server's stream; edits as the provider of `config` says, and looks at no flags.
    ///
    /// For a server that knows nothing of `tls_flags`, and has one configuration.
    #[cfg(feature = "seam")]
    pub fn server(io: IO, config: &ServerConfig) -> Self {
        Self::new(io, serving(config), Inbound::Off)
    }

    /// Wraps a server's stream, to read ahead first and then to serve.
    pub(crate) fn for_server(io: IO) -> Self {
        let outgoing = Outgoing::new(Side::Server, None, payload_limit(None));
        Self::new(io, outgoing, Inbound::Off)
    }

    fn new(io: IO, outgoing: Outgoing, inbound: Inbound) -> Self {
        let stage = Stage::new(outgoing, inbound);
        Self { io, stage }
    }

    /// From here on edits as the provider of `config` says.
    ///
    /// A second ClientHello has to carry the same `flags` as the first, which `hello` has read.
    pub(crate) fn serve(
        &mut self,
        config: &ServerConfig,
        mut hello: HelloReader,
        extension: u16,
        flags: Option<Vec<u8>>,
    ) {
        hello.next();
        if let Some(handshake) = &mut self.stage.handshake {
            handshake.outgoing = serving(config);
            handshake.inbound = Inbound::SecondClientHello {
                reader: hello,
                extension,
                first: flags,
            };
        }
    }

    /// From here on everything passes as it is.
    pub(crate) fn pass(&mut self) {
        if let Some(handshake) = &mut self.stage.handshake {
            handshake.outgoing.finish(&mut handshake.pending);
            handshake.inbound = Inbound::Off;
        }
    }

    /// The inner stream.
    pub fn get_ref(&self) -> &IO {
        &self.io
    }

    /// The inner stream. Do not read from it or write to it during a handshake.
    pub fn get_mut(&mut self) -> &mut IO {
        &mut self.io
    }

    /// The inner stream. During a handshake, what rustls has not read or the stream has not sent yet is lost.
    pub fn into_inner(self) -> IO {
        self.io
    }
}

fn serving(config: &ServerConfig) -> Outgoing {
    let plan = plan_of(config.crypto_provider());
    Outgoing::new(Side::Server, plan, payload_limit(config.max_fragment_size))
}

/// The payload that fits into a record under rustls's `max_fragment_size`.
fn payload_limit(max_fragment_size: Option<usize>) -> usize {
    max_fragment_size.map_or(1 << 14, |size| size.saturating_sub(5))
}
