//! What the published results need of a run's cells: no octets and no transcripts.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
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
    shared: Shared,
}

/// What most cells have in common with another one, each once.
#[derive(Debug, Default)]
struct Shared {
    players: HashSet<Rc<Player>>,
    signs: HashSet<Rc<[Sign]>>,
    texts: HashSet<Rc<str>>,
    rulings: HashSet<Rc<[Brief]>>,
}

/// One cell.
#[derive(Debug)]
pub(super) struct Seen {
    /// The number of its case.
    pub(super) case: usize,
    client: Rc<Player>,
    server: Rc<Player>,
    pub(super) conformance: Conformance,
    pub(super) signs: Rc<[Sign]>,
    /// Its signs, as a table has them.
    pub(super) text: Rc<str>,
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
    fn of(case: usize, cell: &Cell, shared: &mut Shared) -> Self {
        let signs: Vec<_> = Sign::of(cell).into_iter().map(|(_, sign)| sign).collect();
        let lacks = match &cell.reason {
            Some(Reason::Unsupported { side, capability }) => Some((*side, capability.clone())),
            _ => None,
        };
        Self {
            case,
            client: one_of(&mut shared.players, cell.client.clone()),
            server: one_of(&mut shared.players, cell.server.clone()),
            conformance: cell.conformance,
            signs: one_of(&mut shared.signs, signs),
            text: one_of(&mut shared.texts, sign::text(cell)),
            findings: cell.findings.clone(),
            rulings: one_of(&mut shared.rulings, Brief::all(cell)),
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

/// A thing as the one of those that are there, if it is.
fn one_of<T: Eq + Hash + ?Sized>(all: &mut HashSet<Rc<T>>, thing: impl Into<Rc<T>>) -> Rc<T> {
    let thing = thing.into();
    if let Some(known) = all.get(&thing) {
        return Rc::clone(known);
    }
    all.insert(Rc::clone(&thing));
    thing
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
                    self.cells.push(Seen::of(case, cell, &mut self.shared));
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
        let controls = self.cells.iter().filter_map(|it| subject.control(it.case));
        let controls: HashSet<usize> = controls.collect();
        let ends = |seen: &Seen| [&seen.client, &seen.server].map(|it| it.peer.clone());
        let of_controls = (0..).zip(&self.cells);
        let of_controls = of_controls.filter(|(_, it)| controls.contains(&it.case));
        let places: HashMap<_, usize> = of_controls
            .map(|(at, it)| ((it.case, ends(it)), at))
            .collect();
        for at in 0..self.cells.len() {
            let seen = &self.cells[at];
            let control = subject.control(seen.case);
            let control = control.and_then(|case| places.get(&(case, ends(seen))).copied());
            let Some(control) = control.map(|place| &self.cells[place]) else {
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
            let kept: Vec<_> = kept.cloned().collect();
            self.cells[at].rulings = one_of(&mut self.shared.rulings, kept);
        }
    }
}
