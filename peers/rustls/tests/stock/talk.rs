//! What two ends say to each other once they are connected, and how that went.

use std::io::Read;

use rustls::HandshakeKind;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What they say to each other.
#[derive(Clone, Debug)]
pub(crate) enum Talk {
    /// The client sends octets and closes; the server sends them back and closes.
    Echo(usize),
    /// The same, as early data if there is a session.
    Early(usize),
    /// The server closes before it reads anything.
    ServerClosesFirst(usize),
    /// The client sends octets, the server sends them back, and nobody closes: in debug builds, rustls does not
    /// take a bad record once it has closed.
    Reply(usize),
    /// Both update their keys between the octets that they send.
    KeyUpdate(usize),
}

fn ended(result: std::io::Result<usize>, kind: Option<HandshakeKind>, more: &str) -> String {
    match result {
        Ok(octets) => format!("{octets} octets, {kind:?}{more}"),
        Err(error) => format!("{error}, {kind:?}{more}"),
    }
}

pub(crate) async fn client_talks<S>(
    mut stream: tokio_rustls::client::TlsStream<S>,
    talk: &Talk,
) -> String
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut got = Vec::new();
    let result = async {
        match talk {
            Talk::Echo(octets) | Talk::Early(octets) => {
                stream.write_all(&vec![7; *octets]).await?;
                stream.shutdown().await?;
                stream.read_to_end(&mut got).await
            }
            Talk::ServerClosesFirst(octets) => {
                stream.read_to_end(&mut got).await?;
                stream.write_all(&vec![7; *octets]).await?;
                stream.shutdown().await?;
                Ok(got.len())
            }
            Talk::Reply(octets) => {
                stream.write_all(&vec![7; *octets]).await?;
                stream.flush().await?;
                got = vec![0; *octets];
                stream.read_exact(&mut got).await
            }
            Talk::KeyUpdate(octets) => {
                for _ in 0..3 {
                    stream.write_all(&vec![7; *octets]).await?;
                    // TLS 1.2 has no such thing, and says so.
                    let _ = stream.get_mut().1.refresh_traffic_keys();
                }
                stream.shutdown().await?;
                stream.read_to_end(&mut got).await
            }
        }
    }
    .await;
    let tls = stream.get_ref().1;
    let more = match talk {
        Talk::Early(_) => format!(", early {}", tls.is_early_data_accepted()),
        _ => String::new(),
    };
    ended(result, tls.handshake_kind(), &more)
}

pub(crate) async fn server_talks<S>(
    mut stream: tokio_rustls::server::TlsStream<S>,
    talk: &Talk,
) -> String
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut got = Vec::new();
    if let Some(mut early) = stream.get_mut().1.early_data() {
        early.read_to_end(&mut got).unwrap();
    }
    let early = got.len();
    let result = async {
        match talk {
            Talk::Echo(_) | Talk::Early(_) => {
                stream.read_to_end(&mut got).await?;
                stream.write_all(&got).await?;
                stream.shutdown().await?;
            }
            Talk::ServerClosesFirst(octets) => {
                stream.write_all(&vec![8; *octets]).await?;
                stream.shutdown().await?;
                stream.read_to_end(&mut got).await?;
            }
            Talk::Reply(octets) => {
                got = vec![0; *octets];
                stream.read_exact(&mut got).await?;
                stream.write_all(&got).await?;
                stream.flush().await?;
            }
            Talk::KeyUpdate(_) => {
                stream.read_to_end(&mut got).await?;
                for part in got.chunks(1000) {
                    stream.write_all(part).await?;
                    let _ = stream.get_mut().1.refresh_traffic_keys();
                }
                stream.shutdown().await?;
            }
        }
        Ok(got.len())
    }
    .await;
    let tls = stream.get_ref().1;
    let certificates = tls.peer_certificates().map_or(0, <[_]>::len);
    let more = format!(", {early} early, {certificates} certificates");
    ended(result, tls.handshake_kind(), &more)
}
