//! What stands on top of TLS: that of the peer contract, or another one inside the harness.

use std::fmt::Debug;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use reqmtls_contract::{
    Answer, ConnectionReport, REQUEST, Stream, read_answer, read_request, write_answer,
};
use tokio::io::AsyncReadExt;

/// What stands on top of TLS.
#[derive(Clone, Debug)]
pub struct Application {
    /// What the ends say to each other.
    pub exchange: Arc<dyn Exchange>,
    /// The protocols of ALPN (RFC 7301), preferred first; none: no such extension.
    pub protocols: Vec<Vec<u8>>,
    /// Whose certificates an end accepts.
    pub trust: Trust,
}

/// Whose certificates an end accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Those that the trust anchors of the setup have issued, and a server's for its name alone.
    Anchors,
    /// Anybody's whose CertificateVerify verifies. For ends that look at others and hand nothing out.
    Anybody,
}

/// What the two ends say to each other once the handshake stands.
#[async_trait]
pub trait Exchange: Debug + Send + Sync {
    /// What a client asks, after the handshake or as early data.
    fn request(&self) -> &[u8];

    /// The client's part once it has asked: reads what is answered, closes, and reads to the end.
    async fn read(&self, stream: &mut dyn Stream) -> io::Result<Option<Answer>>;

    /// The server's part: reads what is asked, of which `early` came as early data, answers, closes, and reads to the
    /// end. `report` is what the server knows of this connection of the job by then.
    async fn serve(
        &self,
        connection: u32,
        early: &[u8],
        stream: &mut dyn Stream,
        report: &ConnectionReport,
    ) -> io::Result<()>;
}

/// The exchange of the peer contract.
#[derive(Debug)]
struct Contract;

#[async_trait]
impl Exchange for Contract {
    fn request(&self) -> &[u8] {
        REQUEST
    }

    async fn read(&self, mut stream: &mut dyn Stream) -> io::Result<Option<Answer>> {
        read_answer(&mut stream).await.map(Some)
    }

    async fn serve(
        &self,
        _connection: u32,
        early: &[u8],
        mut stream: &mut dyn Stream,
        report: &ConnectionReport,
    ) -> io::Result<()> {
        read_request(&mut AsyncReadExt::chain(early, &mut stream)).await?;
        write_answer(&mut stream, &report.to_answer()).await
    }
}

impl Default for Application {
    /// That of the peer contract.
    fn default() -> Self {
        Self {
            exchange: Arc::new(Contract),
            protocols: Vec::new(),
            trust: Trust::Anchors,
        }
    }
}
