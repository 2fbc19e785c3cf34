//! The two ends of a job.

use std::ffi::{CString, NulError};
use std::fmt::Write;
use std::ptr::{self, NonNull};

use reqmtls_contract::{
    BlockingEndpoint, BlockingStream, ConnectionReport, ConnectionState, Group, Policy,
    PrepareError, Sessions, Setup, Side, Version, run_client, run_server,
};

use crate::connection::Connection;
use crate::ffi;
use crate::flags::Rules;
use crate::hooks::{self, Noted};

/// An end, with the library's side of it.
pub(crate) struct End {
    setup: Setup,
    side: Side,
    job: Job,
}

impl End {
    pub(crate) fn prepare(side: Side, setup: Setup) -> Result<Self, PrepareError> {
        let job = Job::new(side, &setup)?;
        Ok(Self { setup, side, job })
    }
}

impl BlockingEndpoint for End {
    fn run(&self, connection: u32, stream: &mut BlockingStream<'_>, report: &mut ConnectionReport) {
        let resumption = self.setup.resumption.as_ref().filter(|_| connection > 0);
        let sent = resumption.map_or(&self.setup.tls_flags, |it| &it.tls_flags);
        let state = ConnectionState::sending(sent.clone());
        let noted = Noted::new(Rules::new(self.side, &self.setup, state.clone()));
        match (Connection::new(&self.job, stream, noted), self.side) {
            (Ok(mut session), Side::Client) => run_client(&mut session, false, &state, report),
            (Ok(mut session), Side::Server) => run_server(&mut session, &state, report),
            (Err(error), _) => report.break_off(&error),
        }
    }
}

/// A job of the library.
pub(crate) struct Job {
    raw: NonNull<ffi::Job>,
    /// What the library's job points to.
    _texts: [Option<CString>; 5],
}

// SAFETY: it is not changed once it is made, but for the sessions, which the library locks.
unsafe impl Send for Job {}
// SAFETY: the same.
unsafe impl Sync for Job {}

impl Drop for Job {
    fn drop(&mut self) {
        // SAFETY: connections borrow it, so none is left.
        unsafe { ffi::botan_job_free(self.raw.as_ptr()) };
    }
}

impl Job {
    fn new(side: Side, setup: &Setup) -> Result<Self, PrepareError> {
        let wanted = setup.policy.unwrap_or(Policy::Never);
        let later = setup.resumption.as_ref();
        let has_flags = setup.flag.is_some()
            || setup.tls_flags.is_some()
            || later.is_some_and(|it| it.tls_flags.is_some());
        let identity = setup.identity.as_ref();
        let texts = [
            text(Some(&policy(setup)))?,
            text(identity.map(|it| it.certificates.as_str()))?,
            text(identity.map(|it| it.private_key.as_str()))?,
            text(setup.trust_anchors.as_deref())?,
            text(setup.server_name.as_deref())?,
        ];
        let [
            policy,
            certificates,
            private_key,
            trust_anchors,
            server_name,
        ] = texts
            .each_ref()
            .map(|text| text.as_ref().map_or(ptr::null(), |it| it.as_ptr()));
        let setup = ffi::Setup {
            hooks: hooks::HOOKS,
            is_server: side == Side::Server,
            policy,
            certificates,
            private_key,
            trust_anchors,
            server_name,
            extension: if has_flags {
                setup.extension_number()
            } else {
                0
            },
            asks: wanted.requests(false),
            insists: wanted.requires(),
            separates_sessions: setup.sessions == Some(Sessions::Separate),
            keeps_sessions: side == Side::Server || setup.resumption.is_some(),
        };
        let mut failure = hooks::NO_FAILURE;
        // SAFETY: what the setup points to is kept with the job.
        let raw = unsafe { ffi::botan_job(&raw const setup, &raw mut failure) };
        let raw = NonNull::new(raw).ok_or_else(|| PrepareError::Invalid(hooks::text(&failure)))?;
        Ok(Self { raw, _texts: texts })
    }

    pub(crate) fn raw(&self) -> *const ffi::Job {
        self.raw.as_ptr()
    }
}

/// A policy in the library's own format; what it does not name is the library's default.
fn policy(setup: &Setup) -> String {
    // By default a certificate counts only with its CRL or OCSP response, which there are none of here.
    let mut text =
        "allow_ssl_key_log_file = true\nrequire_cert_revocation_info = false\n".to_owned();
    let mut set = |key: &str, value: &str| {
        writeln!(text, "{key} = {value}").expect("a String takes everything");
    };
    if !setup.versions.is_empty() {
        for (key, version) in [
            ("allow_tls12", Version::Tls12),
            ("allow_tls13", Version::Tls13),
        ] {
            set(key, &setup.versions.contains(&version).to_string());
        }
    }
    let groups: Vec<_> = setup.groups.iter().map(|it| group(*it)).collect();
    if let Some(first) = groups.first() {
        set("key_exchange_groups", &groups.join(" "));
        set("key_exchange_groups_to_offer", first);
    }
    let suites = setup.cipher_suites.iter();
    let suites: Vec<_> = suites
        .filter_map(|it| it.as_str().strip_prefix("TLS_"))
        .collect();
    if !suites.is_empty() {
        set("tls13_ciphersuites", &suites.join(" "));
    }
    text
}

/// The library's name of a group.
fn group(group: Group) -> &'static str {
    match group {
        Group::X25519 => "x25519",
        Group::Secp256r1 => "secp256r1",
        Group::Secp384r1 => "secp384r1",
        Group::X25519Mlkem768 => "x25519/ML-KEM-768",
    }
}

fn text(text: Option<&str>) -> Result<Option<CString>, PrepareError> {
    let invalid = |error: NulError| PrepareError::Invalid(error.to_string());
    text.map(CString::new).transpose().map_err(invalid)
}
