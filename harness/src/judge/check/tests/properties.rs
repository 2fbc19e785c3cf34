//! What holds for every connection, however strange.

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use reqmtls_contract::{Hex, Policy, Revision};
use reqmtls_observer::capture;
use reqmtls_observer::{
    AlertLevel, Ending, Entry, Epoch, Extension, HandshakeType, Side, Transcript,
};

use super::scene::{FLAG, OTHER, Scene, extension};
use crate::judge::check::{View, rule};
use crate::judge::knowledge::{Knowledge, Psk};
use crate::judge::ruling::{Ruling, Verdict};

/// One thing that a side sends.
#[derive(Clone, Debug)]
enum Piece {
    Hello(Vec<Extension>),
    Retry(Vec<Extension>),
    ServerHello(Vec<Extension>, bool),
    Encrypted(Vec<Extension>),
    Request(Epoch, Vec<u8>, Vec<Extension>),
    Certificate(Side, Epoch, usize, Vec<Extension>),
    Verify(Side, Epoch),
    Finished(Side, Epoch),
    Ticket(Vec<Extension>),
    Alert(Side, Epoch, AlertLevel, u8),
    Data(Side),
    Kind(Side, Epoch, u8, bool),
    Unreadable(Side, Epoch),
}

fn side() -> impl Strategy<Value = Side> {
    select(&Side::BOTH[..])
}

fn epoch() -> impl Strategy<Value = Epoch> {
    select(vec![
        Epoch::Plaintext,
        Epoch::EarlyData,
        Epoch::Handshake,
        Epoch::Application,
    ])
}

fn extensions() -> impl Strategy<Value = Vec<Extension>> {
    let kinds = vec![
        0_u16, 5, 10, 13, 27, 33, 41, 42, 43, 44, 49, 51, 62, 62, 62, 0x0a0a, 0x7777, 0xfe01,
    ];
    let bodies = vec![
        vec![],
        vec![0],
        vec![1, 0],
        vec![2, 1],
        vec![1, 1, 1],
        OTHER.to_vec(),
        FLAG.to_vec(),
        vec![2, 3, 4],
    ];
    let one = (select(kinds), select(bodies)).prop_map(|(kind, body)| extension(kind, &body));
    prop::collection::vec(one, 0..4)
}

fn piece() -> impl Strategy<Value = Piece> {
    let alerts = vec![
        0_u8, 10, 40, 42, 44, 47, 48, 49, 50, 51, 90, 110, 116, 117, 200,
    ];
    let kinds = vec![4_u8, 8, 11, 13, 15, 25, 99];
    prop_oneof![
        3 => extensions().prop_map(Piece::Hello),
        1 => extensions().prop_map(Piece::Retry),
        2 => (extensions(), any::<bool>()).prop_map(|(it, tls13)| Piece::ServerHello(it, tls13)),
        1 => extensions().prop_map(Piece::Encrypted),
        2 => (epoch(), prop::collection::vec(0..2_u8, 0..2), extensions())
            .prop_map(|(epoch, context, it)| Piece::Request(epoch, context, it)),
        2 => (side(), epoch(), 0..3_usize, extensions())
            .prop_map(|(side, epoch, count, it)| Piece::Certificate(side, epoch, count, it)),
        1 => (side(), epoch()).prop_map(|(side, epoch)| Piece::Verify(side, epoch)),
        2 => (side(), epoch()).prop_map(|(side, epoch)| Piece::Finished(side, epoch)),
        1 => extensions().prop_map(Piece::Ticket),
        2 => (side(), epoch(), 0..4_u8, select(alerts))
            .prop_map(|(side, epoch, level, alert)| Piece::Alert(side, epoch, AlertLevel(level), alert)),
        1 => side().prop_map(Piece::Data),
        1 => (side(), epoch(), select(kinds), any::<bool>())
            .prop_map(|(side, epoch, kind, is_malformed)| Piece::Kind(side, epoch, kind, is_malformed)),
        1 => (side(), epoch()).prop_map(|(side, epoch)| Piece::Unreadable(side, epoch)),
    ]
}

