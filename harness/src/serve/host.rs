//! The servers behind one address, chosen by the name that ClientHello carries.

use std::io;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use reqmtls_contract::{
    ConnectionReport, Endpoint, Job, Peer, PrepareError, Side, Stream, prepare,
};
use reqmtls_peer_rustls::{Application, Rustls};
use rustls::server::Acceptor;
use tokio::io::AsyncReadExt;

use super::exchange::Http;
use super::{Limits, Open, Plan};
use crate::judge::Knowledge;

/// A server, ready for connections.
pub(super) struct Host {
    /// What it is called in output.
    pub(super) name: String,
    pub(super) endpoint: Arc<dyn Endpoint>,
    /// What is known of it beforehand.
    pub(super) knowledge: Knowledge,
}

impl Host {
    pub(super) fn prepare(
        plan: Plan,
        open: &Arc<Open>,
        limits: &Limits,
    ) -> Result<Self, PrepareError> {
        let exchange = Http {
            pages: plan.pages,
            open: Arc::clone(open),
            knowledge: plan.knowledge.clone(),
            patience: limits.deadline / 2,
        };
        let reference = Rustls::new().with_application(Application {
            exchange: Arc::new(exchange),
            protocols: plan.protocols,
            trust: plan.trust,
        });
        let job = Job {
            id: plan.name.clone(),
            side: Side::Server,
            setup: plan.setup,
        };
        Ok(Self {
            name: plan.name,
            endpoint: prepare(&reference, &reference.describe(), job)?,
            knowledge: plan.knowledge,
        })
    }
}

/// The server of one connection, which its ClientHello chooses.
pub(super) struct Choice<'a> {
    first: &'a Host,
    named: &'a [(String, Host)],
    chosen: OnceLock<&'a Host>,
}

impl<'a> Choice<'a> {
    pub(super) fn of(first: &'a Host, named: &'a [(String, Host)]) -> Self {
        Self {
            first,
            named,
            chosen: OnceLock::new(),
        }
    }

    /// The one that was chosen; the first one, if nothing was.
    pub(super) fn made(&self) -> &'a Host {
        self.chosen.get().unwrap_or(&self.first)
    }

    fn find(&self, server_name: Option<&str>) -> &'a Host {
        let is_sent = |own: &str| server_name.is_some_and(|sent| own.eq_ignore_ascii_case(sent));
        let found = self.named.iter().find(|(own, _)| is_sent(own));
        found.map_or(self.first, |(_, host)| host)
    }
}

#[async_trait]
impl Endpoint for Choice<'_> {
    async fn run(&self, connection: u32, stream: &mut dyn Stream, report: &mut ConnectionReport) {
        if self.named.is_empty() {
            return self.first.endpoint.run(connection, stream, report).await;
        }
        let mut read = Vec::new();
        let server_name = match server_name(stream, &mut read).await {
            Ok(server_name) => server_name,
            Err(error) => return report.break_off(&error),
        };
        let host = self.find(server_name.as_deref());
        let host = self.chosen.get_or_init(|| host);
        // It reads again what was read here.
        let (reader, writer) = tokio::io::split(stream);
        let mut stream = tokio::io::join((&read[..]).chain(reader), writer);
        host.endpoint.run(connection, &mut stream, report).await;
    }
}

/// The name that ClientHello carries. What is none, or ends early, carries none: what is wrong with it the server says.
async fn server_name(stream: &mut dyn Stream, read: &mut Vec<u8>) -> io::Result<Option<String>> {
    let mut acceptor = Acceptor::default();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(None);
        }
        read.extend_from_slice(&buffer[..count]);
        let mut octets = &buffer[..count];
        while !octets.is_empty() {
            if matches!(acceptor.read_tls(&mut octets), Ok(0) | Err(_)) {
                return Ok(None);
            }
            match acceptor.accept() {
                Ok(None) => {}
                Ok(Some(accepted)) => {
                    let hello = accepted.client_hello();
                    return Ok(hello.server_name().map(str::to_owned));
                }
                Err(_) => return Ok(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqmtls_contract::{Setup, drive};
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test]
    async fn a_name_is_read_that_comes_octet_by_octet() {
        let job = Job {
            id: "client".to_owned(),
            side: Side::Client,
            setup: Setup {
                server_name: Some("a.localhost".to_owned()),
                ..Setup::default()
            },
        };
        let peer = Rustls::new();
        let client = prepare(&peer, &peer.describe(), job).unwrap();
        let (mut ours, mut theirs) = tokio::io::duplex(1);
        let read = async {
            let mut read = Vec::new();
            let name = server_name(&mut theirs, &mut read).await.unwrap();
            assert_eq!(name.as_deref(), Some("a.localhost"));
            // The type of a record of the handshake, and its length.
            assert_eq!(read[0], 22);
            let length = u16::from_be_bytes([read[3], read[4]]);
            assert_eq!(read.len(), 5 + usize::from(length));
            drop(theirs);
        };
        tokio::join!(drive(&*client, 0, &mut ours, Duration::from_secs(5)), read);
    }

    #[tokio::test]
    async fn what_is_no_client_hello_has_no_name_and_is_kept() {
        for text in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x16\x03\x01", b""] {
            let (mut ours, mut theirs) = tokio::io::duplex(64);
            ours.write_all(text).await.unwrap();
            drop(ours);
            let mut read = Vec::new();
            assert_eq!(server_name(&mut theirs, &mut read).await.unwrap(), None);
            assert_eq!(read, text);
        }
    }
}
