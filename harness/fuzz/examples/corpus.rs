//! Fills the corpora from the result of a run and the scenario files. What is written holds no secret of
//! the run: see `README.md`.
//!
//! ```text
//! cargo run --release -- run && cd harness/fuzz && cargo run --example corpus
//! ```

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use reqmtls_contract::{
    Ask, CipherSuite, Description, Group, Hex, Identity, Job, Open, Policy, Reply, Report, Side,
    Setup, Version,
};
use reqmtls_fuzz::{Keyed, Step, Story};
use reqmtls_observer::{Content, Ending, Entry, Epoch, Recording, Side, Transcript, What};
use serde::Serialize;
use serde_json::{Value, json};

/// Stands for whatever a client random or a secret of the run was.
const PATTERN: &str = "c1";

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let result = root.join("results/latest/result.json");
    let text = fs::read_to_string(&result).with_context(|| {
        format!(
            "cannot read {}: `cargo run --release -- run` writes it",
            result.display()
        )
    })?;
    let result: Value = serde_json::from_str(&text)?;
    let cells = cells(&result)?;
    write(
        "records",
        cells
            .iter()
            .flat_map(|cell| [story(&cell.transcript), as_recorded(&cell.recording)]),
    )?;
    write("handshake_messages", messages(&cells))?;
    write("tls_flags", flags(&cells))?;
    write("key_log", key_logs(&cells))?;
    write("scenario", scenarios(&root.join("scenarios"))?)?;
    write("contract", lines(&result, &cells)?)
}

/// What the corpora take of one cell.
struct Cell {
    transcript: Transcript,
    recording: Recording,
    reports: [Report; 2],
}

/// The cells of a result that have a transcript, the first of each text.
fn cells(result: &Value) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    let mut texts = BTreeSet::new();
    let entries = |value: &Value| value.as_object().cloned().unwrap_or_default();
    for (_, scenario) in entries(&result["scenarios"]) {
        for (_, of_case) in entries(&scenario["cases"]) {
            for (_, cell) in entries(&of_case) {
                if cell["transcript"].is_null() || !texts.insert(cell["text"].to_string()) {
                    continue;
                }
                cells.push(Cell {
                    transcript: serde_json::from_value(cell["transcript"].clone())?,
                    recording: serde_json::from_value(cell["recording"].clone())?,
                    reports: [
                        report(&cell["client_report"])?,
                        report(&cell["server_report"])?,
                    ],
                });
            }
        }
    }
    Ok(cells)
}

/// A report without the secrets in its key log.
fn report(value: &Value) -> Result<Report> {
    let mut report: Report = serde_json::from_value(value.clone())?;
    for line in report
        .connections
        .iter_mut()
        .flat_map(|connection| &mut connection.key_log)
    {
        *line = without_secrets(line);
    }
    Ok(report)
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
        Content::Message(_) => (22, entry.raw.to_vec()),
        Content::Alert(_) => (21, entry.raw.to_vec()),
        Content::ChangeCipherSpec => (20, vec![1]),
        Content::ApplicationData { len } | Content::Opaque { len, .. } => (23, vec![b'a'; *len]),
        Content::Malformed { content_type } => (content_type.0, entry.raw.to_vec()),
    };
    let keyed = match entry.epoch {
        Epoch::Plaintext => {
            let [high, low] = u16::try_from(content.len())
                .unwrap_or(u16::MAX)
                .to_be_bytes();
            return Step::Data([&[content_type, 3, 3, high, low], &content[..]].concat());
        }
        Epoch::EarlyData => Keyed::Early,
        Epoch::Handshake => Keyed::Handshake,
        Epoch::Application => Keyed::Application,
    };
    Step::Sealed(keyed, [&content[..], &[content_type]].concat())
}

/// A connection octet for octet; without its secrets most of it stays opaque.
fn as_recorded(recording: &Recording) -> Vec<u8> {
    let steps = recording.events().iter().map(|event| {
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

fn messages(cells: &[Cell]) -> Vec<Vec<u8>> {
    let entries = cells.iter().flat_map(|cell| &cell.transcript.entries);
    let messages = entries.filter(|entry| entry.message().is_some());
    messages
        .flat_map(|entry| {
            [0, 1].map(|version| [&[version, entry.raw[0]], &entry.raw[4..]].concat())
        })
        .collect()
}

/// The values that clients sent, and one of each kind that is malformed.
fn flags(cells: &[Cell]) -> Vec<Vec<u8>> {
    let messages = cells
        .iter()
        .flat_map(|cell| cell.transcript.messages(Side::Client));
    let extensions = messages.flat_map(reqmtls_observer::HandshakeMessage::extensions);
    let sent = extensions.filter(|extension| extension.tls_flags().is_some());
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

fn key_logs(cells: &[Cell]) -> Vec<Vec<u8>> {
    let connections = cells
        .iter()
        .flat_map(|cell| &cell.reports)
        .flat_map(|report| &report.connections);
    let mut logs: Vec<_> = connections
        .map(|connection| connection.key_log.join("\n").into_bytes())
        .collect();
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
fn lines(result: &Value, cells: &[Cell]) -> Result<Vec<Vec<u8>>> {
    let mut lines = Vec::new();
    let mut add = |value: Value| lines.push(format!("{value}\n").into_bytes());
    let job = "a".to_owned();
    add(json(&Open::Control { reqmtls: 1 })?);
    add(json(&Open::Tls {
        reqmtls: 1,
        job: job.clone(),
        connection: 0,
    })?);
    add(json!({ "ask": "describe" }));
    add(json!({ "ask": "hold" }));
    add(json(&Ask::Report { job })?);
    for role in [Side::Client, Side::Server] {
        let job = json(&full_job(role))?;
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
    for peer in result["peers"]
        .as_object()
        .into_iter()
        .flat_map(serde_json::Map::values)
    {
        let names = ["reqmtls", "name", "library", "capabilities"];
        let found = names.map(|name| (name.to_owned(), peer[name].clone()));
        let description = Value::Object(found.into_iter().collect());
        let description: Description = serde_json::from_value(description)?;
        add(json(&description)?);
        add(json(&Reply::Description(description))?);
    }
    for report in cells.iter().flat_map(|cell| &cell.reports) {
        for connection in &report.connections {
            add(json(connection)?);
            if let Some(answer) = &connection.answer {
                add(json(answer)?);
            }
        }
        add(json(&Reply::Report(report.clone()))?);
    }
    Ok(lines)
}

/// A job that names everything that a job may name; its PEM is none.
fn full_job(role: Side) -> Job {
    let setup = Setup {
        versions: Version::ALL.to_vec(),
        groups: Group::ALL.to_vec(),
        cipher_suites: CipherSuite::ALL.to_vec(),
        tls_flags: Some(Hex(vec![11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])),
        flag: Some(80),
        policy: Some(Policy::RequestOnFlag),
        identity: Some(Identity {
            certificates: "certificates".to_owned(),
            private_key: "none".to_owned(),
        }),
        trust_anchors: Some("anchors".to_owned()),
        server_name: Some("server.example".to_owned()),
        deadline_ms: Some(10_000),
    };
    Job {
        id: "a".to_owned(),
        role,
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
