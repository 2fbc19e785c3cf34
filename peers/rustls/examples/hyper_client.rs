//! hyper-util's client, whose pool has connections that set the flag.
//!
//! For the example `axum_server`, which prints how to call it.

#[expect(dead_code, reason = "the examples share it, and each uses a part")]
mod shared;

use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Uri, body::Bytes};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use rustls_tlsflags::TlsFlagsConnector;
use rustls_tlsflags::hyper::HttpsConnector;

use shared::{Result, SERVER_NAME};

#[tokio::main]
async fn main() -> Result<()> {
    let (port, connector) = shared::client_arguments()?;
    let uri = format!("https://{SERVER_NAME}:{port}/").parse()?;
    println!("the server saw: {}", get(client(connector), uri).await?);
    Ok(())
}

type HttpsClient = Client<HttpsConnector, Empty<Bytes>>;

/// A client, to be used for any number of requests.
pub(crate) fn client(connector: TlsFlagsConnector) -> HttpsClient {
    Client::builder(TokioExecutor::new()).build(HttpsConnector::new(connector))
}

/// The text that a server answers, 10000 octets at most.
pub(crate) async fn get(client: HttpsClient, uri: Uri) -> Result<String> {
    let request = async {
        let answer = client.get(uri).await?;
        let body = Limited::new(answer.into_body(), 10_000).collect().await?;
        Ok(String::from_utf8(body.to_bytes().into())?)
    };
    tokio::time::timeout(Duration::from_secs(10), request).await?
}
