//! Servers on loopback, and probes of them.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqmtls::probe::{self, Judged, Plan, ProbeError, Probed, plays, scenarios};
use reqmtls::scenario::{Certificates, Material, SERVER_NAME};
use reqmtls_contract::{Endpoint, Job, Peer, REQUEST, Revision, Setup, Side, drive, prepare};
use reqmtls_peer_rustls::Rustls;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A server that ends when it is dropped.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// One that does this with each connection, a task for each.
    pub(super) async fn doing<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                connections.spawn(serve(stream));
            }
        });
        Self { address, task }
    }

    /// The reference, set up so.
    pub(super) async fn reference(material: &Material, change: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = Setup {
            identity: Some(material.certificates.p256.server.clone()),
            trust_anchors: Some(material.certificates.p256.authority.clone()),
            revision: None,
            ..Setup::default()
        };
        change(&mut setup);
        let job = Job {
            id: "server".to_owned(),
            side: Side::Server,
            setup,
        };
        let end: Arc<dyn Endpoint> =
            prepare(&Rustls::new(), &Rustls::new().describe(), job).unwrap();
        Self::doing(move |mut stream| {
            let end = Arc::clone(&end);
            async move {
                drive(&*end, 0, &mut stream, Duration::from_secs(5)).await;
            }
        })
        .await
    }
}

pub(super) fn material(revision: Revision) -> Material {
    Material {
        certificates: Certificates::generate().unwrap(),
        extension: 62,
        flag: 80,
        revision,
    }
}

/// A plan for a server that answers the contract's request. Without an identity the certificate is one that the
/// server does not trust.
pub(super) fn plan(address: SocketAddr, mut material: Material, has_identity: bool) -> Plan {
    if !has_identity {
        material.certificates.p256.client = material.certificates.untrusted.clone();
    }
    let scenarios = scenarios(&material).unwrap();
    Plan {
        address,
        server_name: SERVER_NAME.to_owned(),
        alpn: Vec::new(),
        starttls: None,
        request: REQUEST.to_vec(),
        plays: plays(&scenarios, |_| true, &material, has_identity),
        material,
        server_knows_flags: None,
        timeout: Duration::from_secs(2),
        wait: Duration::from_millis(500),
        pause: Duration::ZERO,
        limit: Duration::from_mins(1),
    }
}

/// Probes, and judges.
pub(super) async fn probed(plan: &Plan) -> Result<(Probed, Judged), ProbeError> {
    let probed = probe::probe(plan, |_| {}).await?;
    let judged = probe::judge(plan, &probed);
    let faults = judged.own_faults(&probed);
    assert!(faults.is_empty(), "{faults:#?}");
    Ok((probed, judged))
}
