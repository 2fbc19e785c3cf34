//! Both ends over streams of tokio.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Connect, TlsAcceptor, TlsConnector};

use crate::client::TlsFlagsConnector;
use crate::error::AcceptError;
use crate::info::ClientInfo;
use crate::policy::{ClientAuth, Offer};
use crate::seam::EditedIo;
use crate::server::{Failed, TlsFlagsAcceptor};

impl TlsFlagsConnector {
    /// The same with an option of tokio-rustls's own connector.
    ///
    /// `|connector| connector.early_data(true)` enables 0-RTT if tokio-rustls has its `early-data` feature. The
    /// closure must return the connector that it is given, and not one with another configuration.
    ///
    /// # Panics
    ///
    /// If the configuration is another.
    #[must_use]
    pub fn with_options(mut self, set: impl FnOnce(TlsConnector) -> TlsConnector) -> Self {
        self.inner = set(self.inner);
        assert!(
            Arc::ptr_eq(self.config(), self.inner.config()),
            "the options came with another configuration"
        );
        self
    }

    /// Performs a handshake with `server_name` over `io`.
    pub fn connect<IO>(&self, server_name: ServerName<'static>, io: IO) -> Connect<EditedIo<IO>>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let io = EditedIo::for_client(io, self.config());
        self.inner.connect(server_name, io)
    }
}

impl TlsFlagsAcceptor {
    /// Performs a handshake over `io`.
    ///
    /// If it fails, the alert that says why is sent, and `io` is shut down and
    /// dropped. [`TlsFlagsAcceptor::accept_fallible`] gives it back instead.
    pub async fn accept<IO>(&self, io: IO) -> Result<Accepted<IO>, AcceptError>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        match self.accept_fallible(io).await {
            Ok(accepted) => Ok(accepted),
            Err(Failed { error, mut io, .. }) => {
                // The error at hand says more than one about closing.
                let _ = io.shutdown().await;
                Err(error)
            }
        }
    }

    /// Performs a handshake over `io`, and gives `io` back if it fails.
    ///
    /// An alert was then sent and flushed if there was one to send. Reading to
    /// the end of the stream before dropping it keeps TCP from answering what
    /// the client still sends with a reset, which could overtake the alert.
    pub async fn accept_fallible<IO>(&self, io: IO) -> Result<Accepted<IO>, Failed<IO>>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let mut io = EditedIo::for_server(io);
        let hello = match io.read_client_hello().await {
            Ok(hello) => hello,
            Err(error) => return Err(Failed::new(AcceptError::Io(error), io, None)),
        };
        let data = self.extension_data(hello.as_ref());
        let begun = match self.begin(&mut io, hello) {
            Ok(begun) => begun,
            Err(error) => {
                let mut failed = Failed::new(error, io, data);
                // The error at hand says more than one about sending an alert.
                let _ = failed.io.write_all(&failed.error.alert()).await;
                return Err(failed.flushed().await);
            }
        };
        let acceptor = TlsAcceptor::from(Arc::clone(&begun.config));
        match acceptor.accept(io).into_fallible().await {
            Ok(stream) => match begun.outcome(stream.get_ref().1) {
                Ok((offer, client_auth)) => Ok(Accepted {
                    stream,
                    offer,
                    client_auth,
                }),
                Err(error) => Err(Failed::new(error, stream.into_inner().0, data)),
            },
            Err((error, io)) => {
                let failed = Failed::new(self.error(error), io, data);
                Err(failed.flushed().await)
            }
        }
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Failed<IO> {
    /// Sends what rustls has written.
    async fn flushed(mut self) -> Self {
        let _ = self.io.flush().await;
        self
    }
}

/// A connection whose handshake is complete.
#[derive(Debug)]
#[non_exhaustive]
pub struct Accepted<IO> {
    /// The stream.
    pub stream: TlsStream<EditedIo<IO>>,
    /// What the client offered.
    pub offer: Offer,
    /// What was decided to ask of the client.
    ///
    /// If the handshake resumed a session, the client was asked in the one
    /// that made the session.
    pub client_auth: ClientAuth,
}

impl<IO> Accepted<IO> {
    /// What an application knows about the client, apart from the stream.
    #[must_use]
    pub fn client_info(&self) -> ClientInfo {
        ClientInfo::new(&self.offer, self.client_auth, self.stream.get_ref().1)
    }
}
