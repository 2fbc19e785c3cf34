//! A client and a server in one process: who is asked, and who gets in.

#[expect(dead_code, reason = "the examples share it, and each uses a part")]
mod shared;

use rustls::pki_types::ServerName;
use rustls_tlsflags::{AcceptError, Flags};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use shared::{Pki, Result, SERVER_NAME};

#[tokio::main]
async fn main() -> Result<()> {
    let pki = Pki::generate()?;
    let acceptor = shared::acceptor(&pki)?;
    println!("policy: require a certificate of whoever sets the flag\n");
    for flags in [Flags::new(), Flags::request_mtls()] {
        for identity in [None, Some(&pki.client)] {
            let connector = shared::connector(&pki.authority, identity, &flags)?;
            let (near, far) = tokio::io::duplex(4096);
            let client = async {
                let name = ServerName::try_from(SERVER_NAME)?;
                let mut stream = connector.connect(name, near).await?;
                stream.shutdown().await?;
                stream.read_to_end(&mut Vec::new()).await?;
                Result::Ok(())
            };
            let server = async {
                let mut accepted = acceptor.accept(far).await?;
                let certificates = accepted.stream.get_ref().1.peer_certificates();
                let authenticated = certificates.is_some();
                accepted.stream.shutdown().await?;
                std::result::Result::<_, AcceptError>::Ok(authenticated)
            };
            let (client, server) = tokio::join!(client, server);
            println!("flags {flags:?}, certificate {}:", identity.is_some());
            match server {
                Ok(authenticated) => println!("  server: accepted, authenticated {authenticated}"),
                Err(error) => println!("  server: refused: {error}"),
            }
            match client {
                Ok(()) => println!("  client: closed in order"),
                Err(error) => println!("  client: {error}"),
            }
        }
    }
    Ok(())
}
