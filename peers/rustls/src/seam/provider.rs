//! Providers whose suites edit what is sent.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use rustls::crypto::CryptoProvider;
use rustls::{
    CipherSuiteCommon, ClientConfig, ServerConfig, SupportedCipherSuite, Tls12CipherSuite,
    Tls13CipherSuite,
};

use super::aead::EditedAead;
use super::edits::{Edits, SeamError, Side};
use super::fragment::fragment_size;
use super::framer::Place;
use super::hash::EditedHash;
use super::signer::EditedResolver;
use super::watch::Watch;

/// What one side edits, and what it accepts.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Plan {
    pub(super) side: Side,
    pub(super) edits: Edits,
    pub(super) watch: Option<Watch>,
}

/// A provider like `base` for clients that make these edits.
///
/// Build a [`ClientConfig`] with it, then hand that to
/// [`crate::TlsFlagsConnector::from_config`]. Suites and groups of the result may be
/// reordered or left out. If `base` itself comes from this function, its edits
/// are replaced.
pub fn client_provider(
    base: &CryptoProvider,
    edits: &Edits,
) -> Result<Arc<CryptoProvider>, SeamError> {
    edits.check(Side::Client)?;
    Ok(interned_provider(base, Side::Client, edits, None))
}

/// A provider like `base` for servers that make these edits.
///
/// Build a [`ServerConfig`] with it, then hand that to
/// [`crate::TlsFlagsAcceptor`]. Otherwise like [`client_provider`].
pub fn server_provider(
    base: &CryptoProvider,
    edits: &Edits,
) -> Result<Arc<CryptoProvider>, SeamError> {
    edits.check(Side::Server)?;
    Ok(interned_provider(base, Side::Server, edits, None))
}

/// A provider like that of [`client_provider`] or [`server_provider`], for an
/// end that also refuses flags of the other as `watch` says.
///
/// [`crate::flags_error`] tells the errors that follow from it. With no
/// edits and no flags sent, a client still refuses every flag that a server
/// must not send.
pub fn watching_provider(
    base: &CryptoProvider,
    side: Side,
    edits: &Edits,
    watch: &Watch,
) -> Result<Arc<CryptoProvider>, SeamError> {
    edits.check(side)?;
    Ok(interned_provider(base, side, edits, Some(watch)))
}

/// What a configuration needs besides its provider for its edits to work.
///
/// That is, a `max_fragment_size` that leaves room if encrypted messages are
/// edited, and a certificate resolver whose TLS 1.2 signatures cover what was
/// sent. [`crate::TlsFlagsConnector`] does this; call it only to drive
/// rustls yourself over an [`super::EditedIo`].
pub fn prepare_client(config: Arc<ClientConfig>) -> Result<Arc<ClientConfig>, SeamError> {
    let side = Side::Client;
    let plan = plan_of(config.crypto_provider())
        .filter(|plan| plan.side == side)
        .ok_or(SeamError::ForeignProvider { side })?;
    // A session resumes only with the very resolver that it was made with, so
    // the resolver is not wrapped without need.
    let tls12 = config
        .crypto_provider()
        .cipher_suites
        .iter()
        .any(|suite| suite.tls13().is_none());
    let signs = tls12 && !plan.edits.is_empty() && config.client_auth_cert_resolver.has_certs();
    if !signs && !plan.edits.touch_encrypted() {
        return Ok(config);
    }
    let mut config = Arc::unwrap_or_clone(config);
    if signs {
        config.client_auth_cert_resolver = Arc::new(EditedResolver {
            inner: config.client_auth_cert_resolver,
            plan,
        });
    }
    config.max_fragment_size = fragment_size(&plan.edits, config.max_fragment_size);
    Ok(Arc::new(config))
}

/// The server's counterpart of [`prepare_client`].
///
/// A configuration with any other provider makes no edits and is fine as it is.
pub fn prepare_server(config: Arc<ServerConfig>) -> Result<Arc<ServerConfig>, SeamError> {
    let side = Side::Server;
    match plan_of(config.crypto_provider()) {
        Some(plan) if plan.side != side => Err(SeamError::ForeignProvider { side }),
        Some(plan) if plan.edits.touch_encrypted() => {
            let mut config = Arc::unwrap_or_clone(config);
            config.max_fragment_size = fragment_size(&plan.edits, config.max_fragment_size);
            Ok(Arc::new(config))
        }
        _ => Ok(config),
    }
}

/// Whether two providers follow the same plan of this crate.
pub(crate) fn is_of_one_plan(one: &CryptoProvider, other: &CryptoProvider) -> bool {
    match (plan_of(one), plan_of(other)) {
        (Some(one), Some(other)) => std::ptr::eq(one, other),
        _ => false,
    }
}

/// The plan that all suites of `provider` follow, if they are made here.
pub(super) fn plan_of(provider: &CryptoProvider) -> Option<&'static Plan> {
    let table = TABLE.read().unwrap_or_else(PoisonError::into_inner);
    let mut plans = provider
        .cipher_suites
        .iter()
        .map(|suite| table.origins.get(&address(*suite)).map(|(_, plan)| *plan));
    let first = plans.next()??;
    plans
        .all(|plan| plan.is_some_and(|plan| std::ptr::eq(plan, first)))
        .then_some(first)
}

/// Every suite made so far. Suites must be `&'static`, so none ever goes.
static TABLE: LazyLock<RwLock<Table>> = LazyLock::new(RwLock::default);

