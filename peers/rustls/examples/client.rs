//! A client for the server example, which prints how to call it.

#[expect(dead_code, reason = "the examples share it, and each uses a part")]
mod shared;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use shared::{Result, SERVER_NAME};

#[tokio::main]
async fn main() -> Result<()> {
    let (port, connector) = shared::client_arguments()?;
    let stream = TcpStream::connect((SERVER_NAME, port)).await?;
    let name = ServerName::try_from(SERVER_NAME)?;
    let mut stream = connector.connect(name, stream).await?;
    let mut seen = String::new();
    stream.read_to_string(&mut seen).await?;
    stream.shutdown().await?;
    println!("the server saw: {seen}");
    Ok(())
}