fn add(scene: Scene, piece: Piece) -> Scene {
    match piece {
        Piece::Hello(it) => scene.hello(&it),
        Piece::Retry(it) => scene.retry(&it),
        Piece::ServerHello(it, true) => scene.server_hello(&it),
        Piece::ServerHello(it, false) => scene.server_hello12(&it),
        Piece::Encrypted(it) => scene.encrypted(&it),
        Piece::Request(epoch, context, it) => scene.bare_request(epoch, &context, &it),
        Piece::Certificate(side, epoch, count, it) => scene.certificate(side, epoch, count, &it),
        Piece::Verify(side, epoch) => scene.verify(side, epoch),
        Piece::Finished(side, epoch) => scene.finished(side, epoch),
        Piece::Ticket(it) => scene.ticket(&it),
        Piece::Alert(side, epoch, level, alert) => scene.any_alert(side, epoch, level, alert),
        Piece::Data(side) => scene.data(side),
        Piece::Kind(side, epoch, kind, true) => scene.malformed(side, epoch, HandshakeType(kind)),
        Piece::Kind(side, epoch, kind, false) => scene.other(side, epoch, HandshakeType(kind)),
        Piece::Unreadable(side, epoch) => scene.unreadable(side, epoch),
    }
}

fn ending() -> impl Strategy<Value = Ending> {
    select(vec![Ending::Open, Ending::HalfClose, Ending::Reset])
}

fn knowledge() -> impl Strategy<Value = Knowledge> {
    let revision = select(Revision::ALL);
    let ends = prop::array::uniform2(any::<(Option<bool>, Option<bool>)>());
    let certificate = any::<Option<bool>>();
    let policy = prop::option::of(select(Policy::ALL));
    let authenticated = prop::option::of(prop::option::of(Just(Hex(vec![9; 32]))));
    let psk = prop::option::of(select(Psk::ALL));
    let more = (
        authenticated,
        psk,
        any::<Option<bool>>(),
        prop::option::of(Just(Some(Hex(FLAG.to_vec())))),
    );
    let extension = select(vec![62_u16, 62, 0xfe01]);
    (extension, revision, ends, certificate, policy, more).prop_map(
        |(extension, revision, [client, server], certificate, policy, more)| {
            let mut knowledge = Knowledge::none(80, revision);
            knowledge.extension = extension;
            for (side, (knows, verifies)) in [(Side::Client, client), (Side::Server, server)] {
                let end = knowledge.end_mut(side);
                (end.knows_flags, end.signature_verifies) = (knows, verifies);
            }
            (knowledge.client_has_certificate, knowledge.policy) = (certificate, policy);
            (knowledge.authenticated, knowledge.psk) = (more.0, more.1);
            (knowledge.server_accepts_tls13, knowledge.proposed) = (more.2, more.3);
            knowledge
        },
    )
}

/// Whatever the pieces, in whatever order.
fn forged() -> impl Strategy<Value = Scene> {
    let pieces = prop::collection::vec(piece(), 0..16);
    let ended_first = prop::option::of(side());
    (pieces, knowledge(), ending(), ending(), ended_first).prop_map(
        |(pieces, knowledge, client, server, ended_first)| {
            let mut scene = pieces.into_iter().fold(Scene::new(), add);
            scene.knowledge = knowledge;
            scene.transcript.ended_first = ended_first;
            scene
                .ending(Side::Client, client)
                .ending(Side::Server, server)
        },
    )
}

/// A change of a transcript.
#[derive(Clone, Debug)]
enum Mutation {
    Remove(Index),
    Repeat(Index, Index),
    Swap(Index, Index),
    Turn(Index),
    Move(Index, Epoch),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let place = any::<Index>;
    prop_oneof![
        place().prop_map(Mutation::Remove),
        (place(), place()).prop_map(|(from, to)| Mutation::Repeat(from, to)),
        (place(), place()).prop_map(|(one, two)| Mutation::Swap(one, two)),
        place().prop_map(Mutation::Turn),
        (place(), epoch()).prop_map(|(place, epoch)| Mutation::Move(place, epoch)),
    ]
}

