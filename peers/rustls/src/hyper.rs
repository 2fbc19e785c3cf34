//! A connector for the client of hyper-util, which sets flags in every connection of its pool.
//!
//! ```no_run
//! use http_body_util::Empty;
//! use hyper::body::Bytes;
//! use hyper_util::client::legacy::{Client, connect::HttpConnector};
//! use hyper_util::rt::TokioExecutor;
//! use rustls_tlsflags::TlsFlagsConnector;
//! use rustls_tlsflags::hyper::HttpsConnector;
//!
//! fn client(tls: TlsFlagsConnector) -> Client<HttpsConnector<HttpConnector>, Empty<Bytes>> {
//!     Client::builder(TokioExecutor::new()).build(HttpsConnector::new(tls))
//! }
//! ```

use std::error::Error;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use crate::client::TlsFlagsConnector;
use crate::seam::EditedIo;

type BoxError = Box<dyn Error + Send + Sync>;

/// Connects to `https` URIs by a [`TlsFlagsConnector`].
///
/// HTTP/2 is spoken if the connector's configuration offers it by ALPN and the server takes it. The handshake has no
/// deadline of its own: it is part of the request that waits for it.
#[derive(Clone, Debug)]
pub struct HttpsConnector<C = HttpConnector> {
    below: C,
    tls: TlsFlagsConnector,
}

impl HttpsConnector {
    /// Connects by TCP.
    #[must_use]
    pub fn new(tls: TlsFlagsConnector) -> Self {
        let mut below = HttpConnector::new();
        below.enforce_http(false);
        Self::over(below, tls)
    }
}

impl<C> HttpsConnector<C> {
    /// Connects by `below`, a connector that takes `https` URIs and gives streams without TLS.
    pub fn over(below: C, tls: TlsFlagsConnector) -> Self {
        Self { below, tls }
    }
}

impl<C> Service<Uri> for HttpsConnector<C>
where
    C: Service<Uri, Error: Into<BoxError>, Future: Send + 'static>,
    C::Response: Read + Write + Unpin + Send + 'static,
{
    type Response = HttpsStream<C::Response>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.below.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let name = match server_name(&uri) {
            Ok(name) => name,
            Err(error) => return Box::pin(std::future::ready(Err(error))),
        };
        let connecting = self.below.call(uri);
        let tls = self.tls.clone();
        Box::pin(async move {
            let stream = TokioIo::new(connecting.await.map_err(Into::<BoxError>::into)?);
            let stream = tls.connect(name, stream).await?;
            Ok(HttpsStream(TokioIo::new(stream)))
        })
    }
}

fn server_name(uri: &Uri) -> Result<ServerName<'static>, BoxError> {
    if uri.scheme_str() != Some("https") {
        return Err(format!("cannot connect to {uri}: expected a URI with https").into());
    }
    let host = uri.host().unwrap_or_default();
    // An IPv6 address stands in brackets (RFC 3986 §3.2.2).
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    Ok(ServerName::try_from(bare.unwrap_or(host).to_owned())?)
}

/// A stream of an [`HttpsConnector`].
#[derive(Debug)]
pub struct HttpsStream<IO>(TokioIo<TlsStream<EditedIo<TokioIo<IO>>>>);

impl<IO> HttpsStream<IO> {
    /// The stream, as tokio-rustls has made it.
    pub fn get_ref(&self) -> &TlsStream<EditedIo<TokioIo<IO>>> {
        self.0.inner()
    }
}

impl<IO: Connection> Connection for HttpsStream<IO> {
    fn connected(&self) -> Connected {
        let (stream, connection) = self.get_ref().get_ref();
        let connected = stream.get_ref().inner().connected();
        if connection.alpn_protocol() == Some(b"h2") {
            connected.negotiated_h2()
        } else {
            connected
        }
    }
}

impl<IO: Read + Write + Unpin> Read for HttpsStream<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<IO: Read + Write + Unpin> Write for HttpsStream<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(uri: &'static str) -> Result<String, String> {
        let name = server_name(&Uri::from_static(uri));
        name.map(|name| name.to_str().into_owned())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn names_are_those_of_the_uri() {
        assert_eq!(name("https://server.test:8443/a"), Ok("server.test".into()));
        assert_eq!(name("https://[::1]/"), Ok("::1".into()));
        assert_eq!(name("https://127.0.0.1/"), Ok("127.0.0.1".into()));
    }

    #[test]
    fn refuses_a_uri_without_tls() {
        let error = "cannot connect to http://server.test/: expected a URI with https";
        assert_eq!(name("http://server.test/"), Err(error.into()));
    }
}
