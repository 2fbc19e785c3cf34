//! The cells of a run as the page has them: what many share stands once, and cells point to it.

use std::collections::HashSet;
use std::hash::Hash;
use std::rc::Rc;

use indexmap::IndexSet;
use reqmtls_contract::{ConnectionReport, Hex};
use reqmtls_vocabulary::Side;
use serde::{Serialize, Serializer};

use super::super::sign;
use super::super::subject::Subject;
use crate::judge::requirement::Id;
use crate::judge::{Conformance, Finding, Ruling, Verdict};
use crate::run::{Cell, Connection, Drift, Player};

/// What many cells share, and the cells.
#[derive(Debug, Default, Serialize)]
pub(in super::super) struct Store {
    transcripts: IndexSet<String>,
    signs: IndexSet<String>,
    findings: IndexSet<Finding>,
    rulings: IndexSet<Ruled>,
    /// The rulings of connections.
    judged: IndexSet<Vec<u32>>,
    /// What ends say of themselves; not published, as it may differ from run to run.
    #[serde(skip)]
    words: IndexSet<Words>,
    reasons: IndexSet<String>,
    labels: IndexSet<String>,
    #[serde(skip)]
    ends: HashSet<Rc<Player>>,
    cells: Vec<Row>,
}

/// What a requirement says of a side; whose behaviour that is stands in the cell.
#[derive(Debug, PartialEq, Eq, Hash, Serialize)]
struct Ruled {
    requirement: Id,
    party: &'static str,
    verdict: &'static str,
    got: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
}

/// What an end says of a connection, but for certificates, which differ from run to run.
#[derive(Debug, PartialEq, Eq, Hash, Serialize)]
struct Words {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alert_sent: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alert_received: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_flags: Option<Hex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resumed: Option<bool>,
}

/// One cell, as numbers.
#[derive(Debug)]
struct Row {
    case: u32,
    ends: [Rc<Player>; 2],
    conformance: Conformance,
    drift: Option<Drift>,
    sign: u32,
    findings: Box<[u32]>,
    reason: Option<u32>,
    connections: Box<[Part]>,
    /// What client and server say of each connection.
    said: Box<[[Option<u32>; 2]]>,
    /// The accepted transcript, where this one differs.
    accepted: Option<u32>,
}

/// One connection: label, transcript, rulings.
#[derive(Debug, Serialize)]
struct Part(u32, u32, u32);

/// What ends say of themselves: every text, and for each cell and connection those of client and server.
#[derive(Debug, Serialize)]
pub(super) struct Said<'a> {
    words: &'a IndexSet<Words>,
    cells: Vec<&'a [[Option<u32>; 2]]>,
}

impl Store {
    /// Takes a cell of the case of that number.
    pub(in super::super) fn take(&mut self, case: usize, cell: &Cell) {
        let ends = Side::BOTH.map(|side| self.end(cell.player(side)));
        let findings = cell.findings.iter();
        let row = Row {
            case: number(case),
            ends,
            conformance: cell.conformance,
            drift: cell.drift,
            sign: place(&mut self.signs, sign::text(cell)),
            findings: findings
                .map(|finding| place(&mut self.findings, finding.clone()))
                .collect(),
            reason: cell
                .reason
                .as_ref()
                .map(|reason| place(&mut self.reasons, reason.to_string())),
            connections: cell.connections.iter().map(|it| self.part(it)).collect(),
            said: cell.connections.iter().map(|it| self.said_of(it)).collect(),
            accepted: cell
                .accepted
                .as_ref()
                .map(|text| place(&mut self.transcripts, text.clone())),
        };
        self.cells.push(row);
    }

    fn end(&mut self, player: &Player) -> Rc<Player> {
        if let Some(known) = self.ends.get(player) {
            return Rc::clone(known);
        }
        let new = Rc::new(player.clone());
        self.ends.insert(Rc::clone(&new));
        new
    }

    fn part(&mut self, connection: &Connection) -> Part {
        let rulings = connection.rulings.iter();
        let rulings = rulings
            .map(|ruling| place(&mut self.rulings, Ruled::of(ruling)))
            .collect();
        Part(
            place(&mut self.labels, connection.label.to_string()),
            place(&mut self.transcripts, connection.text.clone()),
            place(&mut self.judged, rulings),
        )
    }

    fn said_of(&mut self, connection: &Connection) -> [Option<u32>; 2] {
        [&connection.client_report, &connection.server_report].map(|report| {
            let report = report.as_ref()?;
            Some(place(&mut self.words, Words::of(report)))
        })
    }

