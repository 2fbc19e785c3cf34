//! What tests of peers share: certificates, setups, and connections over streams in memory.

#![expect(
    clippy::missing_panics_doc,
    reason = "what cannot be set up fails the test"
)]

use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use tokio::task::JoinHandle;

use crate::{
    ConnectionReport, Endpoint, Hex, Identity, Job, Peer, Policy, PrepareError, Setup, Side,
    Stream, drive, prepare,
};

/// The name in the server's certificate.
pub const SERVER_NAME: &str = "server.reqmtls.test";
/// The number of the request mTLS flag.
pub const FLAG: u16 = 80;
/// The `extension_data` that sets it alone.
pub const FLAG_80: [u8; 12] = [11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
/// Flags 80 and 0.
pub const OTHER_FLAGS: [u8; 12] = [11, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
/// Every way in which the `extension_data` of `tls_flags` can be malformed.
pub const MALFORMED: [&[u8]; 7] = [
    &[],
    &[0],
    &[1, 0],
    &[2, 1, 0],
    &[2, 1],
    &[1, 1, 1],
    &[3, 0, 0, 0],
];
/// The alert `illegal_parameter`.
pub const ILLEGAL_PARAMETER: u8 = 47;
/// The most time that a connection of a test may take.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// An authority, and a certificate of its for each end.
pub struct Names {
    /// The authority's certificate, PEM.
    pub authority: String,
    /// The server's.
    pub server: Identity,
    /// The client's.
    pub client: Identity,
}

impl Names {
    /// Fresh ones.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "no two are the same")]
    pub fn new() -> Self {
        let mut authority = CertificateParams::default();
        authority
            .distinguished_name
            .push(DnType::CommonName, "authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = authority.self_signed(&key).expect("a certificate").pem();
        let issuer = Issuer::new(authority, key);
        Self {
            authority: pem,
            server: end_entity(SERVER_NAME, ExtendedKeyUsagePurpose::ServerAuth, &issuer),
            client: end_entity("client.test", ExtendedKeyUsagePurpose::ClientAuth, &issuer),
        }
    }

    /// A client without a certificate, to which `tls_flags` is unknown.
    #[must_use]
    pub fn client(&self) -> Setup {
        Setup {
            trust_anchors: Some(self.authority.clone()),
            server_name: Some(SERVER_NAME.to_owned()),
            ..Setup::default()
        }
    }

    /// A client that sends this value of `tls_flags`.
    #[must_use]
    pub fn sending(&self, tls_flags: &[u8]) -> Setup {
        Setup {
            tls_flags: Some(Hex::from(tls_flags)),
            ..self.client()
        }
    }

    /// A server that implements `tls_flags`.
    #[must_use]
    pub fn server(&self, policy: Policy) -> Setup {
        Setup {
            trust_anchors: Some(self.authority.clone()),
            identity: Some(self.server.clone()),
            policy: Some(policy),
            flag: Some(FLAG),
            ..Setup::default()
        }
    }
}

fn end_entity(
    name: &str,
    usage: ExtendedKeyUsagePurpose,
    issuer: &Issuer<'_, KeyPair>,
) -> Identity {
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![usage];
    let key = KeyPair::generate().expect("a key");
    Identity {
        certificates: params.signed_by(&key, issuer).expect("a certificate").pem(),
        private_key: key.serialize_pem(),
    }
}

/// The policies that a peer names.
pub fn policies(peer: &dyn Peer) -> impl Iterator<Item = Policy> + use<> {
    let capabilities = peer.describe().capabilities;
    let named = move |policy: &Policy| capabilities.has(&format!("server.policy.{policy}"));
    Policy::ALL.iter().copied().filter(named)
}

/// A peer's end of a job.
pub fn prepared(
    peer: &dyn Peer,
    side: Side,
    setup: Setup,
) -> Result<Arc<dyn Endpoint>, PrepareError> {
    let id = "job".to_owned();
    prepare(peer, &peer.describe(), Job { id, side, setup })
}

/// Runs one connection of an end as a task of its own, since an end may block its thread.
pub fn spawn(
    endpoint: &Arc<dyn Endpoint>,
    connection: u32,
    mut stream: impl Stream + 'static,
) -> JoinHandle<ConnectionReport> {
    let endpoint = Arc::clone(endpoint);
    tokio::spawn(async move { drive(&*endpoint, connection, &mut stream, DEADLINE).await })
}

/// What client and server report of a connection of their jobs.
pub async fn joined(
    client: &Arc<dyn Endpoint>,
    server: &Arc<dyn Endpoint>,
    connection: u32,
) -> (ConnectionReport, ConnectionReport) {
    let (near, far) = tokio::io::duplex(1 << 16);
    let client = spawn(client, connection, near);
    let server = spawn(server, connection, far);
    let (client, server) = tokio::join!(client, server);
    (
        client.expect("the client does not panic"),
        server.expect("the server does not panic"),
    )
}

/// What a peer's client and server report of a connection between the two.
pub async fn connect(
    peer: &dyn Peer,
    client: Setup,
    server: Setup,
) -> (ConnectionReport, ConnectionReport) {
    let client = prepared(peer, Side::Client, client).expect("the client's job is prepared");
    let server = prepared(peer, Side::Server, server).expect("the server's job is prepared");
    joined(&client, &server, 0).await
}
