//! What the published results need of a run's cells: no octets and no transcripts.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use reqmtls_contract::Provenance;
use reqmtls_vocabulary::Side;

use super::super::options;
use super::sign::{self, Sign};
use super::subject::Subject;
use crate::judge::requirement::Id;
use crate::judge::{Conformance, Finding, Party, Ruling, Verdict};
use crate::run::{Cell, Event, Missing, Peer, Player, Reason};

/// A run, as far as it is published.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) peers: Vec<Peer>,
    pub(super) missing: Vec<Missing>,
    /// In the order of cases and columns, once the run ended.
    pub(super) cells: Vec<Seen>,
    pub(super) interrupted: bool,
    /// Those by which its cells run as they did.
    pub(super) options: String,
    /// The rulings of cells: most have those of another.
    rulings: HashSet<Rc<[Brief]>>,
}

/// One cell.
#[derive(Debug)]
pub(super) struct Seen {
    /// The number of its case.
    pub(super) case: usize,
    client: Player,
    server: Player,
    pub(super) conformance: Conformance,
    pub(super) signs: Vec<Sign>,
    /// Its signs, as a table has them.
    pub(super) text: String,
    pub(super) findings: Vec<Finding>,
    pub(super) rulings: Rc<[Brief]>,
    /// Which end lacks which capability.
    pub(super) lacks: Option<(Side, String)>,
    /// How many flights there were until the client had proven who it is.
    pub(super) flights: Option<usize>,
}

/// A ruling, in short.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Brief {
    pub(super) requirement: Id,
    pub(super) party: Party,
    pub(super) kind: Kind,
    /// What was observed, where documents disagree.
    pub(super) got: Option<String>,
}

/// A verdict, without what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Satisfied,
    Informational,
    Violated,
    Tension { follows: Id, against: Id },
}

impl Seen {
    fn of(case: usize, cell: &Cell, rulings: Rc<[Brief]>) -> Self {
        let lacks = match &cell.reason {
            Some(Reason::Unsupported { side, capability }) => Some((*side, capability.clone())),
            _ => None,
        };
        Self {
            case,
            client: cell.client.clone(),
            server: cell.server.clone(),
            conformance: cell.conformance,
            signs: Sign::of(cell).into_iter().map(|(_, sign)| sign).collect(),
            text: sign::text(cell),
            findings: cell.findings.clone(),
            rulings,
            lacks,
            flights: cell.connections.last().and_then(|it| it.flights_to_proof),
        }
    }

    pub(super) fn player(&self, side: Side) -> &Player {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    /// The names of both ends, by which its column is known.
    pub(super) fn column(&self) -> (&str, &str) {
        (self.client.label(), self.server.label())
    }

    /// Whether it was judged.
    pub(super) fn is_judged(&self) -> bool {
        matches!(
            self.conformance,
            Conformance::Conforms | Conformance::Deviates
        )
    }

    /// Whether a side has a finding that counts.
    pub(super) fn is_blamed(&self, side: Side) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.counts() && finding.party == side.into())
    }

    /// Whose behaviour a side shows, unless it misbehaves.
    pub(super) fn provenance(&self, side: Side) -> Option<Provenance> {
        let player = self.player(side);
        (!player.misbehaves).then_some(player.provenance)
    }
}

impl Brief {
    /// Those of a cell, each once.
    fn all(cell: &Cell) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for brief in cell.rulings().map(Self::of) {
            if !all.contains(&brief) {
                all.push(brief);
            }
        }
        all
    }

    fn of(ruling: &Ruling) -> Self {
        let (kind, got) = match ruling.verdict {
            Verdict::Satisfied => (Kind::Satisfied, None),
            Verdict::Informational => (Kind::Informational, None),
            Verdict::Violated { .. } => (Kind::Violated, None),
            Verdict::Tension { follows, against } => {
                (Kind::Tension { follows, against }, Some(ruling.got.clone()))
            }
        };
        Self {
            requirement: ruling.requirement,
            party: ruling.party,
            kind,
            got,
        }
    }
}

/// The rulings as one of those that are there, if they are.
fn shared(all: &mut HashSet<Rc<[Brief]>>, rulings: Vec<Brief>) -> Rc<[Brief]> {
    if let Some(known) = all.get(&*rulings) {
        return Rc::clone(known);
    }
    let new: Rc<[Brief]> = rulings.into();
    all.insert(Rc::clone(&new));
    new
}

impl Collected {
    /// Takes an event; after the last one the cells are in order, and rulings that show nothing are gone.
    pub(super) fn take(&mut self, subject: &Subject, event: &Event) {
        match event {
            Event::Started(started) => self.options = options(started),
            Event::Up(peer) => self.peers.push(peer.clone()),
            Event::Missing(missing) => self.missing.push(missing.clone()),
            Event::Cell(cell, _) => {
                if let Some(case) = subject.number(&cell.case) {
                    let rulings = Brief::all(cell);
                    let rulings = shared(&mut self.rulings, rulings);
                    self.cells.push(Seen::of(case, cell, rulings));
                }
            }
            Event::Ended(ended) => {
                self.interrupted = ended.interrupted;
                self.peers.sort_by_key(|peer| subject.place(&peer.name));
                self.missing.sort_by_key(|it| subject.place(&it.name));
                self.cells.sort_by_key(|seen| {
                    let place = |side| subject.place(&seen.player(side).peer);
                    (seen.case, place(Side::Client), place(Side::Server))
                });
                self.drop_what_controls_show(subject);
            }
            _ => {}
        }
    }

    /// Whether every cell was judged, or cannot be by what its ends lack.
    pub(super) fn is_whole(&self) -> bool {
        let mut cells = self.cells.iter();
        let fails = |seen: &Seen| seen.conformance == Conformance::Failed;
        !self.interrupted && self.missing.is_empty() && !cells.any(fails)
    }

    /// An alert that answers the well-formed value as well is no answer to the malformed one: what is said of it
    /// there alone is dropped.
    fn drop_what_controls_show(&mut self, subject: &Subject) {
        let key = |seen: &Seen| {
            (
                seen.case,
                seen.client.peer.clone(),
                seen.server.peer.clone(),
            )
        };
        let places: HashMap<_, _> = (0..)
            .zip(&self.cells)
            .map(|(at, it)| (key(it), at))
            .collect();
        for at in 0..self.cells.len() {
            let seen = &self.cells[at];
            let (_, client, server) = key(seen);
            let control = subject.control(seen.case);
            let control = control.and_then(|case| places.get(&(case, client, server)).copied());
            let Some(control) = control.map(|place: usize| &self.cells[place]) else {
                continue;
            };
            let same: Vec<Party> = Side::BOTH
                .into_iter()
                .filter(|side| {
                    let alerts = |seen: &Seen| -> Vec<_> {
                        seen.signs.iter().map(|it| it.alert_of(*side)).collect()
                    };
                    let (one, other) = (alerts(seen), alerts(control));
                    one == other && one.iter().all(Option::is_some)
                })
                .map(Party::from)
                .collect();
            let is_shown = |brief: &Brief| {
                let mut of_control = control.rulings.iter();
                !same.contains(&brief.party)
                    || of_control.any(|it| match brief.kind {
                        Kind::Tension { .. } => (it.kind, it.party) == (brief.kind, brief.party),
                        _ => (it.requirement, it.party) == (brief.requirement, brief.party),
                    })
            };
            let kept = seen.rulings.iter().filter(|brief| is_shown(brief));
            let kept = kept.cloned().collect();
            self.cells[at].rulings = shared(&mut self.rulings, kept);
        }
    }
}
