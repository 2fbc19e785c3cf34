//! One connection of a probe.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use reqmtls_contract::{ConnectionReport, Endpoint, Job, Peer, prepare};
use reqmtls_observer::{KeyLog, Recording, Side, Transcript};
use reqmtls_peer_rustls::{Application, Rustls, Trust};
use reqmtls_vocabulary::{Codepoints, ExtensionType};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::exchange::Asking;
use super::{Connected, MOST_OCTETS, Outcome, Plan, Play, Seen};
use crate::run::{Meeting, Recorder};

/// How much of what is no TLS is shown, in octets.
const SHOWN: usize = 60;

/// Makes the connections of a probe.
pub(super) struct Dialer<'a> {
    plan: &'a Plan,
    peer: Rustls,
    asking: Arc<Asking>,
}

/// A client that is ready, or why it is not.
pub(super) type Prepared = Result<Arc<dyn Endpoint>, String>;

impl<'a> Dialer<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let asking = Arc::new(Asking::new(plan.request.clone(), plan.wait));
        let peer = Rustls::new().with_application(Application {
            exchange: Arc::<Asking>::clone(&asking),
            protocols: plan.alpn.clone(),
            trust: Trust::Anybody,
        });
        Self { plan, peer, asking }
    }

    /// Prepares a client.
    pub(super) fn prepare(&self, play: &Play) -> Prepared {
        let mut setup = play.client.clone();
        setup.server_name = Some(self.plan.server_name.clone());
        let job = Job {
            id: play.id.clone(),
            side: Side::Client,
            setup,
        };
        prepare(&self.peer, &self.peer.describe(), job)
            .map_err(|error| format!("the client cannot be set up: {error}"))
    }

    /// Makes one connection, and records it.
    pub(super) async fn connect(&self, endpoint: &Prepared, number: u32) -> Connected {
        let start = Instant::now();
        let recorder = Recorder::of_at_most(MOST_OCTETS);
        let report = match endpoint {
            Ok(endpoint) => self.meet(&**endpoint, number, &recorder).await,
            Err(error) => Err(io::Error::other(error.clone())),
        };
        let exceeded = recorder.exceeded();
        let recording = recorder.finish();
        let mut connected = match report {
            Ok(report) => self.of_report(number, recording, report),
            Err(error) => Connected {
                number,
                transcript: Transcript::observe(&recording, &KeyLog::default()),
                recording,
                key_log: KeyLog::default(),
                seen: Seen::nothing(),
                answer: None,
                error: Some(error.to_string()),
                is_cut: true,
                took: Duration::ZERO,
            },
        };
        if let Some(limit) = exceeded {
            connected.error = Some(format!("cut after {limit}"));
            connected.is_cut = true;
        }
        connected.took = start.elapsed();
        connected
    }

    async fn meet(
        &self,
        end: &dyn Endpoint,
        connection: u32,
        recorder: &Recorder,
    ) -> io::Result<ConnectionReport> {
        let plan = self.plan;
        let reach = async {
            let mut stream = TcpStream::connect(plan.address).await?;
            stream.set_nodelay(true)?;
            if let Some(starttls) = plan.starttls {
                let begun = starttls.begin(&mut stream).await;
                begun.map_err(|error| {
                    io::Error::new(error.kind(), format!("before TLS ({starttls}): {error}"))
                })?;
            }
            Ok::<_, io::Error>(stream)
        };
        let stream = timeout(plan.timeout, reach).await.map_err(|_| {
            let message = format!("the deadline of {} ms passed", plan.timeout.as_millis());
            io::Error::new(io::ErrorKind::TimedOut, message)
        })??;
        let meeting = Meeting {
            end,
            side: Side::Client,
            connection,
            deadline: plan.timeout,
        };
        Ok(meeting.with_patience(stream, recorder, plan.wait).await)
    }

    fn of_report(&self, number: u32, recording: Recording, report: ConnectionReport) -> Connected {
        // The reference writes well-formed lines.
        let key_log = KeyLog::parse(&report.key_log.join("\n")).unwrap_or_default();
        let transcript = Transcript::observe(&recording, &key_log);
        let material = &self.plan.material;
        let codepoints = Codepoints {
            extension: ExtensionType(material.extension),
            flag: material.flag,
        };
        Connected {
            number,
            seen: Seen::of(&transcript, codepoints),
            recording,
            key_log,
            transcript,
            answer: self.asking.take_answer(),
            is_cut: report.outcome == reqmtls_contract::Outcome::Broken,
            error: report.error,
            took: Duration::ZERO,
        }
    }
}

/// What a connection shows in place of a handshake of TLS 1.3, and what would be right.
pub(super) fn instead(connected: &Connected) -> (String, &'static str) {
    let octets = connected.recording.bytes(Side::Server);
    let seen = &connected.seen;
    let error = connected.error.as_deref().unwrap_or("no error");
    let hello = "a ServerHello of TLS 1.3";
    match (seen.outcome, seen.tls13) {
        (_, Some(false)) => ("a ServerHello of TLS 1.2".to_owned(), hello),
        (Outcome::Refused, _) => {
            let alert = seen.alert.map_or_else(String::new, |it| it.to_string());
            (format!("alert {alert}"), hello)
        }
        (_, Some(true)) => {
            let got = format!("ServerHello, and then {} ({error})", went_wrong(seen));
            (got, "a completed handshake")
        }
        (Outcome::Dropped, None) if octets.is_empty() => {
            ("a closed connection and no octet".to_owned(), hello)
        }
        (_, None) if octets.is_empty() => (format!("no octet ({error})"), hello),
        (_, None) => {
            let start = &octets[..octets.len().min(SHOWN)];
            let got = format!(
                "{} octets that begin \"{}\" ({error})",
                octets.len(),
                start.escape_ascii()
            );
            (got, hello)
        }
    }
}

fn went_wrong(seen: &Seen) -> String {
    match (seen.outcome, seen.alert) {
        (Outcome::ClientRefused, Some(alert)) => {
            format!("something that the client ended by {alert}")
        }
        (Outcome::Dropped, _) => "a closed connection".to_owned(),
        _ => "no end of the handshake".to_owned(),
    }
}
