//! What the peer declares, shown on the wire: against the in-process reference, or itself where the reference cannot
//! play the other end.

pub(super) mod client;
mod edits;
pub(super) mod server;
pub(super) mod shared;

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqmtls_contract::{Job, Outcome, Revision, Setup};
use reqmtls_observer::{
    ClientHello, Content, Epoch, ExtensionType, HandshakeMessage, HandshakeType, KeyLog, Reason,
    Transcript,
};
use reqmtls_peer_rustls::Rustls;
use reqmtls_vocabulary::{ProtocolVersion, Side};

use super::Trouble;
use super::capability::{FLAG, Material};
use crate::judge::{self, Evidence, Facts, Knowledge, Observed};
use crate::peer::{Program, RunningPeer, StartError};
use crate::run::{JobError, TwoEnds};

/// The most time that one connection may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// Where the peer plays against another end.
pub(super) struct Bench<'a> {
    pub(super) material: &'a Material,
    subject: RunningPeer,
    reference: RunningPeer,
    jobs: AtomicU32,
}

/// One connection, read.
pub(super) struct Shown {
    pub(super) observed: Observed,
    pub(super) evidence: Evidence,
}

impl<'a> Bench<'a> {
    pub(super) async fn start(
        program: &Program,
        material: &'a Material,
    ) -> Result<Self, StartError> {
        Ok(Self {
            material,
            subject: RunningPeer::process("peer", program).await?,
            reference: RunningPeer::in_process("rustls", Arc::new(Rustls::new())),
            jobs: AtomicU32::new(0),
        })
    }

    pub(super) async fn stop(&self) {
        self.subject.stop().await;
    }

    /// Whether the peer declares a capability.
    pub(super) fn has(&self, capability: &str) -> bool {
        self.subject.description.capabilities.has(capability)
    }

    /// Who can do this: the peer itself only where it has to.
    fn other(&self, side: Side, setup: &Setup) -> Result<&RunningPeer, Trouble> {
        let job = job(side, setup);
        let lacks = |peer: &RunningPeer| peer.description.capabilities.missing(&job);
        let Some(missing) = lacks(&self.reference) else {
            return Ok(&self.reference);
        };
        match lacks(&self.subject) {
            None => Ok(&self.subject),
            Some(_) => Err(Trouble::Skipped(format!(
                "neither the reference nor the peer itself can play the {side}, for lack of {missing}"
            ))),
        }
    }

    /// One connection between the peer, on the given side, and another end.
    pub(super) async fn once(
        &self,
        side: Side,
        client: Setup,
        server: Setup,
    ) -> Result<Shown, Trouble> {
        let mut all = self.play(side, client, server, 1).await?;
        let only = all.pop();
        Ok(only.ok_or_else(|| "got no connection".to_owned())?)
    }

    /// The same, which has to complete.
    pub(super) async fn completed(
        &self,
        side: Side,
        client: Setup,
        server: Setup,
    ) -> Result<Shown, Trouble> {
        let shown = self.once(side, client, server).await?;
        shown.completed()?;
        Ok(shown)
    }

    /// Two connections, of which the second offers the session of the first.
    pub(super) async fn twice(
        &self,
        side: Side,
        client: Setup,
        server: Setup,
    ) -> Result<(Shown, Shown), Trouble> {
        let all = self.play(side, client, server, 2).await?;
        let both = <[_; 2]>::try_from(all);
        let [first, second] = both.map_err(|_| "got not two connections".to_owned())?;
        first.completed()?;
        Ok((first, second))
    }

    async fn play(
        &self,
        side: Side,
        client: Setup,
        server: Setup,
        connections: u32,
    ) -> Result<Vec<Shown>, Trouble> {
        let own = match side {
            Side::Client => &client,
            Side::Server => &server,
        };
        if let Some(missing) = self
            .subject
            .description
            .capabilities
            .missing(&job(side, own))
        {
            return Err(Trouble::Skipped(format!("{missing} is not declared")));
        }
        let (client_peer, server_peer) = match side {
            Side::Client => (&self.subject, self.other(Side::Server, &server)?),
            Side::Server => (self.other(Side::Client, &client)?, &self.subject),
        };
        let id = format!("check {}", self.jobs.fetch_add(1, Ordering::Relaxed));
        let ends = TwoEnds {
            id: &id,
            client: (client_peer, client.clone()),
            server: (server_peer, server.clone()),
            connections,
            deadline: DEADLINE,
        };
        // Boxed: it is large, and every check waits for one.
        let evidence = Box::pin(ends.run()).await.map_err(|error| match error {
            JobError::Unsupported { side, capability } => {
                format!("{side}: got unsupported for {capability}")
            }
            JobError::Gone(side) => format!("{side}: the peer had ended too often before"),
            JobError::Failed { reason, .. } => reason,
        })?;
        let mut before: Option<Facts> = None;
        let mut all = Vec::new();
        for (number, evidence) in (0..).zip(evidence) {
            let mut knowledge = Knowledge {
                extension: own.extension_number(),
                ..Knowledge::none(FLAG, own.revision.unwrap_or(Revision::Draft02))
            }
            .of_setups(&client, &server, number);
            knowledge.client.misbehaves = misbehaves(&client);
            knowledge.server.misbehaves = misbehaves(&server);
            let observed = judge::observe(knowledge, &evidence, before.as_ref());
            before = Some(observed.facts.clone());
            let shown = Shown { observed, evidence };
            shown.is_reported_as_shown(side)?;
            all.push(shown);
        }
        Ok(all)
    }
}

