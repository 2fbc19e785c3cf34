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
    fn chain(&self) -> Result<Vec<CertificateDer<'static>>> {
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
