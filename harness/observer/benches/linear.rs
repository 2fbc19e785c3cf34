//! Shows that the observer takes time in proportion to the octets that it is given, whatever a hostile end sends.
//!
//! `cargo bench -p reqmtls-observer --features testing` prints the time for each octet of a small and of a large
//! input of each shape, and ends non-zero if an octet of the large one costs several times as much: what is
//! quadratic costs sixteen times as much.

#![expect(clippy::print_stdout, reason = "that is what it is for")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use reqmtls_observer::capture;
use reqmtls_observer::testing::{
    CLIENT_RANDOM, Forge, Sealer, extension, extensions, message, record,
};
use reqmtls_observer::{
    CipherSuite, ContentType, Epoch, ExtensionType, HandshakeType, KeyLog, Recording, Side,
    Transcript,
};

/// Octets of the small input.
const SMALL: usize = 1 << 20;

/// How many times as long the large input is.
const GROWTH: usize = 16;

/// How many times as much an octet of the large input may cost: caches and allocators are no constant.
const TOLERANCE: u128 = 8;

const SUITE: CipherSuite = CipherSuite::TLS13_AES_128_GCM_SHA256;

/// What a hostile end sends: some octets, given how many.
type Shape = fn(usize) -> (Recording, KeyLog);

const SHAPES: [(&str, Shape); 11] = [
    ("empty records", |size| {
        clear(size, &record(ContentType::HANDSHAKE, &[]))
    }),
    ("alerts", |size| {
        clear(size, &record(ContentType::ALERT, &[1, 90]))
    }),
    ("alerts of every wrong length", wrong_alerts),
    ("records after an error alert", |size| {
        let damaged = record(ContentType(24), &[]);
        let closing = record(ContentType::ALERT, &[2, 40]);
        let half = damaged.repeat(size / 10);
        clear_all(&[&half[..], &closing, &half].concat())
    }),
    ("tiny messages in full records", |size| {
        let messages = message(HandshakeType::HELLO_REQUEST, &[]).repeat(4000);
        clear(size, &record(ContentType::HANDSHAKE, &messages))
    }),
    ("a long message in tiny records", |size| {
        let long = message(HandshakeType::CERTIFICATE, &vec![0; size / 6]);
        let records = long
            .chunks(1)
            .map(|octet| record(ContentType::HANDSHAKE, octet));
        clear_all(&records.collect::<Vec<_>>().concat())
    }),
    ("a long message in full records", |size| {
        let long = message(HandshakeType::CERTIFICATE, &vec![0; size - 1]);
        let records = long
            .chunks(1 << 14)
            .map(|octets| record(ContentType::HANDSHAKE, octets));
        clear_all(&records.collect::<Vec<_>>().concat())
    }),
    ("records without a secret", |size| {
        let (recording, _) = sealed(size, |sealer| {
            sealer.seal(Side::Server, Epoch::Handshake, ContentType::HANDSHAKE, &[])
        });
        (recording, KeyLog::default())
    }),
    ("data between tickets", |size| {
        let ticket = message(HandshakeType::NEW_SESSION_TICKET, &[]);
        sealed(size, |sealer| {
            let mut seal =
                |side, kind, content: &[u8]| sealer.seal(side, Epoch::Application, kind, content);
            [
                seal(Side::Server, ContentType::APPLICATION_DATA, b"x"),
                seal(Side::Server, ContentType::HANDSHAKE, &ticket),
            ]
            .concat()
        })
    }),
    ("compressed zeros", |size| {
        // 1 MiB of zeros by brotli.
        let zeros = [
            0x5b, 0xff, 0xff, 0x8f, 0x7f, 0x02, 0x20, 0x1e, 0x0b, 0x04, 0x72, 0xef, 0x1f, 0,
        ];
        let body = [&[0, 2, 0x10, 0, 0, 0, 0, 14][..], &zeros].concat();
        let compressed = message(HandshakeType::COMPRESSED_CERTIFICATE, &body).repeat(100);
        clear(size, &record(ContentType::HANDSHAKE, &compressed))
    }),
    ("early data under any of many suites", early_data),
];

fn main() -> ExitCode {
    let mut failed = false;
    for (name, shape) in SHAPES {
        failed |= !is_linear(name, |size| {
            let (recording, log) = shape(size);
            measured(&recording, &log)
        });
    }
    failed |= !is_linear("packets of a capture in reverse", reversed_capture);
    ExitCode::from(u8::from(failed))
}