fn mutate(entries: &mut Vec<Entry>, mutation: &Mutation) {
    let count = entries.len();
    if count == 0 {
        return;
    }
    match mutation {
        Mutation::Remove(place) => drop(entries.remove(place.index(count))),
        Mutation::Repeat(from, to) => {
            entries.insert(to.index(count), entries[from.index(count)].clone());
        }
        Mutation::Swap(one, two) => entries.swap(one.index(count), two.index(count)),
        Mutation::Turn(place) => {
            let entry = &mut entries[place.index(count)];
            entry.from = entry.from.peer();
        }
        Mutation::Move(place, epoch) => entries[place.index(count)].epoch = *epoch,
    }
}

/// The connections of a capture of real stacks.
fn real() -> Vec<Transcript> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/authenticated.pcapng");
    let capture = capture::read(&std::fs::read(path).unwrap()).unwrap();
    let transcripts: Vec<_> = capture
        .connections
        .iter()
        .map(|connection| Transcript::observe(&connection.recording, &capture.secrets))
        .collect();
    assert!(
        transcripts.iter().any(|it| it.entries.len() > 8),
        "{transcripts:?}"
    );
    transcripts
}

/// A side that sent nothing is blamed for nothing but silence where it had to send an alert, and only if it was the
/// first to end.
fn blames_nobody_who_sent_nothing(
    transcript: &Transcript,
    rulings: &[Ruling],
) -> Result<(), TestCaseError> {
    for side in Side::BOTH {
        if transcript.entries.iter().any(|entry| entry.from == side) {
            continue;
        }
        for ruling in rulings.iter().filter(|ruling| ruling.is_violated_by(side)) {
            let is_silence = ruling.got.ends_with("ended without an alert");
            prop_assert!(
                is_silence && transcript.ended_first == Some(side),
                "{ruling}"
            );
        }
    }
    Ok(())
}

/// A tension is between two, one of which has the ruling.
fn names_both_sides_of_a_tension(rulings: &[Ruling]) -> Result<(), TestCaseError> {
    for ruling in rulings {
        if let Verdict::Tension { follows, against } = &ruling.verdict {
            prop_assert_ne!(follows, against);
            prop_assert!(
                [*follows, *against].contains(&ruling.requirement),
                "{}",
                ruling
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn forged_connections_are_judged_without_panic_and_without_blaming_the_absent(scene in forged()) {
        let rulings = scene.rulings();
        blames_nobody_who_sent_nothing(&scene.transcript, &rulings)?;
        names_both_sides_of_a_tension(&rulings)?;
    }

    #[test]
    fn a_connection_that_only_one_side_speaks_in_blames_that_side_alone(
        scene in forged(), silent in side(),
    ) {
        let mut scene = scene;
        scene.transcript.entries.retain(|entry| entry.from != silent);
        let rulings = scene.rulings();
        blames_nobody_who_sent_nothing(&scene.transcript, &rulings)?;
    }

    #[test]
    fn mutated_real_connections_are_judged(
        mutations in prop::collection::vec(mutation(), 0..6), knowledge in knowledge(), which in any::<Index>(),
    ) {
        thread_local!(static REAL: Vec<Transcript> = real());
        let mut transcript = REAL.with(|real| real[which.index(real.len())].clone());
        for mutation in &mutations {
            mutate(&mut transcript.entries, mutation);
        }
        let rulings = rule(&View::new(&transcript, &knowledge));
        blames_nobody_who_sent_nothing(&transcript, &rulings)?;
        names_both_sides_of_a_tension(&rulings)?;
    }

    #[test]
    fn an_open_connection_that_stops_anywhere_blames_nobody_for_what_may_still_follow(
        scene in forged(), length in any::<Index>(),
    ) {
        // With the ends open, silence and missing messages prove nothing.
        let mut scene = scene.ending(Side::Client, Ending::Open).ending(Side::Server, Ending::Open);
        scene.transcript.ended_first = None;
        let length = length.index(scene.transcript.entries.len() + 1);
        scene.transcript.entries.truncate(length);
        scene.transcript.entries.retain(|entry| {
            !matches!(entry.content, reqmtls_observer::Content::Alert(alert) if alert.is_close_notify())
        });
        for ruling in scene.rulings() {
            let blames = matches!(ruling.verdict, Verdict::Violated { .. });
            prop_assert!(!(blames && ruling.got.contains("without an alert")), "{}", ruling);
            prop_assert!(!(blames && ruling.requirement.as_str() == "TLS-10"), "{}", ruling);
        }
    }
}
