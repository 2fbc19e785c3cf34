//! The two ends of a job.

use std::ffi::CString;
use std::sync::{Mutex, PoisonError};

use reqmtls_contract::{
    BlockingEndpoint, BlockingStream, ConnectionReport, ConnectionState, Hex, PrepareError,
    Resumption, Setup, Side, run_client, run_server,
};
use s2n_tls_sys as ffi;

use crate::callbacks::Noted;
use crate::config::{Config, c_text};
use crate::connection::Connection;
use crate::hello::Rules;
use crate::library::{Refused, check};

pub(crate) struct Client {
    config: Config,
    server_name: Option<CString>,
    resumption: Option<Resumption>,
    /// The newest session that the job's connections were given.
    session: Mutex<Option<Vec<u8>>>,
    /// The server's certificate, which the library does not keep in a session.
    certificate: Mutex<Option<Hex>>,
}

impl Client {
    pub(crate) fn prepare(setup: Setup) -> Result<Self, PrepareError> {
        Ok(Self {
            config: Config::of(Side::Client, &setup)?,
            server_name: setup.server_name.as_deref().map(c_text).transpose()?,
            resumption: setup.resumption,
            session: Mutex::default(),
            certificate: Mutex::default(),
        })
    }

    fn connection<'a, 's>(
        &'a self,
        resumes: bool,
        noted: Noted<'a, 's>,
    ) -> Result<Connection<'a, 's>, Refused> {
        let connection = Connection::new(&self.config, Side::Client, false, noted)?;
        if let Some(name) = &self.server_name {
            // SAFETY: the connection is alive and has not begun; the library copies the name.
            check(unsafe { ffi::s2n_set_server_name(connection.raw(), name.as_ptr()) })?;
        }
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = session.as_ref().filter(|_| resumes) {
            // SAFETY: the connection is alive and has not begun; the library copies the session of that many octets.
            check(unsafe {
                ffi::s2n_connection_set_session(connection.raw(), session.as_ptr(), session.len())
            })?;
        }
        Ok(connection)
    }
}

impl BlockingEndpoint for Client {
    fn run(&self, connection: u32, stream: &mut BlockingStream<'_>, report: &mut ConnectionReport) {
        let resumption = self.resumption.as_ref().filter(|_| connection > 0);
        let state = ConnectionState::default();
        let noted = Noted {
            session: Some(&self.session),
            ..Noted::new(stream, state.clone())
        };
        match self.connection(resumption.is_some(), noted) {
            Ok(mut session) => {
                let early = resumption.is_some_and(|it| it.early_data);
                run_client(&mut session, early, &state, report);
                let mut known = self
                    .certificate
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                if report.resumed == Some(true) {
                    report.peer_certificate.clone_from(&known);
                } else {
                    known.clone_from(&report.peer_certificate);
                }
            }
            Err(refused) => report.break_off(&refused.0),
        }
    }
}

pub(crate) struct Server {
    config: Config,
    rules: Option<Rules>,
    early_data: bool,
}

impl Server {
    pub(crate) fn prepare(setup: &Setup) -> Result<Self, PrepareError> {
        Ok(Self {
            config: Config::of(Side::Server, setup)?,
            rules: Rules::of(setup),
            early_data: setup.early_data,
        })
    }
}

impl BlockingEndpoint for Server {
    fn run(&self, _: u32, stream: &mut BlockingStream<'_>, report: &mut ConnectionReport) {
        let state = ConnectionState::default();
        let noted = Noted {
            rules: self.rules.as_ref(),
            ..Noted::new(stream, state.clone())
        };
        match Connection::new(&self.config, Side::Server, self.early_data, noted) {
            Ok(mut session) => run_server(&mut session, &state, report),
            Err(refused) => report.break_off(&refused.0),
        }
    }
}
