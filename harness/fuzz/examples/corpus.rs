//! Fills the corpora from the capture and the result of a run and from the scenario files. What is written
//! holds no secret of the run: see `README.md`.
//!
//! ```text
//! cargo run --release -- run && cd harness/fuzz && cargo run --example corpus
//! ```

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use reqmtls_contract::{
    Ask, CipherSuite, ConnectionReport, Description, Edit, Group, Hex, Identity, Job, Keys,
    Message, Open, Policy, Reply, Report, Resumption, Revision, Sessions, Setup, Version,
};
use reqmtls_fuzz::{Step, Story};
use reqmtls_observer::capture::{self, Connection};
use reqmtls_observer::testing::record;
use reqmtls_observer::{
    Content, ContentType, Ending, Entry, Epoch, HandshakeMessage, Side, Transcript, What,
};
use serde::Serialize;
use serde_json::{Value, json};

/// Stands for whatever a client random or a secret of the run was.
const PATTERN: &str = "c1";

/// `tls_flags` with the request mTLS flag.
const FLAG_80: [u8; 12] = [11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let latest = root.join("results/latest");
    let connections = connections(&read(&latest.join("run.pcapng"))?)?;
    let result = serde_json::Deserializer::from_slice(&read(&latest.join("result.jsonl"))?)
        .into_iter::<Value>()
        .collect::<Result<Value, _>>()?;
    let reports = reports(&result)?;
    write(
        "records",
        connections
            .iter()
            .flat_map(|(connection, transcript)| [story(transcript), as_recorded(connection)]),
    )?;
    write("handshake_messages", messages(&connections))?;
    write("tls_flags", flags(&connections))?;
    write("key_log", key_logs(&reports))?;
    write("scenario", scenarios(&root.join("scenarios"))?)?;
    write("contract", lines(&result, &reports)?)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| {
        format!(
            "cannot read {}: `cargo run --release -- run` writes it",
            path.display()
        )
    })
}

/// The connections of a capture, the first of each text.
fn connections(file: &[u8]) -> Result<Vec<(Connection, Transcript)>> {
    let capture = capture::read(file)?;
    let mut texts = BTreeSet::new();
    let mut connections = Vec::new();
    for connection in capture.connections {
        let transcript = Transcript::observe(&connection.recording, &capture.secrets);
        if texts.insert(transcript.text(80)) {
            connections.push((connection, transcript));
        }
    }
    ensure!(!connections.is_empty(), "the capture holds no connection");
    Ok(connections)
}

/// What the ends of the run reported, each report once and without the secrets in its key log.
fn reports(result: &Value) -> Result<Vec<ConnectionReport>> {
    let mut found = Vec::new();
    find_reports(result, &mut found);
    ensure!(!found.is_empty(), "the result holds no report of an end");
    let mut known = BTreeSet::new();
    let mut reports = Vec::new();
    for value in found {
        let mut report: ConnectionReport = serde_json::from_value(value.clone())?;
        for line in &mut report.key_log {
            *line = without_secrets(line);
        }
        if known.insert(json(&report)?.to_string()) {
            reports.push(report);
        }
    }
    Ok(reports)
}

/// Looks for reports wherever they stand.
fn find_reports<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| find_reports(value, found)),
        Value::Object(values) => {
            for (key, value) in values {
                match &key[..] {
                    "client_report" | "server_report" => found.push(value),
                    _ => find_reports(value, found),
                }
            }
        }
        _ => {}
    }
}

fn without_secrets(line: &str) -> String {
    let mut fields = line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    for field in fields.iter_mut().skip(1) {
        *field = PATTERN.repeat(field.len() / 2);
    }
    fields.join(" ")
}

/// A connection by what stood inside of its records; it goes with the secrets of the target.
fn story(transcript: &Transcript) -> Vec<u8> {
    let mut steps: Vec<_> = transcript
        .entries
        .iter()
        .map(|entry| (entry.from, step(entry)))
        .collect();
    for side in Side::BOTH {
        match transcript.ending(side) {
            Ending::Open => {}
            Ending::HalfClose => steps.push((side, Step::HalfClose)),
            Ending::Reset => steps.push((side, Step::Reset)),
        }
    }
    let key_log = Vec::new();
    Story { key_log, steps }.write()
}

