//! A server that asks for a certificate whoever sets the request mTLS flag.
//!
//! It prints how to run the client example against it.

#[expect(dead_code, reason = "the examples share it, and each uses a part")]
mod shared;

use rustls_tlsflags::{Accepted, TlsFlagsAcceptor};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use shared::{Pki, Result};

#[tokio::main]
async fn main() -> Result<()> {
    let pki = Pki::generate()?;
    let acceptor = shared::acceptor(&pki)?;
    let listener = shared::listen(&pki, "client").await?;
    loop {
        let (stream, peer) = listener.accept().await?;
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            match serve(&acceptor, stream).await {
                Ok(seen) => println!("{peer}: {seen}"),
                Err(error) => println!("{peer}: refused: {error}"),
            }
        });
    }
}

/// Tells the client what this server knows about it.
async fn serve(acceptor: &TlsFlagsAcceptor, stream: TcpStream) -> Result<String> {
    let Accepted {
        mut stream, offer, ..
    } = acceptor.accept(stream).await?;
    let certificates = stream.get_ref().1.peer_certificates().map_or(0, <[_]>::len);
    let flags = offer.flags.unwrap_or_default();
    let seen = format!("flags {flags:?}, {certificates} client certificate(s)");
    stream.write_all(seen.as_bytes()).await?;
    stream.shutdown().await?;
    stream.read_to_end(&mut Vec::new()).await?;
    Ok(seen)
}