/// Compares an octet of a small input with one of a large one.
fn is_linear(name: &str, run: impl Fn(usize) -> (Duration, usize)) -> bool {
    let picoseconds = |size| {
        let each = (0..3).map(|_| {
            let (time, octets) = run(size);
            time.as_nanos() * 1000 / octets as u128
        });
        each.min().unwrap_or_default()
    };
    let (small, large) = (picoseconds(SMALL), picoseconds(GROWTH * SMALL));
    let is_linear = large <= TOLERANCE * small;
    println!(
        "{name:36} {small:8} ps/octet, {GROWTH} times as many {large:8} ps/octet: {}",
        if is_linear { "linear" } else { "NOT LINEAR" }
    );
    is_linear
}

/// The time for everything that is made of a recording, and its octets.
fn measured(recording: &Recording, log: &KeyLog) -> (Duration, usize) {
    let start = Instant::now();
    let transcript = Transcript::observe(recording, log);
    let text = transcript.text(80);
    let entries = transcript.by_arrival().len();
    let time = start.elapsed();
    assert!(entries > 0 || !text.is_empty());
    let octets = Side::BOTH.map(|side| recording.bytes(side).len());
    (time, octets.iter().sum())
}

/// A server that answers with one thing over and over, in clear.
fn clear(size: usize, once: &[u8]) -> (Recording, KeyLog) {
    clear_all(&once.repeat(size / once.len()))
}

fn clear_all(octets: &[u8]) -> (Recording, KeyLog) {
    let mut forge = Forge::new(SUITE);
    forge.client_hello(&[]).server_hello(&[]);
    forge.octets(Side::Server, octets);
    (forge.recording.clone(), forge.log())
}

/// A server that answers with one thing over and over, sealed.
fn sealed(size: usize, mut once: impl FnMut(&mut Sealer) -> Vec<u8>) -> (Recording, KeyLog) {
    let mut forge = Forge::new(SUITE);
    forge.client_hello(&[]).server_hello(&[]);
    let mut sealer = Sealer::new(CLIENT_RANDOM, SUITE).expect("a known suite");
    let mut sent = 0;
    while sent < size {
        let octets = once(&mut sealer);
        sent += octets.len();
        forge.octets(Side::Server, &octets);
    }
    (forge.recording.clone(), forge.log())
}

fn wrong_alerts(size: usize) -> (Recording, KeyLog) {
    let mut octets = Vec::new();
    let mut length = 3;
    while octets.len() < size {
        octets.extend(record(ContentType::ALERT, &vec![0; length]));
        length = if length < 3000 { length + 1 } else { 3 };
    }
    clear_all(&octets)
}

/// A ClientHello that offers one suite in every place, and records that only look like early data.
fn early_data(size: usize) -> (Recording, KeyLog) {
    let suites = SUITE.0.to_be_bytes().repeat((size / 8).min(1 << 14));
    let length = u16::try_from(suites.len())
        .expect("at most 32 KiB")
        .to_be_bytes();
    let offer = extensions(&[extension(ExtensionType::EARLY_DATA, &[])]);
    let head = [&[3, 3][..], &CLIENT_RANDOM.0, &[0]].concat();
    let hello = [&head, &length[..], &suites, &[1, 0], &offer].concat();
    let hello = message(HandshakeType::CLIENT_HELLO, &hello);
    let mut forge = Forge::new(SUITE);
    for fragment in hello.chunks(1 << 14) {
        forge.messages(Side::Client, Epoch::Plaintext, fragment);
    }
    let damaged = record(ContentType::APPLICATION_DATA, &[0; 20]);
    forge.octets(Side::Client, &damaged.repeat(size / damaged.len()));
    (forge.recording.clone(), forge.log())
}

/// A capture of which all packets but the first come in the wrong order.
fn reversed_capture(size: usize) -> (Duration, usize) {
    let mut recording = Recording::new();
    for _ in 0..size / 100 {
        recording.data(Duration::ZERO, Side::Client, &[0; 20][..]);
    }
    let file = capture::write([("", &recording)], &KeyLog::default(), Duration::ZERO);
    let file = file.expect("a capture");
    // After the section and the interface: the blocks of the packets, of which three open the connection.
    let mut blocks = Vec::new();
    let mut rest = &file[..];
    while let [_, _, _, _, a, b, c, d, ..] = rest {
        let (block, behind) = rest.split_at(u32::from_le_bytes([*a, *b, *c, *d]) as usize);
        blocks.push(block);
        rest = behind;
    }
    blocks[5..].reverse();
    let file = blocks.concat();
    let start = Instant::now();
    let found = capture::read(&file).expect("a capture");
    let time = start.elapsed();
    assert_eq!(found.connections[0].recording.events().len(), size / 100);
    (time, file.len())
}
