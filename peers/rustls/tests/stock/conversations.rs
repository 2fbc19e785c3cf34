//! Conversations between each client and each server.

use rustls::NamedGroup;
use rustls::version::{TLS12, TLS13};

use crate::live::{Ends, Report, Setup, Who, Wire, World};
use crate::pipe::Random;
use crate::talk::Talk;

const WHO: [Who; 2] = [Who::Unmodified, Who::Ours];

fn plain() -> Setup {
    Setup {
        version: &TLS13,
        group: NamedGroup::X25519,
        asks: false,
        has_certificate: false,
        max_early_data: 20_000,
    }
}

fn setups() -> Vec<Setup> {
    let mut setups = Vec::new();
    for version in [&TLS12, &TLS13] {
        for group in [NamedGroup::X25519, NamedGroup::secp384r1] {
            for (asks, has_certificate) in [(false, false), (true, true), (true, false)] {
                setups.push(Setup {
                    version,
                    group,
                    asks,
                    has_certificate,
                    ..plain()
                });
            }
        }
    }
    setups
}

/// Has all four pairs of ends say the same, so often, and expects the same of each.
fn alike(setup: &Setup, wire: Wire, talks: &[Talk]) -> Vec<Report> {
    let world = World::new();
    let reports = |client, server| {
        let ends = world.ends(client, server, setup);
        let meet = |talk| ends.meet(talk, wire);
        talks.iter().map(meet).collect::<Vec<_>>()
    };
    let expected = reports(Who::Unmodified, Who::Unmodified);
    for client in WHO {
        for server in WHO {
            let got = reports(client, server);
            assert_eq!(
                got, expected,
                "{client:?} {server:?} {setup:?} {talks:?} {wire:?}"
            );
        }
    }
    expected
}

#[test]
fn ends_complete_close_and_update_keys_alike() {
    for setup in setups() {
        for cuts in [None, Some(1)] {
            let wire = Wire {
                cuts,
                ..Wire::default()
            };
            let talks = [
                Talk::Echo(70_000),
                Talk::ServerClosesFirst(30_000),
                Talk::KeyUpdate(5000),
                Talk::Echo(0),
            ];
            let reports = alike(&setup, wire, &talks);
            let has_failed = setup.asks && !setup.has_certificate;
            for [client, _] in reports {
                assert_eq!(client.contains(" octets, "), !has_failed, "{client}");
            }
        }
    }
}

#[test]
fn sessions_and_early_data_fare_alike() {
    for asks in [false, true] {
        for max_early_data in [0, 20_000] {
            for octets in [0, 4000, 60_000] {
                let setup = Setup {
                    asks,
                    has_certificate: asks,
                    max_early_data,
                    ..plain()
                };
                let talks = [Talk::Echo(5), Talk::Early(octets), Talk::Early(octets)];
                for cuts in [None, Some(3)] {
                    let wire = Wire {
                        cuts,
                        ..Wire::default()
                    };
                    let [_, _, [client, server]] = &alike(&setup, wire, &talks)[..] else {
                        panic!("expected three reports");
                    };
                    assert!(server.contains("Resumed"), "{server}");
                    let early = format!("early {}", max_early_data > 0);
                    assert!(client.contains(&early), "{client}");
                }
            }
        }
    }
}

/// The server's groups have changed since it made the session.
#[test]
fn early_data_that_a_hello_retry_request_rejects_fares_alike() {
    let world = World::new();
    let first = plain();
    let second = Setup {
        group: NamedGroup::secp384r1,
        ..plain()
    };
    for octets in [100, 4000, 19_000, 60_000] {
        for (cuts, fragments) in [
            (None, None),
            (Some(4), None),
            (None, Some(5)),
            (Some(6), Some(7)),
        ] {
            let wire = Wire {
                cuts,
                fragments,
                ..Wire::default()
            };
            let report = |client, server| {
                let store = World::store();
                let connector = world.connector(client, &first);
                let acceptor = world.acceptor(server, &first, &store);
                let talk = Talk::Echo(5);
                Ends::new(connector.clone(), acceptor).meet(&talk, Wire::default());
                let acceptor = world.acceptor(server, &second, &store);
                Ends::new(connector, acceptor).meet(&Talk::Early(octets), wire)
            };
            let expected = report(Who::Unmodified, Who::Unmodified);
            if octets < 20_000 {
                assert!(
                    expected[1].starts_with(&format!("{octets} octets, ")),
                    "{expected:?}"
                );
            }
            for client in WHO {
                for server in WHO {
                    let got = report(client, server);
                    assert_eq!(got, expected, "{client:?} {server:?} {octets} {wire:?}");
                }
            }
        }
    }
}

#[test]
fn fragments_of_the_hellos_do_not_matter() {
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let mut setup = plain();
        if random.below(2) == 0 {
            setup.group = NamedGroup::secp384r1;
        }
        let wire = Wire {
            cuts: (random.below(2) == 0).then_some(seed),
            fragments: Some(seed),
            ..Wire::default()
        };
        alike(&setup, wire, &[Talk::Echo(3000), Talk::Early(9000)]);
    }
}

#[test]
fn connections_that_break_are_noticed_alike() {
    let world = World::new();
    for seed in 0..250 {
        let mut random = Random::new(seed);
        let setup = setups().swap_remove(random.below(12));
        let mut wire = Wire::default();
        // A ClientHello has its extensions in random order: what is spoilt there is another thing each time.
        let has_second_hello = setup.group == NamedGroup::secp384r1 && setup.version == &TLS13;
        match random.below(4) {
            0 => wire.ends_after = Some(random.below(1200)),
            1 if !has_second_hello => wire.spoils_client = Some(random.below(600)),
            2 => wire.spoils_server = Some(38 + random.below(900)),
            _ => wire.cancels_after = Some(1 + random.below(4)),
        }
        let report = |server| {
            let ends = world.ends(Who::Unmodified, server, &setup);
            ends.meet(&Talk::Reply(300), wire)
        };
        let expected = report(Who::Unmodified);
        assert_eq!(
            report(Who::Ours),
            expected,
            "seed {seed} {setup:?} {wire:?}"
        );
    }
}

#[test]
fn a_client_notices_what_breaks_as_the_unmodified_one_does() {
    let world = World::new();
    for seed in 0..150 {
        let mut random = Random::new(seed);
        let setup = setups().swap_remove(random.below(12));
        let mut wire = Wire::default();
        match random.below(2) {
            0 => wire.spoils_server = Some(random.below(900)),
            _ => wire.cancels_after = Some(1 + random.below(4)),
        }
        let report = |client| {
            let ends = world.ends(client, Who::Unmodified, &setup);
            ends.meet(&Talk::Reply(300), wire)
        };
        let expected = report(Who::Unmodified);
        assert_eq!(
            report(Who::Ours),
            expected,
            "seed {seed} {setup:?} {wire:?}"
        );
    }
}

/// As programs do that make a connector for each connection.
#[test]
fn clones_of_a_connector_resume_each_others_sessions() {
    let world = World::new();
    for version in [&TLS12, &TLS13] {
        let setup = Setup {
            version,
            asks: true,
            has_certificate: true,
            ..plain()
        };
        let connector = world.connector(Who::Ours, &setup);
        let store = World::store();
        let meet = || {
            let acceptor = world.acceptor(Who::Ours, &setup, &store);
            Ends::new(connector.clone(), acceptor).meet(&Talk::Echo(5), Wire::default())
        };
        assert!(meet()[0].contains("Full"));
        let [client, server] = meet();
        assert!(
            client.contains("Resumed") && server.contains("Resumed"),
            "{client} {server}"
        );
    }
}
