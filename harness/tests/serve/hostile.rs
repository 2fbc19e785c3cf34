//! Clients that mean harm, or do not know better.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use reqmtls_contract::Setup;
use tokio::io::AsyncWriteExt;

use crate::serving::{GET_JSON, PATIENCE, Serving, content, flag_set, reference};

/// A client that means harm, or does not know better.
struct Hostile {
    name: &'static str,
    acts: fn(&Serving),
    /// What is said of its connection.
    named: &'static str,
}

const HOSTILE: &[Hostile] = &[
    Hostile {
        name: "connects and closes",
        acts: |serving| drop(serving.connect()),
        named: "no ClientHello",
    },
    Hostile {
        name: "never speaks",
        acts: |serving| read_to_the_end(&mut serving.connect()),
        named: "deadline",
    },
    Hostile {
        name: "sends garbage",
        acts: |serving| say(serving, &[0xa5; 5000]),
        named: "not a TLS record",
    },
    Hostile {
        name: "speaks plaintext HTTP",
        acts: |serving| say(serving, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        named: "not a TLS record",
    },
    Hostile {
        name: "sends endless records",
        acts: |serving| {
            let record = [&[22, 3, 1, 0x40, 0][..], &[0; 0x4000]].concat();
            let mut stream = serving.connect();
            while stream.write_all(&record).is_ok() {}
        },
        named: "lines left out",
    },
    Hostile {
        name: "sends an endless request",
        acts: |serving| {
            let says = "GET / HTTP/1.1\r\nA: ";
            reference(serving, serving.ports[0], Setup::default(), says, true);
        },
        // Its request was answered by 431, and it went on until it was cut off.
        named: "close_notify",
    },
    Hostile {
        name: "sends an octet at a time",
        acts: |serving| {
            let mut stream = serving.connect();
            let mut record = [22, 3, 1, 2, 0, 1, 0, 1, 0xfc]
                .into_iter()
                .chain(std::iter::repeat(3));
            while stream.write_all(&[record.next().unwrap()]).is_ok() {
                // Slowness is what it does.
                std::thread::sleep(Duration::from_millis(50));
            }
        },
        named: "deadline",
    },
    Hostile {
        name: "resets",
        acts: |serving| {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let stream = serving.connect();
                stream.set_nonblocking(true).unwrap();
                let mut stream = tokio::net::TcpStream::from_std(stream).unwrap();
                stream.write_all(&[22, 3, 1]).await.unwrap();
                stream.set_zero_linger().unwrap();
            });
        },
        named: "(reset)",
    },
    Hostile {
        name: "sends a malformed ClientHello",
        acts: |serving| say(serving, &[22, 3, 1, 0, 8, 1, 0, 0, 4, 3, 3, 0, 0]),
        named: "malformed",
    },
    Hostile {
        name: "closes its half early",
        acts: |serving| {
            let mut stream = serving.connect();
            stream.shutdown(Shutdown::Write).unwrap();
            read_to_the_end(&mut stream);
        },
        named: "no ClientHello",
    },
    Hostile {
        name: "sends a huge ClientHello",
        acts: |serving| {
            let mut hello = vec![1, 0xff, 0xff, 0xff, 3, 3];
            hello.resize(200_000, 0);
            let records = hello.chunks(1 << 14).flat_map(|fragment| {
                let length = u16::try_from(fragment.len()).unwrap().to_be_bytes();
                [&[22, 3, 1], &length[..], fragment].concat()
            });
            say(serving, &records.collect::<Vec<_>>());
        },
        named: "truncated",
    },
];

fn say(serving: &Serving, octets: &[u8]) {
    let mut stream = serving.connect();
    // It may have been closed by then.
    drop(stream.write_all(octets));
    read_to_the_end(&mut stream);
}

fn read_to_the_end(stream: &mut TcpStream) {
    let mut octets = Vec::new();
    // An end by a reset is one too; one by the read's deadline fails what waits for the connection's line.
    drop(stream.read_to_end(&mut octets));
}

#[test]
fn hostile_clients_are_bounded_and_named_and_the_next_one_is_served() {
    let serving = Serving::start(1, &[]);
    for Hostile { name, acts, named } in HOSTILE {
        let start = Instant::now();
        acts(&serving);
        let line = serving.next().to_string();
        assert!(line.contains(named), "{name}: {line:.2000}");
        assert!(
            line.len() < 100_000,
            "{name}: a line of {} octets",
            line.len()
        );
        assert!(
            start.elapsed() < PATIENCE / 2,
            "{name}: {:?}",
            start.elapsed()
        );
        let (_, read) = reference(&serving, serving.ports[0], flag_set(), GET_JSON, false);
        assert_eq!(
            content(&read)["request_mtls"],
            true,
            "after one that {name}"
        );
        serving.next();
    }
    serving.interrupt();
    // Whether one of them came so far as to violate something depends on how far it was read.
    assert!(matches!(serving.ended(), 0 | 1));
}

#[test]
fn a_thousand_connections_at_once_are_served_in_turn() {
    let serving = Serving::start(1, &[]);
    let streams: Vec<_> = (0..1000).map(|_| serving.connect()).collect();
    drop(streams);
    for _ in 0..1000 {
        serving.next();
    }
    let (_, read) = reference(&serving, serving.ports[0], flag_set(), GET_JSON, false);
    assert_eq!(content(&read)["request_mtls"], true);
}
