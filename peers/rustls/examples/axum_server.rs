//! An HTTP server by axum and hyper-util, whose handlers know the client: did it set the flag, and who is it.

#[expect(dead_code, reason = "the examples share it, and each uses a part")]
mod shared;

use std::time::Duration;

use axum::{Extension, Router, routing::get};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rustls_tlsflags::{ClientInfo, REQUEST_MTLS, TlsFlagsAcceptor};
use sha2::{Digest, Sha256};
use tokio::net::{TcpListener, TcpStream};

use shared::{Pki, Result};

#[tokio::main]
async fn main() -> Result<()> {
    let pki = Pki::generate()?;
    let listener = shared::listen(&pki, "hyper_client").await?;
    serve(listener, shared::acceptor(&pki)?).await
}

/// Answers with what is known of the client.
async fn who_am_i(Extension(client): Extension<ClientInfo>) -> String {
    let flag = client.sets(REQUEST_MTLS);
    match client.certificate() {
        Some(certificate) => {
            let fingerprint = hex::encode(Sha256::digest(certificate));
            format!("flag {flag}, certificate {fingerprint}")
        }
        None => format!("flag {flag}, not authenticated"),
    }
}

/// Serves whoever connects, as long as the listener lives.
pub(crate) async fn serve(listener: TcpListener, acceptor: TlsFlagsAcceptor) -> Result<()> {
    let router = Router::new().route("/", get(who_am_i));
    loop {
        let (tcp, peer) = listener.accept().await?;
        let (acceptor, router) = (acceptor.clone(), router.clone());
        tokio::spawn(async move {
            if let Err(error) = serve_one(tcp, &acceptor, router).await {
                eprintln!("{peer}: {error}");
            }
        });
    }
}

/// Serves the requests of one connection, each with a [`ClientInfo`] among its extensions.
async fn serve_one(tcp: TcpStream, acceptor: &TlsFlagsAcceptor, router: Router) -> Result<()> {
    let accepted = tokio::time::timeout(Duration::from_secs(10), acceptor.accept(tcp)).await??;
    let router = router.layer(Extension(accepted.client_info()));
    let stream = TokioIo::new(accepted.stream);
    let server = Builder::new(TokioExecutor::new());
    let service = TowerToHyperService::new(router);
    server.serve_connection(stream, service).await
}