    /// Puts the cells in the order of cases and columns, and what they share in that of its first use: cells end in any
    /// order.
    pub(in super::super) fn sort(&mut self, subject: &Subject) {
        self.cells.sort_by_key(|row| {
            let [client, server] = &row.ends;
            (
                row.case,
                subject.place(&client.peer),
                subject.place(&server.peer),
            )
        });
        let cells = &mut self.cells;
        reorder(&mut self.signs, cells.iter_mut().map(|row| &mut row.sign));
        reorder(
            &mut self.findings,
            cells.iter_mut().flat_map(|row| &mut row.findings),
        );
        reorder(
            &mut self.reasons,
            cells.iter_mut().filter_map(|row| row.reason.as_mut()),
        );
        reorder(&mut self.labels, parts(cells).map(|part| &mut part.0));
        reorder(
            &mut self.transcripts,
            cells.iter_mut().flat_map(|row| {
                let shown = row.connections.iter_mut().map(|part| &mut part.1);
                shown.chain(row.accepted.as_mut())
            }),
        );
        reorder(&mut self.judged, parts(cells).map(|part| &mut part.2));
        let mut judged: Vec<Vec<u32>> = std::mem::take(&mut self.judged).into_iter().collect();
        reorder(&mut self.rulings, judged.iter_mut().flatten());
        self.judged = judged.into_iter().collect();
    }

    /// What ends say of themselves.
    pub(super) fn said(&self) -> Said<'_> {
        Said {
            words: &self.words,
            cells: self.cells.iter().map(|row| &*row.said).collect(),
        }
    }
}

fn parts(cells: &mut [Row]) -> impl Iterator<Item = &mut Part> {
    cells.iter_mut().flat_map(|row| &mut row.connections)
}

/// Puts things in the order in which they are used.
fn reorder<'a, T: Eq + Hash>(all: &mut IndexSet<T>, uses: impl Iterator<Item = &'a mut u32>) {
    let mut places = vec![u32::MAX; all.len()];
    let mut next = 0;
    for used in uses {
        let place = &mut places[*used as usize];
        if *place == u32::MAX {
            *place = next;
            next += 1;
        }
        *used = *place;
    }
    let mut things: Vec<(u32, T)> = places.into_iter().zip(std::mem::take(all)).collect();
    things.sort_by_key(|(place, _)| *place);
    all.extend(things.into_iter().map(|(_, thing)| thing));
}

/// The place of a thing that many share.
fn place<T: Eq + Hash>(all: &mut IndexSet<T>, thing: T) -> u32 {
    number(all.insert_full(thing).0)
}

/// A place as cells have it, which are many.
fn number(place: usize) -> u32 {
    u32::try_from(place).expect("fewer things than 2^32")
}

impl Ruled {
    fn of(ruling: &Ruling) -> Self {
        let (verdict, expected) = match &ruling.verdict {
            Verdict::Satisfied => ("satisfied", None),
            Verdict::Informational => ("informational", None),
            Verdict::Violated { expected } => ("violated", Some(expected.clone())),
            Verdict::Tension { follows, against } => (
                "documents disagree",
                Some(format!("{follows} says so, {against} otherwise")),
            ),
        };
        Self {
            requirement: ruling.requirement,
            party: ruling.party.as_str(),
            verdict,
            got: ruling.got.clone(),
            expected,
        }
    }
}

impl Words {
    fn of(report: &ConnectionReport) -> Self {
        let flags = report.tls_flags_sent.as_ref();
        Self {
            outcome: report.outcome.as_str(),
            error: report.error.clone(),
            alert_sent: report.alert_sent,
            alert_received: report.alert_received,
            tls_flags: flags.or(report.tls_flags_received.as_ref()).cloned(),
            resumed: report.resumed,
        }
    }
}

impl Serialize for Row {
    /// Case, client, server, their provenances, which of them misbehaves (1 the client, 2 the server), conformance,
    /// drift, sign, findings, connections, reason, accepted transcript.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let [client, server] = &self.ends;
        let misbehaves = u8::from(client.misbehaves) + 2 * u8::from(server.misbehaves);
        (
            self.case,
            (&client.peer, &server.peer),
            (client.provenance.as_str(), server.provenance.as_str()),
            misbehaves,
            self.conformance.as_str(),
            self.drift.map(Drift::as_str),
            self.sign,
            &self.findings,
            &self.connections,
            self.reason,
            self.accepted,
        )
            .serialize(serializer)
    }
}