fn step(entry: &Entry) -> Step {
    let (content_type, content) = match &entry.content {
        Content::Message(_) => (ContentType::HANDSHAKE, entry.raw.to_vec()),
        Content::Alert(_) => (ContentType::ALERT, entry.raw.to_vec()),
        Content::ChangeCipherSpec => (ContentType::CHANGE_CIPHER_SPEC, vec![1]),
        Content::ApplicationData { len } | Content::Opaque { len, .. } => {
            (ContentType::APPLICATION_DATA, vec![b'a'; *len])
        }
        Content::Malformed { content_type } => (*content_type, entry.raw.to_vec()),
    };
    match entry.epoch {
        Epoch::Plaintext => Step::Data(record(content_type, &content)),
        epoch => Step::Sealed(epoch, [&content[..], &[content_type.0]].concat()),
    }
}

/// A connection octet for octet; without its secrets most of it stays opaque.
fn as_recorded(connection: &Connection) -> Vec<u8> {
    let steps = connection.recording.events().iter().map(|event| {
        let step = match &event.what {
            What::Data(octets) => Step::Data(octets.to_vec()),
            What::HalfClose => Step::HalfClose,
            What::Reset => Step::Reset,
        };
        (event.from, step)
    });
    let [random, secret] = [32, 48].map(|length| PATTERN.repeat(length));
    let key_log = format!("# pattern\nCLIENT_RANDOM {random} {secret}\n").into_bytes();
    let steps = steps.collect();
    Story { key_log, steps }.write()
}

fn messages(connections: &[(Connection, Transcript)]) -> Vec<Vec<u8>> {
    let entries = connections.iter().flat_map(|(_, it)| &it.entries);
    let messages = entries.filter(|entry| entry.message().is_some());
    messages
        .flat_map(|entry| {
            [0, 1].map(|version| [&[version, entry.raw[0]], &entry.raw[4..]].concat())
        })
        .collect()
}

/// The values that clients sent, and one of each kind that is malformed.
fn flags(connections: &[(Connection, Transcript)]) -> Vec<Vec<u8>> {
    let messages = connections
        .iter()
        .flat_map(|(_, transcript)| transcript.messages(Side::Client));
    let extensions = messages.flat_map(HandshakeMessage::extensions);
    let sent = extensions.filter(|extension| extension.tls_flags(80).is_some());
    let mut values: Vec<Vec<u8>> = sent.map(|extension| extension.body.to_vec()).collect();
    values.extend([
        vec![0],
        vec![2, 1],
        vec![1, 0],
        vec![2, 1, 0],
        vec![2, 0x81, 0x40],
    ]);
    values.push(vec![255; 256]);
    values
}

fn key_logs(reports: &[ConnectionReport]) -> Vec<Vec<u8>> {
    let logs = reports.iter().map(|report| report.key_log.join("\n"));
    let mut logs: Vec<Vec<u8>> = logs.map(String::into_bytes).collect();
    let [random, secret] = [32, 48].map(|length| PATTERN.repeat(length));
    let other = "00".repeat(48);
    let line = format!("CLIENT_RANDOM {random}");
    let label = format!("CUSTOM_SECRET {random}");
    logs.push(format!("# pattern\n\n{line} {secret}\n{line} {other}\n").into_bytes());
    logs.push(
        format!("{label} {secret}\r\nEARLY_EXPORTER_MASTER_SECRET {random} {secret}\n")
            .into_bytes(),
    );
    logs.push(format!("{line} x\n").into_bytes());
    logs
}

