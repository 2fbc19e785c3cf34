use std::fmt;

use crate::{
    ANSWER_LIMIT, Answer, ClosedInstead, ConnectionReport, ConnectionState, Outcome, REQUEST,
};

/// A TLS connection of a library whose calls block. What the library decides by itself it decides; here is only
/// what a job's connection consists of.
pub trait Session {
    /// Client: sends octets as early data, before the handshake, if the session that it offers allows it. Whether
    /// they were sent.
    ///
    /// # Errors
    ///
    /// What ends the connection.
    fn write_early(&mut self, octets: &[u8]) -> Result<bool, Failure> {
        let _ = octets;
        Ok(false)
    }

    /// Server: reads the early data that it accepts, before the handshake is complete.
    ///
    /// # Errors
    ///
    /// What ends the connection.
    fn read_early(&mut self) -> Result<Vec<u8>, Failure> {
        Ok(Vec::new())
    }

    /// Runs the handshake to its end.
    ///
    /// # Errors
    ///
    /// What ends the connection.
    fn handshake(&mut self) -> Result<(), Failure>;

    /// Fills in what an established connection shows: `peer_certificate`, `resumed`, `early_data`.
    fn describe(&mut self, report: &mut ConnectionReport);

    /// Server: asks the client for a certificate after the handshake, if that is due, and waits for its answer.
    ///
    /// # Errors
    ///
    /// What ends the connection.
    fn authenticate(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// Reads application data; 0 octets at `close_notify`.
    ///
    /// # Errors
    ///
    /// What ends the connection.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure>;

    /// Writes all of the octets as application data.
    ///
    /// # Errors
    ///
    /// What ends the connection.
    fn write(&mut self, octets: &[u8]) -> Result<(), Failure>;

    /// Sends `close_notify`.
    ///
    /// # Errors
    ///
    /// What ends the connection.
    fn close(&mut self) -> Result<(), Failure>;
}

/// What ended a connection before its orderly end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// TLS: an alert was sent or received, or the library gave up. In the library's own words.
    Tls(String),
    /// Something else: the transport, the deadline, the other end's data.
    Other(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tls(text) | Self::Other(text) => f.write_str(text),
        }
    }
}

impl Failure {
    fn note(&self, report: &mut ConnectionReport) {
        match self {
            Self::Tls(text) => report.refuse(text),
            Self::Other(text) => report.break_off(text),
        }
    }
}

/// The client's part of a connection; `early`: its request goes as early data.
pub fn run_client(
    session: &mut impl Session,
    early: bool,
    state: &ConnectionState,
    report: &mut ConnectionReport,
) {
    if let Err(failure) = client(session, early, report) {
        failure.note(report);
    }
    state.report(report);
}

/// The server's part of a connection.
pub fn run_server(
    session: &mut impl Session,
    state: &ConnectionState,
    report: &mut ConnectionReport,
) {
    if let Err(failure) = server(session, state, report) {
        failure.note(report);
    }
    state.report(report);
}

fn client(
    session: &mut impl Session,
    early: bool,
    report: &mut ConnectionReport,
) -> Result<(), Failure> {
    let sent_early = early && session.write_early(REQUEST)?;
    session.handshake()?;
    session.describe(report);
    if !sent_early || report.early_data != Some(true) {
        session.write(REQUEST)?;
    }
    let line = read_line(session)?;
    session.close()?;
    drain(session)?;
    let line = line.ok_or_else(|| Failure::Tls(ClosedInstead.to_string()))?;
    let answer: Answer = serde_json::from_slice(&line).map_err(|error| {
        let text = String::from_utf8_lossy(&line);
        Failure::Other(format!(
            "got {text:?}, expected the server's answer: {error}"
        ))
    })?;
    report.answer = Some(answer);
    report.outcome = Outcome::Completed;
    Ok(())
}

fn server(
    session: &mut impl Session,
    state: &ConnectionState,
    report: &mut ConnectionReport,
) -> Result<(), Failure> {
    let mut request = session.read_early()?;
    session.handshake()?;
    session.describe(report);
    while request.len() < REQUEST.len() {
        let mut buffer = [0; REQUEST.len()];
        match session.read(&mut buffer[request.len()..])? {
            0 => {
                return Err(Failure::Other(
                    "got close_notify, expected the request".to_owned(),
                ));
            }
            length => request.extend_from_slice(&buffer[request.len()..][..length]),
        }
    }
    if request != REQUEST {
        let text = String::from_utf8_lossy(&request);
        return Err(Failure::Other(format!(
            "got {text:?}, expected the request"
        )));
    }
    session.authenticate()?;
    session.describe(report);
    report.tls_flags_received = state.lock().hellos.last().cloned().flatten();
    let mut line = serde_json::to_vec(&report.to_answer())
        .map_err(|error| Failure::Other(error.to_string()))?;
    line.push(b'\n');
    session.write(&line)?;
    drain(session)?;
    session.close()?;
    report.outcome = Outcome::Completed;
    Ok(())
}

