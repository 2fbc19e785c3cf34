//! `reqmtls judge` as a user meets it: captures of runs and of others, what is known of them, every error.
//!
//! Snapshots are in `snapshots/`: the command, what it writes, and its exit code.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

#[path = "shared/session.rs"]
mod session;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use assert_cmd::Command;
use reqmtls::judge::{Knowledge, Psk};
use reqmtls::report::replay;
use reqmtls::run::{Event, Label};
use reqmtls_contract::{Policy, Revision};
use reqmtls_observer::capture::{self, Writer};
use reqmtls_observer::testing::{self, Forge};
use reqmtls_observer::{
    Alert, AlertDescription, AlertLevel, CipherSuite, Epoch, ExtensionType, HandshakeType, KeyLog,
    Recording, Side,
};
use serde_json::Value;
use session::{Folder, Session};

/// Runs `reqmtls judge` with `--json`: its lines and exit code.
fn judged(folder: &Path, arguments: &[&str]) -> (Vec<Value>, i32) {
    let output = Command::cargo_bin("reqmtls")
        .unwrap()
        .current_dir(folder)
        .args(["judge", "--json"])
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    (lines.collect(), output.status.code().unwrap())
}

/// A ruling in a few words.
type Short = (String, String, String, Option<String>);

/// Id, side, verdict and message of each ruling of a line.
fn rulings(line: &Value) -> Vec<Short> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let rulings = line["rulings"].as_array().unwrap().iter();
    let short = |it: &Value| {
        let [id, side, verdict] = ["id", "side", "verdict"].map(|key| text(&it[key]).unwrap());
        (id, side, verdict, text(&it["message"]))
    };
    rulings.map(short).collect()
}

#[test]
fn the_capture_of_a_run_is_judged_as_the_run_was() {
    let results = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut run = Command::cargo_bin("reqmtls").unwrap();
    run.arg("--root").arg(root).arg("run");
    run.args(["--client", "rustls", "--server", "rustls", "--results"]);
    run.arg(results.path()).output().unwrap();
    let latest = results.path().join("latest");
    let mut expected = BTreeMap::new();
    replay(&latest.join("result.jsonl"), |event| {
        let Event::Cell(cell, _) = event else { return };
        for connection in &cell.connections {
            let mut name = format!("{} {}", cell.case, cell.pairing());
            if connection.label != Label::Only {
                name = format!("{name} {}", connection.label);
            }
            let rulings = connection.rulings.iter().map(|ruling| {
                let verdict = serde_json::to_value(&ruling.verdict).unwrap();
                let verdict = match &verdict {
                    Value::Object(keys) => keys.keys().next().unwrap().clone(),
                    word => word.as_str().unwrap().to_owned(),
                };
                let (id, side) = (ruling.requirement.to_string(), ruling.party.to_string());
                (id, side, verdict, ruling.message.clone())
            });
            let rulings: Vec<Short> = rulings.collect();
            // What nothing is judged of has no line.
            if !rulings.is_empty() {
                assert_eq!(expected.insert(name, rulings), None);
            }
        }
    })
    .unwrap();
    let (lines, code) = judged(&latest, &["run.pcapng"]);
    let got: BTreeMap<_, _> = lines
        .iter()
        .map(|line| {
            let name = line["connection"].as_str().unwrap();
            (name.to_owned(), rulings(line))
        })
        .collect();
    assert_eq!(got.len(), lines.len(), "each connection has its own name");
    assert!(got.len() > 300, "{} connections", got.len());
    for (name, rulings) in &expected {
        assert_eq!(got.get(name), Some(rulings), "{name}");
    }
    assert_eq!(got.len(), expected.len());
    assert_eq!(code, 1, "misbehaving ends violate requirements");
}

