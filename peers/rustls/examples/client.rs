//! A client for the server example, which prints how to call it.

#[expect(dead_code, reason = "the examples share it, and each uses a part")]
mod shared;

use std::path::Path;

use rustls::pki_types::ServerName;
use rustls_tlsflags::Flags;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use shared::{Identity, Result, SERVER_NAME};

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (address, folder, how) = match &arguments[..] {
        [address, folder] => (address, Path::new(folder), ""),
        [address, folder, how] if ["noflag", "nocert"].contains(&how.as_str()) => {
            (address, Path::new(folder), how.as_str())
        }
        _ => return Err("usage: client ADDRESS FOLDER [noflag|nocert]".into()),
    };
    let identity = Identity {
        certificate: std::fs::read_to_string(folder.join("client.pem"))?,
        key: std::fs::read_to_string(folder.join("client-key.pem"))?,
    };
    let authority = std::fs::read_to_string(folder.join("authority.pem"))?;
    let flags = match how {
        "noflag" => Flags::new(),
        _ => Flags::request_mtls(),
    };
    let identity = (how != "nocert").then_some(&identity);
    let connector = shared::connector(&authority, identity, &flags)?;

    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from(SERVER_NAME)?;
    let mut stream = connector.connect(name, stream).await?;
    let mut seen = String::new();
    stream.read_to_string(&mut seen).await?;
    stream.shutdown().await?;
    println!("the server saw: {seen}");
    Ok(())
}
