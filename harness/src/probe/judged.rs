//! The connections of a probe, judged by all requirements that need no knowledge of the server.

use reqmtls_contract::Setup;
use reqmtls_vocabulary::Side;

use super::{Need, Plan, Play, Played, Probed, Verdict};
use crate::judge::{Connection, Knowledge};

/// The connections of a probe, judged.
#[derive(Debug)]
pub struct Judged {
    /// What the server does.
    pub verdict: Verdict,
    /// Whether it implements `tls_flags`: as the user says, or as what it does shows.
    pub knows_flags: Option<bool>,
    /// For each client that was played, its connections.
    pub connections: Vec<Vec<Connection>>,
}

/// Judges what a probe left behind.
#[must_use]
pub fn judge(plan: &Plan, probed: &Probed) -> Judged {
    let verdict = Verdict::of(&probed.played, plan.material.revision);
    let shown = verdict.shows_flags().then_some(true);
    let knows_flags = plan.server_knows_flags.or(shown);
    let judge_one = |played: &Played| {
        let accepted = is_accepted(played, &probed.played);
        let mut connections: Vec<Connection> = Vec::new();
        for connected in &played.connections {
            let mut knowledge = knowledge(plan, &played.play, connected.number);
            knowledge.server.knows_flags = knows_flags;
            if !accepted {
                // Which of its defects a certificate is refused for is not to be seen.
                knowledge.client.signature_verifies = None;
            }
            let before = connections.last().map(|it| &it.facts);
            let transcript = connected.transcript.clone();
            connections.push(Connection::judged(transcript, knowledge, before));
        }
        connections
    };
    Judged {
        connections: probed.played.iter().map(judge_one).collect(),
        verdict,
        knows_flags,
    }
}

/// What is known of a connection: how the probe's own client was set up.
fn knowledge(plan: &Plan, client: &Play, connection: u32) -> Knowledge {
    let material = &plan.material;
    let nothing = Knowledge {
        extension: material.extension,
        ..Knowledge::none(material.flag, material.revision)
    };
    let mut knowledge = nothing.of_client(&client.client, connection);
    knowledge.client.misbehaves = client.misbehaves;
    knowledge
}

/// Whether a server that asked went on with the client's certificate where nothing else was wrong.
fn is_accepted(played: &Played, all: &[Played]) -> bool {
    let same = |setup: &Setup| setup.identity == played.play.client.identity;
    played.play.needs != Need::Acceptance
        || all.iter().any(|it| {
            let seen = it.last();
            !it.play.misbehaves
                && same(&it.play.client)
                && seen.is_some_and(|seen| seen.asked && seen.outcome.stands())
        })
}

impl Judged {
    /// The requirements that the reference client violated where it was not to: a fault of this program.
    #[must_use]
    pub fn own_faults(&self, probed: &Probed) -> Vec<String> {
        let mut faults = Vec::new();
        for (played, connections) in probed.played.iter().zip(&self.connections) {
            let whole = played.connections.iter().zip(connections);
            let whole = whole.filter(|(connected, _)| !connected.is_cut);
            let rulings = whole.flat_map(|(_, judged)| &judged.rulings);
            let own = rulings.filter(|ruling| ruling.is_violated_by(Side::Client));
            for ruling in own.filter(|_| !played.play.misbehaves) {
                faults.push(format!("{}: {ruling}", played.play.id));
            }
        }
        faults
    }
}