const REQUEST_MTLS: [u8; 12] = [11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// A forged connection.
#[derive(Default)]
struct Story {
    /// The extension of ClientHello that carries the flag.
    carrier: Option<ExtensionType>,
    /// What is unlike a handshake in which the client authenticates.
    unlike: &'static [Unlike],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unlike {
    /// CertificateRequest carries the flag as well.
    Acknowledged,
    /// The client has no certificate to send.
    Empty,
    /// The server takes a pre-shared key, and asks for a certificate after the handshake.
    PreShared,
    /// The client closes without `close_notify`.
    Silent,
}

impl Story {
    fn forge(&self) -> Forge {
        use Epoch::{Application, Handshake};
        use Side::{Client, Server};
        let is = |unlike| self.unlike.contains(&unlike);
        let message = |kind: u8, body: &[u8]| testing::message(HandshakeType(kind), body);
        let flag = |carrier| testing::extension(carrier, &REQUEST_MTLS);
        let psk = || testing::extension(ExtensionType::PRE_SHARED_KEY, &[0, 0]);
        let flagged = self.carrier.map(flag);
        let algorithms = testing::extension(ExtensionType::SIGNATURE_ALGORITHMS, &[0, 2, 8, 4]);
        let mut hello = vec![algorithms.clone()];
        hello.extend(flagged.clone());
        hello.extend(is(Unlike::PreShared).then(psk));
        let mut chosen = Vec::new();
        chosen.extend(is(Unlike::PreShared).then(psk));
        let mut asked = vec![algorithms];
        asked.extend(flagged.filter(|_| is(Unlike::Acknowledged)));
        let request = [&[0][..], &testing::extensions(&asked)].concat();
        let certificate: &[u8] = &[0, 0, 0, 6, 0, 0, 1, 5, 0, 0];
        let verify: &[u8] = &[8, 4, 0, 1, 9];
        let mut flight = message(8, &testing::extensions(&[]));
        if !is(Unlike::PreShared) {
            flight.extend(message(13, &request));
            flight.extend(message(11, certificate));
            flight.extend(message(15, verify));
        }
        flight.extend(message(20, &[7; 32]));
        let mut answer = Vec::new();
        if !is(Unlike::PreShared) {
            let sent = if is(Unlike::Empty) {
                &[0; 4]
            } else {
                certificate
            };
            answer.extend(message(11, sent));
        }
        if !is(Unlike::PreShared) && !is(Unlike::Empty) {
            answer.extend(message(15, verify));
        }
        answer.extend(message(20, &[7; 32]));
        let close = Alert {
            level: AlertLevel::WARNING,
            description: AlertDescription::CLOSE_NOTIFY,
        };
        let mut forge = Forge::new(CipherSuite::TLS13_AES_128_GCM_SHA256);
        forge.client_hello(&hello).server_hello(&chosen);
        forge
            .messages(Server, Handshake, &flight)
            .messages(Client, Handshake, &answer)
            .data(Client, Application, b"GET /")
            .data(Server, Application, b"200 OK");
        if is(Unlike::PreShared) {
            let late = [&[1, 9][..], &request[1..]].concat();
            forge.messages(Server, Application, &message(13, &late));
        }
        if !is(Unlike::Silent) {
            forge.alert(Client, Application, close);
        }
        forge
            .half_close(Client)
            .alert(Server, Application, close)
            .half_close(Server);
        forge
    }

    /// A folder with this connection as `it.pcapng`.
    fn folder(&self) -> Folder {
        let forge = self.forge();
        Folder::new().with("it.pcapng", file(&forge.recording, &forge.log()))
    }
}

fn file(recording: &Recording, secrets: &KeyLog) -> Vec<u8> {
    capture::write([("it", recording)], secrets, Duration::ZERO).unwrap()
}

/// As the one published capture of such a handshake has it: the flag under 0xfe01, the client authenticated, and
/// closing without `close_notify`.
#[test]
fn the_deployed_number_is_detected_and_its_connection_judged() {
    let folder = Story {
        carrier: Some(ExtensionType::EARLY_EXPERIMENT),
        unlike: &[Unlike::Silent],
    }
    .folder();
    let mut session = Session::default();
    session.run("judge", &folder, &["it.pcapng"], b"");
    session.run("decode", &folder, &["it.pcapng"], b"");
    let known = ["it.pcapng", "--server-policy", "require-on-flag"];
    let known = [
        &known[..],
        &["--client-knows-flags", "--client-has-certificate"],
    ]
    .concat();
    session.run("judge", &folder, &known, b"");
    session.run("judge", &folder, &["it.pcapng", "--extension", "62"], b"");
    insta::assert_snapshot!(session.0);
}

/// The ids of what is judged with these options, with side and verdict.
fn with(story: &Story, options: &[&str]) -> Vec<String> {
    let folder = story.folder();
    let (lines, _) = judged(folder.path(), &[&["it.pcapng"], options].concat());
    let rulings = rulings(&lines[0]).into_iter();
    let words = rulings.map(|(id, side, verdict, _)| format!("{id} {side} {verdict}"));
    words.collect()
}

#[test]
fn each_option_changes_what_is_judged() {
    let assigned = || Story {
        carrier: Some(ExtensionType::TLS_FLAGS),
        ..Story::default()
    };
    let unflagged = Story::default();
    let empty = Story {
        unlike: &[Unlike::Empty],
        ..assigned()
    };
    let acknowledged = Story {
        unlike: &[Unlike::Acknowledged],
        ..assigned()
    };
    let pre_shared = Story {
        unlike: &[Unlike::PreShared],
        ..Story::default()
    };
    // What is judged with the options, and with none or with the other value.
    let cases: [(&Story, &[&str], &str, &[&str]); 9] = [
        (
            &assigned(),
            &["--server-policy=require-on-flag"],
            "RM-5 server satisfied",
            &[],
        ),
        (
            &unflagged,
            &["--server-policy", "request-on-flag"],
            "RM-5 server violated",
            &["--server-policy", "request"],
        ),
        (
            &empty,
            &["--client-has-certificate"],
            "TLS-2 client informational",
            &["--client-has-certificate=false"],
        ),
        (
            &assigned(),
            &["--server-knows-flags=false"],
            "TLS-13 server satisfied",
            &[],
        ),
        (
            &acknowledged,
            &["--client-knows-flags", "--flag", "81"],
            "TF-8 client satisfied",
            &["--client-knows-flags=false", "--flag", "81"],
        ),
        (
            &acknowledged,
            &["--revision", "editors-copy"],
            "RCA-1 server tension",
            &[],
        ),
        (
            &assigned(),
            &["--flag", "80"],
            "RM-1 server informational",
            &["--flag", "81"],
        ),
        (
            &assigned(),
            &["--extension", "0x3e"],
            "TF-1 client satisfied",
            &["--extension", "0xfe01"],
        ),
        (
            &pre_shared,
            &["--psk", "external"],
            "TLS-1 server violated",
            &["--psk", "resumption"],
        ),
    ];
    for (story, options, expected, others) in cases {
        let (got, other) = (with(story, options), with(story, others));
        let is_there = |all: &[String]| all.iter().any(|it| it == expected);
        assert!(
            is_there(&got),
            "{options:?}: expected {expected} in {got:?}"
        );
        assert!(
            !is_there(&other),
            "{others:?}: expected no {expected} in {other:?}"
        );
    }
}

#[test]
fn what_the_capture_says_is_known_and_options_win_over_it() {
    let forge = Story {
        carrier: Some(ExtensionType::EARLY_EXPERIMENT),
        ..Story::default()
    }
    .forge();
    let mut knowledge = Knowledge::none(80, Revision::EditorsCopy);
    knowledge.extension = ExtensionType::EARLY_EXPERIMENT.0;
    knowledge.client.knows_flags = Some(true);
    knowledge.policy = Some(Policy::RequireOnFlag);
    knowledge.psk = Some(Psk::Resumption);
    let write = |note: &str| {
        let mut writer = Writer::new(Vec::new(), Duration::ZERO).unwrap();
        writer.secrets(&forge.log()).unwrap();
        writer.connection("it", note, &forge.recording).unwrap();
        writer.into_inner()
    };
    let noted = serde_json::to_string(&knowledge).unwrap();
    let folder = Folder::new()
        .with("noted.pcapng", write(&noted))
        .with("other.pcapng", write("{\"flag\":80}"))
        .with("comment.pcapng", write("seen on Monday"));
    let (lines, _) = judged(folder.path(), &["noted.pcapng"]);
    assert_eq!(
        lines[0]["knowledge"],
        serde_json::to_value(&knowledge).unwrap()
    );
    let options = [
        "--client-knows-flags=false",
        "--server-policy=never",
        "--psk=external",
    ];
    let numbers = ["--extension=62", "--flag=7", "--revision=draft-02"];
    let arguments = [&["noted.pcapng"][..], &options, &numbers].concat();
    let (lines, _) = judged(folder.path(), &arguments);
    let expected = serde_json::json!({
        "extension": 62, "flag": 7, "revision": "draft-02", "client": {"knows_flags": false},
        "server": {}, "policy": "never", "psk": "external",
    });
    assert_eq!(lines[0]["knowledge"], expected);
    let mut session = Session::default();
    session.run("judge", &folder, &["other.pcapng"], b"");
    let unused = "! what the capture says of it is not used: missing field `extension`";
    assert!(session.0.contains(unused), "{}", session.0);
    let mut session = Session::default();
    session.run("judge", &folder, &["comment.pcapng"], b"");
    assert!(!session.0.contains("not used"), "{}", session.0);
}

#[test]
fn a_line_of_json_has_file_connection_and_rulings() {
    let folder = Story::default().folder();
    let (lines, code) = judged(folder.path(), &["it.pcapng"]);
    let [line] = &lines[..] else {
        panic!("{lines:?}")
    };
    assert_eq!(
        (&line["file"], &line["connection"]),
        (&"it.pcapng".into(), &"it".into())
    );
    assert_eq!((&line["whole"], code), (&true.into(), 0));
    let ruling = serde_json::json!({
        "id": "TLS-1", "level": "MUST", "side": "server", "verdict": "satisfied",
        "message": "S  {CertificateRequest}",
        "got": "CertificateRequest right after EncryptedExtensions",
    });
    let rulings = line["rulings"].as_array().unwrap();
    assert!(rulings.contains(&ruling), "{rulings:?}");
}

#[test]
fn a_stdout_that_nobody_reads_makes_no_good_verdict() {
    let folder = Story::default().folder();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut judge = std::process::Command::new(assert_cmd::cargo::cargo_bin!("reqmtls"));
    let judge = judge
        .current_dir(folder.path())
        .args(["judge", "it.pcapng"]);
    assert_eq!(judge.stdout(writer).status().unwrap().code(), Some(2));
}

#[test]
fn secrets_may_be_beside_the_capture_or_lacking() {
    let forge = Story::default().forge();
    let without = file(&forge.recording, &KeyLog::default());
    let folder = Folder::new()
        .with("it.pcapng", without)
        .with("keys.txt", forge.log().to_string());
    let (lines, code) = judged(folder.path(), &["it.pcapng", "--key-log", "keys.txt"]);
    assert_eq!((&lines[0]["whole"], code), (&true.into(), 0));
    let mut session = Session::default();
    session.run("judge", &folder, &["it.pcapng"], b"");
    insta::assert_snapshot!(session.0);
}

#[test]
fn input_that_cannot_be_judged() {
    let forge = Story::default().forge();
    let whole = file(&forge.recording, &forge.log());
    let mut http = Recording::new();
    http.data(Duration::ZERO, Side::Client, &b"GET / HTTP/1.1\r\n"[..]);
    let mut older = Forge::tls12(CipherSuite(0xc02f));
    older.client_hello(&[]).server_hello(&[]);
    let none: [(&str, &Recording); 0] = [];
    let no_secrets = KeyLog::default();
    let empty = capture::write(none, &no_secrets, Duration::ZERO).unwrap();
    let folder = Folder::new()
        .with("cut.pcapng", &whole[..whole.len() - 7])
        .with("whole.pcapng", &whole)
        .with("nothing.pcapng", b"")
        .with("text.pcapng", "SSLKEYLOGFILE")
        .with("empty.pcapng", empty)
        .with("http.pcapng", file(&http, &no_secrets))
        .with("older.pcapng", file(&older.recording, &older.log()))
        .with("keys.txt", "CLIENT_RANDOM 00\n")
        .with("keys.bin", [0xff; 9]);
    let huge = File::create(folder.path().join("huge.pcapng")).unwrap();
    huge.set_len((1 << 30) + 1).unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    let mut session = Session::default();
    for (arguments, stdin) in [
        (&["cut.pcapng"][..], &b""[..]),
        (&["nothing.pcapng"], b""),
        (&["text.pcapng"], b""),
        (&["-"], b"neither"),
        (&["huge.pcapng"], b""),
        (&["folder"], b""),
        (&["nowhere.pcapng"], b""),
        (&["whole.pcapng", "--key-log", "keys.txt"], b""),
        (&["whole.pcapng", "--key-log", "keys.bin"], b""),
        (&["whole.pcapng", "--server-policy", "sometimes"], b""),
        (&["whole.pcapng", "--psk", "stolen"], b""),
        (&["whole.pcapng", "--client-knows-flags=maybe"], b""),
        (&[], b""),
        (&["empty.pcapng"], b""),
        (&["http.pcapng"], b""),
        (&["older.pcapng"], b""),
    ] {
        let code = session.run("judge", &folder, arguments, stdin);
        assert!([2, 4].contains(&code), "{}", session.0);
    }
    insta::assert_snapshot!(session.0);
}
