//! `reqmtls decode` as a user meets it: every form of input, every judgement, every error.
//!
//! Snapshots are in `snapshots/`: the command, what it says, and its exit code.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

#[path = "shared/session.rs"]
mod session;

use std::fs;
use std::path::Path;
use std::time::Duration;

use reqmtls_observer::testing::{self, Forge};
use reqmtls_observer::{CipherSuite, Epoch, ExtensionType, HandshakeType, KeyLog, Recording, Side};
use session::{Folder, Session};

const FLAG_80: &str = "0b0000000000000000000001";

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap();
    [&kind.to_be_bytes()[..], &length.to_be_bytes(), body].concat()
}

/// `tls_flags` with a body in hexadecimal.
fn tls_flags(body: &str) -> Vec<u8> {
    extension(62, &hex::decode(body).unwrap())
}

/// The extension that offers TLS 1.3 and 1.2.
fn both_versions() -> Vec<u8> {
    extension(43, &[4, 3, 4, 3, 3])
}

/// Runs with one argument after another.
fn each(inputs: &[&str]) -> String {
    let (mut session, folder) = (Session::default(), Folder::new());
    for input in inputs {
        session.run("decode", &folder, &[input], b"");
    }
    session.0
}

/// A ClientHello as a bare handshake message.
fn hello(extensions: &[Vec<u8>]) -> Vec<u8> {
    let extensions = extensions.concat();
    let length = u16::try_from(extensions.len()).unwrap().to_be_bytes();
    let body = [
        &[3, 3][..],
        &[7; 32],
        &[0, 0, 2, 0x13, 1, 1, 0],
        &length,
        &extensions,
    ]
    .concat();
    let length = u8::try_from(body.len()).unwrap();
    [&[1, 0, 0, length], &body[..]].concat()
}

fn record(kind: u8, fragment: &[u8]) -> Vec<u8> {
    let length = u16::try_from(fragment.len()).unwrap().to_be_bytes();
    [&[kind, 3, 3], &length[..], fragment].concat()
}

#[test]
fn well_formed_flags() {
    let base64 = "CwAAAAAAAAAAAAAB";
    let colons = "02:81:40";
    let words = "0x02, 0x81, 0x40";
    insta::assert_snapshot!(each(&[FLAG_80, base64, colons, words]));
}

#[test]
fn malformed_flags() {
    let inputs = ["00", "020000", "020100", "0381", "0102ff00", "003e00020101"];
    insta::assert_snapshot!(each(&inputs));
}

#[test]
fn flags_from_stdin_with_another_number_and_without_octets() {
    let (mut session, folder) = (Session::default(), Folder::new());
    session.run("decode", &folder, &["--flag", "14"], b"02 81 40\n");
    session.run("decode", &folder, &["-"], FLAG_80.as_bytes());
    session.run("decode", &folder, &["--as", "flags"], b"");
    session.run("decode", &folder, &["--as", "flags"], &[1, 4]);
    insta::assert_snapshot!(session.0);
}

#[test]
fn a_well_formed_client_hello_bare_and_in_records() {
    let hello = hello(&[both_versions(), tls_flags(FLAG_80), extension(41, &[])]);
    let (one, other) = hello.split_at(30);
    let records = [record(22, one), record(22, other)].concat();
    let folder = Folder::new().with("hello.bin", &records);
    let mut session = Session::default();
    session.run("decode", &folder, &["-"], hex::encode(&hello).as_bytes());
    session.run("decode", &folder, &["hello.bin"], b"");
    insta::assert_snapshot!(session.0);
}

#[test]
fn client_hellos_that_are_malformed_or_odd() {
    let (mut session, folder) = (Session::default(), Folder::new());
    for extensions in [
        &[both_versions(), tls_flags("0101"), tls_flags("020000")][..],
        &[both_versions(), extension(41, &[]), tls_flags("0101")],
        &[both_versions(), tls_flags("")],
        &[extension(0, &[]), tls_flags("0101")],
        &[both_versions(), extension(0xfe01, &[])],
        &[],
    ] {
        session.run(
            "decode",
            &folder,
            &[],
            hex::encode(hello(extensions)).as_bytes(),
        );
    }
    insta::assert_snapshot!(session.0);
}

#[test]
fn flags_under_another_number_are_shown_with_it() {
    let body = hex::decode(FLAG_80).unwrap();
    let hello = hello(&[both_versions(), extension(0xfe01, &body), tls_flags("0101")]);
    let (mut session, folder) = (Session::default(), Folder::new());
    for arguments in [
        &[][..],
        &["--extension", "0xfe01"],
        &["--extension", "65282"],
    ] {
        session.run("decode", &folder, arguments, hex::encode(&hello).as_bytes());
    }
    insta::assert_snapshot!(session.0);
}

/// A connection as the one deployment has it: the flag under 0xfe01, and the secrets in the capture.
#[test]
fn a_capture_with_the_flag_under_another_number() {
    let experiment = ExtensionType::EARLY_EXPERIMENT;
    let flag = || testing::extension(experiment, &hex::decode(FLAG_80).unwrap());
    let mut forge = Forge::new(CipherSuite::TLS13_AES_128_GCM_SHA256);
    forge.client_hello(&[flag()]).server_hello(&[]);
    let encrypted = testing::extensions(&[testing::extension(experiment, &[])]);
    let request = [&[0][..], &testing::extensions(&[flag()])].concat();
    let flight = [
        testing::message(HandshakeType::ENCRYPTED_EXTENSIONS, &encrypted),
        testing::message(HandshakeType::CERTIFICATE_REQUEST, &request),
    ];
    forge.messages(Side::Server, Epoch::Handshake, &flight.concat());
    let file = capture(&[("deployed", &forge.recording)], &forge.log());
    let folder = Folder::new().with("deployed.pcapng", file);
    let mut session = Session::default();
    session.run("decode", &folder, &["deployed.pcapng"], b"");
    session.run(
        "decode",
        &folder,
        &["deployed.pcapng", "--extension", "0xfe01"],
        b"",
    );
    insta::assert_snapshot!(session.0);
}