/// Reads the answer's line; `None` if the server closes in its place.
fn read_line(session: &mut impl Session) -> Result<Option<Vec<u8>>, Failure> {
    let mut line = Vec::new();
    let mut buffer = [0; 512];
    loop {
        let length = session.read(&mut buffer)?;
        let (octets, end) = match buffer[..length].iter().position(|octet| *octet == b'\n') {
            Some(end) => (&buffer[..end], true),
            None => (&buffer[..length], false),
        };
        line.extend_from_slice(octets);
        if end {
            return Ok(Some(line));
        }
        if length == 0 && line.is_empty() {
            return Ok(None);
        }
        if length == 0 || line.len() > ANSWER_LIMIT {
            let text = String::from_utf8_lossy(&line);
            return Err(Failure::Other(format!(
                "got {text:?}, expected a line with the server's answer"
            )));
        }
    }
}

/// Reads to `close_notify` and throws away what comes.
fn drain(session: &mut impl Session) -> Result<(), Failure> {
    let mut buffer = [0; 512];
    while session.read(&mut buffer)? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A session that plays back what it reads and notes what is written.
    #[derive(Default)]
    struct Played {
        reads: Vec<Result<Vec<u8>, Failure>>,
        written: Vec<u8>,
        closed: bool,
        accepts_early: Option<bool>,
    }

    impl Session for Played {
        fn write_early(&mut self, octets: &[u8]) -> Result<bool, Failure> {
            self.written.extend_from_slice(octets);
            Ok(true)
        }

        fn handshake(&mut self) -> Result<(), Failure> {
            Ok(())
        }

        fn describe(&mut self, report: &mut ConnectionReport) {
            report.early_data = self.accepts_early;
        }

        fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
            let octets = if self.reads.is_empty() {
                Ok(Vec::new())
            } else {
                self.reads.remove(0)
            }?;
            let length = octets.len().min(buffer.len());
            buffer[..length].copy_from_slice(&octets[..length]);
            if length < octets.len() {
                self.reads.insert(0, Ok(octets[length..].to_vec()));
            }
            Ok(length)
        }

        fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
            self.written.extend_from_slice(octets);
            Ok(())
        }

        fn close(&mut self) -> Result<(), Failure> {
            self.closed = true;
            Ok(())
        }
    }

    const ANSWER: &[u8] = b"{\"client_certificate\":null,\"tls_flags\":null}\n";

    fn as_client(session: &mut Played, early: bool) -> ConnectionReport {
        let mut report = ConnectionReport::default();
        run_client(session, early, &ConnectionState::default(), &mut report);
        report
    }

    fn as_server(session: &mut Played) -> ConnectionReport {
        let mut report = ConnectionReport::default();
        run_server(session, &ConnectionState::default(), &mut report);
        report
    }

    #[test]
    fn a_client_asks_reads_the_answer_and_closes() {
        let mut session = Played {
            reads: vec![Ok(ANSWER[..7].to_vec()), Ok(ANSWER[7..].to_vec())],
            ..Played::default()
        };
        let report = as_client(&mut session, false);
        assert_eq!(
            (report.outcome, report.answer),
            (Outcome::Completed, Some(Answer::default()))
        );
        assert_eq!((&session.written[..], session.closed), (REQUEST, true));
    }

    #[test]
    fn a_request_in_early_data_is_sent_again_only_if_it_was_rejected() {
        for (accepts_early, count) in [(Some(true), 1), (Some(false), 2), (None, 2)] {
            let mut session = Played {
                reads: vec![Ok(ANSWER.to_vec())],
                accepts_early,
                ..Played::default()
            };
            as_client(&mut session, true);
            assert_eq!(session.written, REQUEST.repeat(count));
        }
    }

    #[test]
    fn a_server_reads_the_request_in_pieces_and_answers() {
        let mut session = Played {
            reads: vec![Ok(REQUEST[..3].to_vec()), Ok(REQUEST[3..].to_vec())],
            ..Played::default()
        };
        assert_eq!(as_server(&mut session).outcome, Outcome::Completed);
        assert_eq!((&session.written[..], session.closed), (ANSWER, true));
    }

    #[test]
    fn what_is_no_request_or_no_answer_breaks_the_connection() {
        for octets in [&b"who are we\n"[..], b"\n", b"who"] {
            let mut session = Played {
                reads: vec![Ok(octets.to_vec())],
                ..Played::default()
            };
            assert_eq!(as_server(&mut session).outcome, Outcome::Broken);
            session.reads = vec![Ok(octets.to_vec())];
            assert_eq!(as_client(&mut session, false).outcome, Outcome::Broken);
        }
        let nothing = as_server(&mut Played::default());
        assert_eq!(nothing.outcome, Outcome::Broken);
    }

    #[test]
    fn a_client_closes_too_where_the_server_closes_in_place_of_an_answer() {
        let mut session = Played::default();
        let report = as_client(&mut session, false);
        assert_eq!((report.outcome, session.closed), (Outcome::Refused, true));
    }

    #[test]
    fn an_answer_without_end_breaks_the_connection() {
        let mut session = Played {
            reads: vec![Ok(vec![b'x'; 2 * ANSWER_LIMIT])],
            ..Played::default()
        };
        assert_eq!(as_client(&mut session, false).outcome, Outcome::Broken);
    }

    #[test]
    fn what_tls_ends_is_refused() {
        let mut session = Played {
            reads: vec![Err(Failure::Tls("alert".to_owned()))],
            ..Played::default()
        };
        let report = as_client(&mut session, false);
        assert_eq!(
            (report.outcome, report.error.as_deref()),
            (Outcome::Refused, Some("alert"))
        );
    }
}
