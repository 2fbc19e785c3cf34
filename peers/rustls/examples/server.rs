//! A server that asks for a certificate whoever sets the request mTLS flag.
//!
//! It prints how to run the client example against it.

#[expect(dead_code, reason = "the examples share it, and each uses a part")]
mod shared;

use rustls_tlsflags::{Accepted, TlsFlagsAcceptor};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use shared::{Pki, Result};

#[tokio::main]
async fn main() -> Result<()> {
    let pki = Pki::generate()?;
    let folder = std::env::temp_dir().join(format!("tlsflags-{}", std::process::id()));
    pki.write_for_client(&folder)?;

    let acceptor = shared::acceptor(&pki)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    println!("in another terminal, with or without a word behind it:");
    println!(
        "  cargo run -p rustls-tlsflags --example client {} {} [noflag|nocert]",
        listener.local_addr()?,
        folder.display()
    );
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
