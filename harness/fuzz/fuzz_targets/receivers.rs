//! Whatever the other end sends, in whatever pieces, both ends of the in-tree implementation end, and have not sent more
//! than a handshake has.
//!
//! The input is an octet for the side (odd: client) and one for the pieces (0: all at once), and what comes.
#![no_main]

use std::io::{self, Read, Write};
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{RootCertStore, ServerConfig};
use rustls_tlsflags::{
    ClientAuthPolicy, Flags, Revision, ServerConfigs, TlsFlagsAcceptor,
    TlsFlagsConnector,
};

/// The most octets that an end sends here: its flight, and an alert.
const MOST: usize = 8192;

/// What the other end sends, and how much was sent to it.
struct Other<'a> {
    octets: &'a [u8],
    /// The most octets of one read.
    piece: usize,
    sent: usize,
}

impl Read for Other<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.piece);
        self.octets.read(&mut buffer[..length])
    }
}

impl Write for Other<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.sent += octets.len();
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

static SERVER: LazyLock<TlsFlagsAcceptor> = LazyLock::new(|| {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["server.test".to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("a certificate");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("its versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a certified key");
    // Which of them is taken is what counts, not what it does.
    let configs = ServerConfigs::new().none(config.clone()).optional(config);
    TlsFlagsAcceptor::new(configs, ClientAuthPolicy::RequestOnFlag).expect("an acceptor")
});

static CLIENT: LazyLock<TlsFlagsConnector> = LazyLock::new(|| {
    let flags = Flags::request_mtls();
    TlsFlagsConnector::builder(flags)
        .refuse_unsolicited(Revision::EditorsCopy)
        .build(&default_provider(), |builder| {
            Ok(builder
                .with_safe_default_protocol_versions()?
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth())
        })
        .expect("a connector")
});

fuzz_target!(|input: &[u8]| {
    let [side, piece, octets @ ..] = input else {
        return;
    };
    let mut other = Other {
        octets,
        piece: match piece {
            0 => usize::MAX,
            piece => usize::from(*piece),
        },
        sent: 0,
    };
    if side % 2 == 0 {
        drop(SERVER.accept_blocking(&mut other));
    } else {
        let name = ServerName::try_from("server.test").expect("a name");
        // Nobody is trusted.
        assert!(CLIENT.connect_blocking(name, &mut other).is_err());
    }
    assert!(other.sent <= MOST, "{} octets were sent", other.sent);
});