#[derive(Default)]
struct Table {
    plans: HashSet<&'static Plan>,
    /// By the address of an edited suite: what it was made of.
    origins: HashMap<usize, (SupportedCipherSuite, &'static Plan)>,
    /// By the addresses of a base suite and a plan.
    edited: HashMap<(usize, usize), SupportedCipherSuite>,
}

/// A provider for edits that are known to be possible.
pub(crate) fn interned_provider(
    base: &CryptoProvider,
    side: Side,
    edits: &Edits,
    watch: Option<&Watch>,
) -> Arc<CryptoProvider> {
    let mut table = TABLE.write().unwrap_or_else(PoisonError::into_inner);
    let plan = table.plan(Plan {
        side,
        edits: edits.clone(),
        watch: watch.cloned(),
    });
    let mut provider = base.clone();
    for suite in &mut provider.cipher_suites {
        *suite = table.edited_suite(*suite, plan);
    }
    Arc::new(provider)
}

impl Table {
    fn plan(&mut self, plan: Plan) -> &'static Plan {
        if let Some(known) = self.plans.get(&plan) {
            return known;
        }
        let plan = Box::leak(Box::new(plan));
        self.plans.insert(plan);
        plan
    }

    fn edited_suite(
        &mut self,
        suite: SupportedCipherSuite,
        plan: &'static Plan,
    ) -> SupportedCipherSuite {
        let origin = self.origins.get(&address(suite));
        let base = origin.map_or(suite, |(base, _)| *base);
        let key = (address(base), std::ptr::from_ref(plan).addr());
        if let Some(edited) = self.edited.get(&key) {
            return *edited;
        }
        let edited = make_suite(base, plan);
        self.origins.insert(address(edited), (base, plan));
        self.edited.insert(key, edited);
        edited
    }
}

/// Where a suite lies, which tells it from all others.
fn address(suite: SupportedCipherSuite) -> usize {
    match suite {
        SupportedCipherSuite::Tls13(suite) => std::ptr::from_ref(suite).addr(),
        SupportedCipherSuite::Tls12(suite) => std::ptr::from_ref(suite).addr(),
    }
}

fn make_suite(base: SupportedCipherSuite, plan: &'static Plan) -> SupportedCipherSuite {
    match base {
        SupportedCipherSuite::Tls13(base) => {
            let suite = Tls13CipherSuite {
                common: make_common(&base.common, plan, Place::Transcript13),
                hkdf_provider: base.hkdf_provider,
                aead_alg: Box::leak(Box::new(EditedAead {
                    inner: base.aead_alg,
                    plan,
                })),
                // QUIC has no records, so ClientHello could not be edited.
                quic: None,
            };
            SupportedCipherSuite::Tls13(Box::leak(Box::new(suite)))
        }
        SupportedCipherSuite::Tls12(base) => {
            let suite = Tls12CipherSuite {
                common: make_common(&base.common, plan, Place::Transcript12),
                prf_provider: base.prf_provider,
                kx: base.kx,
                sign: base.sign,
                aead_alg: base.aead_alg,
            };
            SupportedCipherSuite::Tls12(Box::leak(Box::new(suite)))
        }
    }
}

fn make_common(base: &CipherSuiteCommon, plan: &'static Plan, place: Place) -> CipherSuiteCommon {
    CipherSuiteCommon {
        suite: base.suite,
        hash_provider: Box::leak(Box::new(EditedHash {
            inner: base.hash_provider,
            plan,
            place,
        })),
        confidentiality_limit: base.confidentiality_limit,
    }
}

#[cfg(test)]
mod tests {
    use rustls::crypto::aws_lc_rs::default_provider;

    use super::*;
    use crate::seam::Message;

    #[test]
    fn equal_edits_share_their_suites() {
        let edits = || Edits::new().insert(Message::ClientHello, 62, [1, 77]);
        let one = client_provider(&default_provider(), &edits()).unwrap();
        let other = client_provider(&default_provider(), &edits()).unwrap();
        for (one, other) in one.cipher_suites.iter().zip(&other.cipher_suites) {
            assert_eq!(address(*one), address(*other));
        }
    }

    #[test]
    fn edits_of_a_wrapped_provider_are_replaced() {
        let first = Edits::new().insert(Message::ClientHello, 62, [1, 78]);
        let second = Edits::new().insert(Message::ClientHello, 62, [1, 79]);
        let wrapped = client_provider(&default_provider(), &first).unwrap();
        let again = client_provider(&wrapped, &second).unwrap();
        let direct = client_provider(&default_provider(), &second).unwrap();
        let [again_first, direct_first] =
            [&again, &direct].map(|provider| provider.cipher_suites[0]);
        assert_eq!(address(again_first), address(direct_first));
        assert_eq!(plan_of(&again).map(|plan| &plan.edits), Some(&second));
    }

    #[test]
    fn a_stock_provider_has_no_plan() {
        assert_eq!(plan_of(&default_provider()), None);
    }

    #[test]
    fn mixed_suites_have_no_plan() {
        let edits = Edits::new().insert(Message::ClientHello, 62, [1, 80]);
        let mut mixed =
            CryptoProvider::clone(&client_provider(&default_provider(), &edits).unwrap());
        mixed.cipher_suites[0] = default_provider().cipher_suites[0];
        assert_eq!(plan_of(&mixed), None);
    }
}
