//! What the server says on top of TLS: one answer over HTTP/1.1, then it closes.

use std::fmt::Debug;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqmtls_contract::{Answer, ConnectionReport, Stream};
use reqmtls_peer_rustls::Exchange;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::http::{self, Page, Request};
use super::{Open, so_far};
use crate::judge::{Connection, Knowledge};

/// What is answered over HTTP.
pub(crate) trait Pages: Debug + Send + Sync {
    /// The page for a request. `connection` is all that has passed by now, judged.
    fn page(&self, request: &Request, connection: &Connection) -> Page;
}

/// One request and one answer.
#[derive(Debug)]
pub(super) struct Http {
    pub(super) pages: Arc<dyn Pages>,
    pub(super) open: Arc<Open>,
    pub(super) knowledge: Knowledge,
    /// How long a request may take to come.
    pub(super) patience: Duration,
}

#[async_trait]
impl Exchange for Http {
    fn request(&self) -> &[u8] {
        // A server asks nothing.
        &[]
    }

    async fn read(&self, _stream: &mut dyn Stream) -> io::Result<Option<Answer>> {
        Ok(None)
    }

    async fn serve(
        &self,
        connection: u32,
        early: &[u8],
        mut stream: &mut dyn Stream,
        report: &ConnectionReport,
    ) -> io::Result<()> {
        let mut input = AsyncReadExt::chain(early, &mut stream);
        let asked = timeout(self.patience, http::read(&mut input)).await;
        let (page, is_head) = match asked {
            Ok(Ok(request)) => {
                let so_far = so_far(&self.knowledge, &self.open.so_far(connection), report);
                let page = self.pages.page(&request, &so_far);
                (Some(page), request.is_head)
            }
            Ok(Err(http::RequestError::Read(error))) => return Err(error),
            Ok(Err(error)) => (error.page(), false),
            // One that does not speak HTTP is closed in order.
            Err(_) => (None, false),
        };
        if let Some(page) = &page {
            http::write(&mut stream, page, is_head).await?;
        }
        stream.shutdown().await?;
        let mut buffer = [0; 4096];
        while stream.read(&mut buffer).await? > 0 {}
        Ok(())
    }
}
