//! One end of a job.

use std::sync::{Mutex, PoisonError};

use reqmtls_contract::{
    BlockingEndpoint, BlockingStream, ConnectionReport, ConnectionState, Hex, Setup, Side,
    run_client, run_server,
};

use crate::callbacks::Noted;
use crate::config::Config;
use crate::connection::Connection;

pub(crate) struct End {
    pub(crate) side: Side,
    pub(crate) setup: Setup,
    pub(crate) config: Config,
    /// Client: the newest session that the job's connections were given.
    pub(crate) session: Mutex<Option<Vec<u8>>>,
    /// Client: the server's certificate, which the library does not keep in a session.
    pub(crate) certificate: Mutex<Option<Hex>>,
}

impl BlockingEndpoint for End {
    fn run(&self, connection: u32, stream: &mut BlockingStream<'_>, report: &mut ConnectionReport) {
        let resumption = self.setup.resumption.as_ref();
        let resumption = resumption.filter(|_| connection > 0);
        let state = ConnectionState::default();
        let noted = Noted {
            stream,
            state: state.clone(),
            end: self,
            would_block: false,
            refused: None,
            transport: None,
        };
        let mut session = match Connection::new(resumption.is_some(), noted) {
            Ok(session) => session,
            Err(text) => return report.break_off(&text),
        };
        if self.side == Side::Server {
            return run_server(&mut session, &state, report);
        }
        let early = resumption.is_some_and(|it| it.early_data);
        run_client(&mut session, early, &state, report);
        let known = self.certificate.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        if report.resumed != Some(true) {
            known.clone_from(&report.peer_certificate);
        }
        report.peer_certificate.clone_from(&known);
    }
}
