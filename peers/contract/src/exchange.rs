//! What the ends say to each other once the handshake stands.
//!
//! Without it, a client would not see that the server refused it after the client's Finished.

use std::io;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::line::read_line_within;
use crate::{Hex, write_line};

/// What a client asks, after the handshake or as early data.
pub const REQUEST: &[u8] = b"who am i?\n";

/// The most octets of the server's answer, a line, its end included.
pub const ANSWER_LIMIT: usize = 4096;

/// What the server knows of the client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// SHA-256 of the certificate (DER, end entity) by which the client is authenticated.
    pub client_certificate: Option<Hex>,
    /// The `extension_data` of `tls_flags` in ClientHello.
    pub tls_flags: Option<Hex>,
}

/// What a client got in place of the answer: there are servers that refuse a client so, without an error alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("got close_notify, expected the server's answer")]
pub struct ClosedInstead;

/// The client's part: asks, reads the answer, closes, and reads to the end.
pub async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<Answer> {
    stream.write_all(REQUEST).await?;
    stream.flush().await?;
    read_answer(stream).await
}

/// The client's part once it has asked: reads the answer, closes, and reads to the end.
///
/// # Errors
///
/// [`ClosedInstead`] inside, where the server closed and the client has closed too; what the stream fails with.
pub async fn read_answer(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<Answer> {
    let answer = read_line_within(stream, ANSWER_LIMIT).await?;
    stream.shutdown().await?;
    drain(stream).await?;
    answer.ok_or_else(|| io::Error::other(ClosedInstead))
}

/// The server's part: reads the request, answers, reads to the end, and closes.
pub async fn serve_answer(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    answer: &Answer,
) -> io::Result<()> {
    read_request(stream).await?;
    write_answer(stream, answer).await
}

/// Reads the request; anything else is an error.
pub async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let mut request = [0; REQUEST.len()];
    stream.read_exact(&mut request).await?;
    if request != REQUEST {
        let got = String::from_utf8_lossy(&request).into_owned();
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("got {got:?}, expected the request"),
        ));
    }
    Ok(())
}

/// The server's part once it has read the request: answers, reads to the end, and closes.
pub async fn write_answer(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    answer: &Answer,
) -> io::Result<()> {
    write_line(stream, answer).await?;
    drain(stream).await?;
    stream.shutdown().await
}

/// Reads to the end of the stream and throws away what comes.
pub(crate) async fn drain(stream: &mut (impl AsyncRead + Unpin + ?Sized)) -> io::Result<()> {
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_closes_too_where_the_server_closes_in_place_of_an_answer() {
        let (mut client, mut server) = tokio::io::duplex(64);
        server.shutdown().await.unwrap();
        let asked = ask(&mut client).await.unwrap_err();
        let inner = asked.get_ref().and_then(|it| it.downcast_ref());
        assert_eq!(inner, Some(&ClosedInstead));
        let mut sent = Vec::new();
        server.read_to_end(&mut sent).await.unwrap();
        assert_eq!(sent, REQUEST);
    }
}