/// Every scenario whole, cut short after each paragraph, and without each paragraph.
fn scenarios(folder: &Path) -> Result<Vec<Vec<u8>>> {
    let mut texts = Vec::new();
    let files: Result<Vec<PathBuf>, _> = fs::read_dir(folder)?
        .map(|entry| Ok::<_, std::io::Error>(entry?.path()))
        .collect();
    for path in files? {
        if path.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        let paragraphs: Vec<&str> = text.split("\n\n").collect();
        for place in 0..paragraphs.len() {
            texts.push(paragraphs[..=place].join("\n\n").into_bytes());
            let (before, after) = (&paragraphs[..place], &paragraphs[place + 1..]);
            texts.push([before, after].concat().join("\n\n").into_bytes());
        }
    }
    Ok(texts)
}

/// Every kind of line, those that hold a report or a description as the peers of the run wrote them.
fn lines(result: &Value, reports: &[ConnectionReport]) -> Result<Vec<Vec<u8>>> {
    let mut lines = Vec::new();
    let mut add = |value: Value| lines.push(format!("{value}\n").into_bytes());
    let job = "a".to_owned();
    add(json(&Open::Control { reqmtls: 2 })?);
    add(json(&Open::Tls {
        reqmtls: 2,
        job: job.clone(),
        connection: 0,
    })?);
    add(json!({ "ask": "describe" }));
    add(json!({ "ask": "hold" }));
    add(json(&Ask::Report { job })?);
    for side in Side::BOTH {
        let job = json(&full_job(side))?;
        add(job.clone());
        add(json(&Ask::Prepare { job })?);
    }
    for reply in ["prepared", "held", "open"] {
        add(json!({ "reply": reply }));
    }
    add(json(&Reply::Unsupported {
        capability: "group.x25519".to_owned(),
    })?);
    add(json(&Reply::Error {
        message: "got \"x\", expected y".to_owned(),
    })?);
    let lines_of_result = result.as_array().into_iter().flatten();
    for description in lines_of_result.filter_map(|line| line["peer"].get("description")) {
        let description: Description = serde_json::from_value(description.clone())?;
        add(json(&description)?);
        add(json(&Reply::Description(description))?);
    }
    for report in reports {
        add(json(report)?);
        if let Some(answer) = &report.answer {
            add(json(answer)?);
        }
        let connections = vec![report.clone()];
        add(json(&Reply::Report(Report { connections }))?);
    }
    Ok(lines)
}

/// A job that names everything that a job may name; its PEM is none.
fn full_job(side: Side) -> Job {
    let setup = Setup {
        versions: Version::ALL.to_vec(),
        groups: Group::ALL.to_vec(),
        cipher_suites: CipherSuite::ALL.to_vec(),
        keys: Some(Keys::Ed25519),
        revision: Some(Revision::EditorsCopy),
        tls_flags: Some(Hex(FLAG_80.to_vec())),
        flag: Some(80),
        extension: Some(62),
        policy: Some(Policy::RequestOnFlag),
        identity: Some(Identity {
            certificates: "certificates".to_owned(),
            private_key: "none".to_owned(),
        }),
        trust_anchors: Some("anchors".to_owned()),
        server_name: Some("server.example".to_owned()),
        resumption: Some(Resumption {
            tls_flags: Some(Hex(FLAG_80.to_vec())),
            early_data: true,
        }),
        sessions: Some(Sessions::Separate),
        early_data: true,
        post_handshake_auth: true,
        edits: vec![Edit {
            message: Message::EncryptedExtensions,
            extension: 62,
            data: Some(Hex(vec![1, 1])),
            last: true,
        }],
        bad_certificate_verify: true,
        deadline_ms: Some(10_000),
    };
    Job {
        id: "a".to_owned(),
        side,
        setup,
    }
}

fn json(value: &impl Serialize) -> Result<Value> {
    Ok(serde_json::to_value(value)?)
}

/// Writes the inputs of a target, each once, beside those that are there.
fn write(target: &str, inputs: impl IntoIterator<Item = Vec<u8>>) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    fs::create_dir_all(&folder)?;
    let inputs: BTreeSet<Vec<u8>> = inputs.into_iter().collect();
    for (number, input) in inputs.iter().enumerate() {
        fs::write(folder.join(format!("{number:03}")), input)?;
    }
    println!("{target}: {} inputs", inputs.len());
    Ok(())
}