#[test]
fn input_that_cannot_be_read() {
    let whole = hello(&[both_versions()]);
    let mut malformed = whole.clone();
    malformed[4 + 35] = 0xff;
    let server_hello = record(22, &[2, 0, 0, 0]);
    let (mut session, folder) = (Session::default(), Folder::new());
    for (arguments, stdin) in [
        (&[][..], &b""[..]),
        (&["0b 0?"], b""),
        (&["0b0"], b""),
        (&["xyzzy"], b""),
        (&["nowhere.pcapng"], b""),
        (&["--as", "capture"], b"0101"),
        (&["--as", "capture"], &[0xff; 4]),
        (&["--as", "client-hello", "0101"], b""),
        (&["--as", "client-hello", "0201"], b""),
        (&[], &whole[..50]),
        (&[], &record(22, &whole)[..30]),
        (&[], &record(22, &whole[..30])),
        (&[], &malformed),
        (&[], &server_hello),
        (&[], &[0x89; 300]),
        (&["--key-log", "keys.txt", "00"], b""),
        (&["--as", "hello", "00"], b""),
        (&["--flag", "2040", "00"], b""),
        (&["--extension", "65536", "00"], b""),
    ] {
        session.run("decode", &folder, arguments, stdin);
    }
    insta::assert_snapshot!(session.0);
}

/// A connection of an earlier run: the flag set, the client authenticated.
fn sample() -> reqmtls_observer::capture::Capture {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/authenticated.pcapng");
    reqmtls_observer::capture::read(&fs::read(path).unwrap()).unwrap()
}

/// These connections as a capture.
fn capture(connections: &[(&str, &Recording)], secrets: &KeyLog) -> Vec<u8> {
    reqmtls_observer::capture::write(connections.iter().copied(), secrets, Duration::ZERO).unwrap()
}

#[test]
fn a_capture_with_secrets_inside_beside_and_without() {
    let sample = sample();
    let recording = &sample.connections[0].recording;
    let connections = [("authenticated", recording)];
    let text = sample.secrets.to_string();
    let client = text
        .lines()
        .filter(|line| line.contains("CLIENT_HANDSHAKE"));
    let folder = Folder::new()
        .with("with.pcapng", capture(&connections, &sample.secrets))
        .with("without.pcapng", capture(&connections, &KeyLog::default()))
        .with("keys.txt", &text)
        .with("one-key.txt", client.collect::<String>());
    let mut session = Session::default();
    session.run("decode", &folder, &["with.pcapng"], b"");
    session.run(
        "decode",
        &folder,
        &["without.pcapng", "--key-log", "keys.txt"],
        b"",
    );
    session.run(
        "decode",
        &folder,
        &["without.pcapng", "--key-log", "one-key.txt"],
        b"",
    );
    session.run("decode", &folder, &["without.pcapng"], b"");
    insta::assert_snapshot!(session.0);
}

/// A connection in clear: a ClientHello, and an alert that refuses it.
fn refused(hello: &[u8]) -> Recording {
    let mut recording = Recording::new();
    recording.data(Duration::ZERO, Side::Client, record(22, hello));
    recording.data(Duration::ZERO, Side::Server, record(21, &[2, 47]));
    recording.half_close(Duration::ZERO, Side::Server);
    recording.reset(Duration::ZERO, Side::Client);
    recording
}

#[test]
fn a_capture_with_malformed_flags_and_other_protocols() {
    let malformed = refused(&hello(&[both_versions(), tls_flags("020100")]));
    let fine = refused(&hello(&[both_versions(), tls_flags("0101")]));
    let mut http = Recording::new();
    http.data(Duration::ZERO, Side::Client, &b"GET / HTTP/1.1\r\n"[..]);
    let secrets = KeyLog::default();
    let connections = [("malformed", &malformed), ("http", &http), ("fine", &fine)];
    let folder = Folder::new()
        .with("mixed.pcapng", capture(&connections, &secrets))
        .with("http.pcapng", capture(&[("http", &http)], &secrets));
    let mut session = Session::default();
    session.run("decode", &folder, &["mixed.pcapng"], b"");
    session.run("decode", &folder, &["http.pcapng"], b"");
    insta::assert_snapshot!(session.0);
}

#[test]
fn captures_and_key_logs_that_cannot_be_read() {
    let sample = sample();
    let connections = [("authenticated", &sample.connections[0].recording)];
    let whole = capture(&connections, &sample.secrets);
    let folder = Folder::new()
        .with("cut.pcapng", &whole[..whole.len() - 7])
        .with("whole.pcapng", &whole)
        .with("keys.txt", "CLIENT_RANDOM 00\n");
    let mut session = Session::default();
    session.run("decode", &folder, &["cut.pcapng"], b"");
    session.run(
        "decode",
        &folder,
        &["whole.pcapng", "--key-log", "keys.txt"],
        b"",
    );
    session.run(
        "decode",
        &folder,
        &["whole.pcapng", "--key-log", "nowhere.txt"],
        b"",
    );
    insta::assert_snapshot!(session.0);
}
