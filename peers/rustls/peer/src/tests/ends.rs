//! Certificates, setups and connections that the tests share.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use reqmtls_contract::{
    ConnectionReport, Edit, Endpoint, Hex, Identity, Job, Message, Outcome, Peer, Policy,
    PrepareError, Setup, Side, Version, drive, prepare,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::Rustls;

pub(super) const SERVER_NAME: &str = "server.test";
pub(super) const FLAG: u16 = 80;
pub(super) const FLAG_80: [u8; 12] = [11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

pub(super) const DECODE_ERROR: u8 = 50;
pub(super) const DECRYPT_ERROR: u8 = 51;
pub(super) const ILLEGAL_PARAMETER: u8 = 47;
pub(super) const UNSUPPORTED_EXTENSION: u8 = 110;

/// Every way of encoding flags wrongly.
pub(super) const MALFORMED: [&[u8]; 7] = [
    &[],
    &[0],
    &[1, 0],
    &[3, 0, 0, 0],
    &[2, 1, 0],
    &[2, 1],
    &[1, 1, 9],
];

/// An authority, and a certificate of its for each end.
pub(super) struct Names {
    authority: String,
    pub(super) server: Identity,
    pub(super) client: Identity,
}

impl Names {
    pub(super) fn new() -> Self {
        let mut authority = CertificateParams::default();
        authority
            .distinguished_name
            .push(DnType::CommonName, "authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = authority.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(authority, key);
        Self {
            authority: pem,
            server: end_entity(SERVER_NAME, ExtendedKeyUsagePurpose::ServerAuth, &issuer),
            client: end_entity("client.test", ExtendedKeyUsagePurpose::ClientAuth, &issuer),
        }
    }

    /// A client with a certificate that knows `tls_flags` and sets no flag.
    pub(super) fn client(&self) -> Setup {
        Setup {
            trust_anchors: Some(self.authority.clone()),
            identity: Some(self.client.clone()),
            server_name: Some(SERVER_NAME.to_owned()),
            flag: Some(FLAG),
            ..Setup::default()
        }
    }

    /// The same, and it sets the request mTLS flag.
    pub(super) fn flagged(&self) -> Setup {
        Setup {
            tls_flags: Some(flag_80()),
            ..self.client()
        }
    }

    /// A server that knows `tls_flags`.
    pub(super) fn server(&self, policy: Policy) -> Setup {
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
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.extended_key_usages = vec![usage];
    let key = KeyPair::generate().unwrap();
    Identity {
        certificates: params.signed_by(&key, issuer).unwrap().pem(),
        private_key: key.serialize_pem(),
    }
}

pub(super) fn flag_80() -> Hex {
    Hex(FLAG_80.to_vec())
}

/// The unmodified library.
pub(super) fn unaware(setup: Setup) -> Setup {
    Setup {
        flag: None,
        ..setup
    }
}

pub(super) fn tls12(setup: Setup) -> Setup {
    Setup {
        versions: vec![Version::Tls12],
        ..setup
    }
}

/// `setup` with an extension 62 in a message.
pub(super) fn with_flags(setup: Setup, message: Message, data: &[u8]) -> Setup {
    edited(setup, &[edit(message, 62, Some(data))])
}

pub(super) fn edited(setup: Setup, edits: &[Edit]) -> Setup {
    Setup {
        edits: edits.to_vec(),
        ..setup
    }
}

pub(super) fn edit(message: Message, extension: u16, data: Option<&[u8]>) -> Edit {
    Edit {
        message,
        extension,
        data: data.map(Hex::from),
        last: false,
    }
}

pub(super) fn prepared(side: Side, setup: Setup) -> Result<Arc<dyn Endpoint>, PrepareError> {
    let id = "job".to_owned();
    let peer = Rustls::new();
    prepare(&peer, &peer.describe(), Job { id, side, setup })
}

/// Both ends of a pair of jobs.
pub(super) struct Ends {
    client: Arc<dyn Endpoint>,
    server: Arc<dyn Endpoint>,
}

/// What became of one connection.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) client: ConnectionReport,
    pub(super) server: ConnectionReport,
    /// What the client wrote.
    pub(super) up: Hex,
}

impl Ends {
    pub(super) fn new(client: Setup, server: Setup) -> Self {
        Self {
            client: prepared(Side::Client, client).unwrap(),
            server: prepared(Side::Server, server).unwrap(),
        }
    }

    pub(super) async fn connect(&self, number: u32) -> Ended {
        let (mut near, client_side) = tokio::io::duplex(1 << 16);
        let (mut far, server_side) = tokio::io::duplex(1 << 16);
        let (from_client, to_client) = tokio::io::split(client_side);
        let (from_server, to_server) = tokio::io::split(server_side);
        let deadline = Duration::from_secs(20);
        let (client, server, up, _) = tokio::join!(
            Box::pin(drive(&*self.client, number, &mut near, deadline)),
            Box::pin(drive(&*self.server, number, &mut far, deadline)),
            Box::pin(relay(from_client, to_server)),
            Box::pin(relay(from_server, to_client)),
        );
        Ended {
            client,
            server,
            up: Hex(up),
        }
    }
}

/// Hands on what it reads, and tells it.
async fn relay(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> Vec<u8> {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = from.read(&mut buffer).await.unwrap();
        if read == 0 {
            break;
        }
        all.extend_from_slice(&buffer[..read]);
        to.write_all(&buffer[..read]).await.unwrap();
    }
    to.shutdown().await.unwrap();
    all
}

/// One connection of a pair of jobs.
pub(super) async fn connect(client: Setup, server: Setup) -> Ended {
    Ends::new(client, server).connect(0).await
}

impl Ended {
    #[track_caller]
    pub(super) fn assert_completed(&self) {
        assert_eq!(self.client.outcome, Outcome::Completed, "{self:#?}");
        assert_eq!(self.server.outcome, Outcome::Completed, "{self:#?}");
    }

    /// The client ended it, with this alert.
    #[track_caller]
    pub(super) fn assert_client_sent(&self, alert: u8) {
        assert_eq!(self.client.outcome, Outcome::Refused, "{self:#?}");
        assert_eq!(self.server.outcome, Outcome::Refused, "{self:#?}");
        assert_eq!(self.server.alert_received, Some(alert), "{self:#?}");
        assert_eq!(self.client.alert_received, None, "{self:#?}");
    }

    /// The server ended it, with this alert.
    #[track_caller]
    pub(super) fn assert_server_sent(&self, alert: u8) {
        assert_eq!(self.client.outcome, Outcome::Refused, "{self:#?}");
        assert_eq!(self.server.outcome, Outcome::Refused, "{self:#?}");
        assert_eq!(self.client.alert_received, Some(alert), "{self:#?}");
        assert_eq!(self.server.alert_received, None, "{self:#?}");
    }

    /// How often the client wrote these octets.
    pub(super) fn written(&self, octets: &[u8]) -> usize {
        let windows = self.up.0.windows(octets.len());
        windows.filter(|window| *window == octets).count()
    }

    pub(super) fn is_authenticated(&self) -> bool {
        self.server.peer_certificate.is_some()
    }
}
