//! Judging is linear: what the checks look at is counted, not timed.

use std::cell::Cell;

use reqmtls_observer::{AlertLevel, Epoch, Extension, HandshakeType, Side};

use super::scene::{CLIENT, OTHER, SERVER, Scene, extension, late, tls_flags};

thread_local! {
    static VISITED: Cell<usize> = const { Cell::new(0) };
}

/// Counts an entry, a message, an extension or a flag that a check looks at.
pub(in crate::judge::check) fn visit() {
    VISITED.with(|visited| visited.set(visited.get() + 1));
}

/// How many it takes to judge a connection.
fn visits(scene: &Scene) -> usize {
    VISITED.with(|visited| visited.set(0));
    let rulings = scene.rulings();
    assert!(rulings.len() < 300, "{} rulings", rulings.len());
    VISITED.with(Cell::get)
}

/// Pushes many entries without looking for each one's place among the others.
fn many(scene: Scene, count: usize, piece: impl Fn(Scene) -> Scene) -> Scene {
    let mut scene = scene;
    let start = scene.transcript.entries.len();
    let one = piece(scene.clone()).transcript.entries.split_off(start);
    for _ in 0..count {
        for entry in &one {
            let mut entry = entry.clone();
            let place = scene.transcript.entries.len();
            (entry.start, entry.arrival, entry.records) = (place, place, place..place + 1);
            scene.transcript.entries.push(entry);
        }
    }
    scene
}

fn asked() -> Scene {
    let scene = Scene::new()
        .hello(&late())
        .server_flight(Some(&tls_flags(OTHER)));
    scene.client_flight(Some(0)).data(CLIENT)
}

fn extensions(count: usize) -> Vec<Extension> {
    let kinds = (0..count).map(|kind| u16::try_from(kind + 1000).unwrap());
    kinds.map(|kind| extension(kind, &[])).collect()
}

/// Connections of which one part grows.
fn shapes(count: usize) -> Vec<(&'static str, Scene)> {
    let late = Epoch::Application;
    let kind = HandshakeType::COMPRESSED_CERTIFICATE;
    let twice = [tls_flags(OTHER), tls_flags(OTHER)].concat();
    vec![
        (
            "finished",
            many(asked(), count, |it| it.finished(CLIENT, late)),
        ),
        (
            "requests",
            many(asked(), count, |it| it.request(late, &tls_flags(OTHER))),
        ),
        (
            "answers",
            many(asked(), count, |it| it.request(late, &[]).late_answer(1)),
        ),
        (
            "certificates",
            many(asked(), count, |it| it.certificate(CLIENT, late, 1, &twice)),
        ),
        (
            "compressed",
            many(asked(), count, |it| it.other(CLIENT, late, kind)),
        ),
        (
            "malformed",
            many(asked(), count, |it| it.malformed(SERVER, late, kind)),
        ),
        (
            "tickets",
            many(asked(), count, |it| it.ticket(&tls_flags(&[1, 0]))),
        ),
        (
            "data",
            many(asked(), count, |it| it.data(CLIENT).data(SERVER)),
        ),
        ("hellos", many(Scene::new(), count, |it| it.hello(&twice))),
        (
            "server hellos",
            many(asked(), count, |it| it.server_hello(&twice)),
        ),
        (
            "cancels",
            many(asked(), count, |it| {
                it.any_alert(CLIENT, late, AlertLevel::WARNING, 90)
            }),
        ),
        (
            "unreadable",
            many(asked(), count, |it| it.unreadable(SERVER, late)),
        ),
        (
            "a large ClientHello",
            Scene::new().hello(&extensions(count)).server_flight(None),
        ),
        (
            "a large second ClientHello",
            Scene::new()
                .hello(&extensions(count))
                .retry(&extensions(count))
                .hello(&extensions(count)),
        ),
        (
            "a large chain",
            Scene::new()
                .hello(&[])
                .server_flight(Some(&extensions(count)))
                .certificate(CLIENT, Epoch::Handshake, count, &tls_flags(&[2])),
        ),
    ]
}

#[test]
fn a_connection_of_twice_the_length_takes_no_more_than_twice_the_work() {
    for ((name, single), (_, double)) in shapes(1000).iter().zip(&shapes(2000)) {
        let (single, double) = (visits(single), visits(double));
        assert!(single > 1000, "{name}: {single} visits");
        assert!(
            double <= 2 * single,
            "{name}: {single} visits, then {double}"
        );
    }
}

#[test]
fn sixty_thousand_empty_messages_are_judged() {
    let scene = many(asked(), 60_000, |it| {
        it.finished(SERVER, Epoch::Application)
    });
    // No entry is looked at more often than there are checks and their questions.
    let entries = scene.transcript.entries.len();
    assert!(
        visits(&scene) < 150 * entries,
        "{} visits of {entries} entries",
        visits(&scene)
    );
    assert!(
        Side::BOTH
            .iter()
            .all(|side| scene.rulings().iter().any(|it| it.party == (*side).into()))
    );
}