fn job(side: Side, setup: &Setup) -> Job {
    Job {
        id: String::new(),
        side,
        setup: setup.clone(),
    }
}

fn misbehaves(setup: &Setup) -> bool {
    !setup.edits.is_empty() || setup.bad_certificate_verify
}

impl Shown {
    /// What the peer reports is what the wire shows, and its key log alone decrypts it.
    fn is_reported_as_shown(&self, side: Side) -> Result<(), Trouble> {
        if let Some(failure) = self.observed.failures.first() {
            return Err(failure.clone().into());
        }
        let mut misreports = self.observed.misreports.iter();
        if let Some(finding) = misreports.find(|it| it.party.side() == Some(side)) {
            return Err(format!("{}, expected {}", finding.got, finding.expected).into());
        }
        let report = self.evidence.report(side);
        let key_log = KeyLog::parse(&report.key_log.join("\n")).unwrap_or_default();
        let alone = Transcript::observe(&self.evidence.recording, &key_log);
        if alone.version != Some(ProtocolVersion::TLS13) && key_log.is_empty() {
            return Ok(());
        }
        let mut defects = alone.defects.iter();
        let defect = defects.find(|defect| defect.reason != Reason::AfterEnd);
        match defect {
            Some(defect) if report.outcome == Outcome::Completed => Err(format!(
                "got a key_log of the {side} that does not decrypt the connection by itself ({defect}), expected every secret of it"
            )
            .into()),
            _ => Ok(()),
        }
    }

    /// All of a connection took place.
    pub(super) fn completed(&self) -> Result<(), Trouble> {
        let mut outcomes = vec![("the wire", self.observed.facts.outcome, None)];
        for side in Side::BOTH {
            let report = self.evidence.report(side);
            outcomes.push((side.name(), report.outcome, report.error.as_deref()));
        }
        let other = outcomes
            .into_iter()
            .find(|(_, outcome, _)| *outcome != Outcome::Completed);
        match other {
            None => Ok(()),
            Some((who, outcome, error)) => Err(format!(
                "{who}: got {outcome} ({}), expected completed; the transcript:\n{}",
                error.unwrap_or("no error"),
                self.text()
            )
            .into()),
        }
    }

    /// The end on this side refused the other one: it sent the first alert of a connection that did not complete.
    /// `close_notify` counts too, which there are libraries that send in place of an error alert.
    pub(super) fn refused_by(&self, side: Side) -> Result<(), Trouble> {
        let entries = self.observed.transcript.entries.iter();
        let alerts = entries.filter(|entry| matches!(entry.content, Content::Alert(_)));
        let refused = match alerts.min_by_key(|entry| entry.arrival) {
            Some(first) => first.from == side && self.observed.facts.outcome != Outcome::Completed,
            None => self.evidence.report(side).outcome == Outcome::Refused,
        };
        ensure(refused, || {
            format!(
                "got outcome {}, expected the {side} to refuse; the transcript:\n{}",
                self.observed.facts.outcome,
                self.text()
            )
        })
    }

    /// The transcript as it is printed.
    pub(super) fn text(&self) -> String {
        self.observed
            .transcript
            .text(self.observed.knowledge.codepoints())
    }

    /// Each ClientHello.
    pub(super) fn hellos(&self) -> Vec<&ClientHello> {
        let messages = self.observed.transcript.messages(Side::Client);
        messages
            .filter_map(|message| match message {
                HandshakeMessage::ClientHello(hello) => Some(hello),
                _ => None,
            })
            .collect()
    }

    /// The first ClientHello.
    pub(super) fn hello(&self) -> Result<&ClientHello, Trouble> {
        let first = self.hellos().into_iter().next();
        Ok(first.ok_or_else(|| "got no ClientHello".to_owned())?)
    }

    /// Whether a side sent a message under these keys.
    pub(super) fn sent(&self, from: Side, kind: HandshakeType, epoch: Epoch) -> bool {
        let mut entries = self.observed.transcript.entries.iter();
        entries.any(|entry| {
            let is_kind = entry.message().is_some_and(|it| it.kind() == kind);
            entry.from == from && entry.epoch == epoch && is_kind
        })
    }

    /// Whether a client sent application data as early data.
    pub(super) fn sent_early_data(&self) -> bool {
        let mut entries = self.observed.transcript.entries.iter();
        entries.any(|entry| {
            entry.epoch == Epoch::EarlyData
                && matches!(entry.content, Content::ApplicationData { .. })
        })
    }
}

/// The `extension_data` of an extension of a ClientHello.
pub(super) fn extension(hello: &ClientHello, number: u16) -> Option<&[u8]> {
    let mut extensions = hello.extensions.iter();
    let found = extensions.find(|it| it.kind == ExtensionType(number));
    found.map(|it| &it.body[..])
}

/// Two values are the same.
pub(super) fn same<T: PartialEq>(
    what: impl Display,
    got: T,
    expected: T,
    show: impl Fn(T) -> String,
) -> Result<(), Trouble> {
    if got == expected {
        return Ok(());
    }
    let (got, expected) = (show(got), show(expected));
    Err(format!("{what}: got {got}, expected {expected}").into())
}

/// Octets, or none, as a message shows them.
pub(super) fn octets(octets: Option<&[u8]>) -> String {
    octets.map_or("none".to_owned(), |octets| {
        format!("{:?}", hex::encode(octets))
    })
}

/// Fails with the message unless it holds.
pub(super) fn ensure(holds: bool, message: impl FnOnce() -> String) -> Result<(), Trouble> {
    if holds { Ok(()) } else { Err(message().into()) }
}
