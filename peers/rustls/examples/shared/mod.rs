//! Certificates for the examples, and configurations that use them.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_tlsflags::{
    ClientAuthPolicy, Flags, ServerConfigs, TlsFlagsAcceptor, TlsFlagsConnector,
};
use tokio::net::TcpListener;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The name that the server's certificate is for.
pub(crate) const SERVER_NAME: &str = "localhost";

/// Everything both ends need, as PEM.
pub(crate) struct Pki {
    pub(crate) authority: String,
    pub(crate) server: Identity,
    pub(crate) client: Identity,
}

pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Pki {
    /// A new authority, and a certificate of it for each end.
    pub(crate) fn generate() -> Result<Self> {
        let mut params = CertificateParams::new([])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let identity = |name: &str| -> Result<Identity> {
            let key = KeyPair::generate()?;
            let params = CertificateParams::new([name.to_owned()])?;
            Ok(Identity {
                certificate: params.signed_by(&key, &authority)?.pem(),
                key: key.serialize_pem(),
            })
        };
        Ok(Self {
            server: identity(SERVER_NAME)?,
            client: identity("client.example")?,
            authority: authority.pem(),
        })
    }

    /// Leaves what the client needs in `folder`.
    pub(crate) fn write_for_client(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("authority.pem"), &self.authority)?;
        std::fs::write(folder.join("client.pem"), &self.client.certificate)?;
        std::fs::write(folder.join("client-key.pem"), &self.client.key)?;
        Ok(())
    }
}

/// Where an example listens. Prints how to run the example `client` against it.
pub(crate) async fn listen(pki: &Pki, client: &str) -> Result<TcpListener> {
    let folder = std::env::temp_dir().join(format!("tlsflags-{}", std::process::id()));
    pki.write_for_client(&folder)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    println!("in another terminal, with or without a word behind it:");
    println!(
        "  cargo run -p rustls-tlsflags --example {client} {} {} [noflag|nocert]",
        listener.local_addr()?.port(),
        folder.display()
    );
    Ok(listener)
}

/// The port and the connector that a client's arguments name.
pub(crate) fn client_arguments() -> Result<(u16, TlsFlagsConnector)> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (port, folder, how) = match &arguments[..] {
        [port, folder] => (port, Path::new(folder), ""),
        [port, folder, how] if ["noflag", "nocert"].contains(&how.as_str()) => {
            (port, Path::new(folder), how.as_str())
        }
        _ => return Err("expected: PORT FOLDER [noflag|nocert]".into()),
    };
    let identity = Identity {
        certificate: std::fs::read_to_string(folder.join("client.pem"))?,
        key: std::fs::read_to_string(folder.join("client-key.pem"))?,
    };
    let authority = std::fs::read_to_string(folder.join("authority.pem"))?;
    let flags = match how {
        "noflag" => Flags::new(),
        _ => Flags::request_mtls(),
    };
    let identity = (how != "nocert").then_some(&identity);
    Ok((port.parse()?, connector(&authority, identity, &flags)?))
}

/// A client that sets `flags`; with a certificate if it has an identity.
pub(crate) fn connector(
    authority: &str,
    identity: Option<&Identity>,
    flags: &Flags,
) -> Result<TlsFlagsConnector> {
    let base = aws_lc_rs::default_provider();
    let roots = roots(authority)?;
    let credentials = match identity {
        Some(identity) => Some((identity.chain()?, identity.private_key()?)),
        None => None,
    };
    let connector = TlsFlagsConnector::builder(flags.clone()).build(&base, |builder| {
        let builder = builder
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        match credentials {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key),
            None => Ok(builder.with_no_client_auth()),
        }
    })?;
    Ok(connector)
}

/// A server that asks the clients that set the flag for a certificate.
pub(crate) fn acceptor(pki: &Pki) -> Result<TlsFlagsAcceptor> {
    let base = Arc::new(aws_lc_rs::default_provider());
    let roots = Arc::new(roots(&pki.authority)?);
    let config = |verifier| -> Result<ServerConfig> {
        Ok(ServerConfig::builder_with_provider(Arc::clone(&base))
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(pki.server.chain()?, pki.server.private_key()?)?)
    };
    let required = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&base)).build()?;
    let configs = ServerConfigs::new()
        .none(config(WebPkiClientVerifier::no_client_auth())?)
        .required(config(required)?);
    Ok(TlsFlagsAcceptor::new(
        configs,
        ClientAuthPolicy::RequireOnFlag,
    )?)
}

impl Identity {
    pub(crate) fn chain(&self) -> Result<Vec<CertificateDer<'static>>> {
        Ok(vec![CertificateDer::from_pem_slice(
            self.certificate.as_bytes(),
        )?])
    }

    fn private_key(&self) -> Result<PrivateKeyDer<'static>> {
        Ok(PrivateKeyDer::from_pem_slice(self.key.as_bytes())?)
    }
}

fn roots(authority: &str) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes())?)?;
    Ok(roots)
}
