//! First lines, asks, and the errors that the contract promises for those that make no sense.

use std::net::SocketAddr;

use reqmtls_contract::{Description, LINE_LIMIT, Reply, Side, VERSION};
use serde_json::{Value, json};

use super::Trouble;
use super::capability::Material;
use super::line::{Line, short, unexpected};
use super::program::describe;

/// How many connections say nothing while others are served.
const SILENT: usize = 64;

/// First lines that are none of the contract's.
const FIRST_LINES: [&str; 10] = [
    "GET / HTTP/1.1",
    "{",
    "[]",
    "{}",
    r#"{"open":"data","reqmtls":2}"#,
    r#"{"open":"control"}"#,
    r#"{"open":"control","reqmtls":1}"#,
    r#"{"open":"control","reqmtls":2,"more":1}"#,
    r#"{"open":"tls","reqmtls":2,"job":"a"}"#,
    r#"{"open":"tls","reqmtls":2,"job":"a","connection":-1}"#,
];

/// Lines on a control connection that are none of the contract's.
const ASKS: [&str; 9] = [
    "who are you?",
    "[]",
    "{}",
    r#"{"ask":"stop"}"#,
    r#"{"ask":"describe","more":1}"#,
    r#"{"ask":"hold","more":1}"#,
    r#"{"ask":"report"}"#,
    r#"{"ask":"prepare"}"#,
    r#"{"ask":"report","job":"a","more":1}"#,
];

/// A first line that makes no sense is answered `error`, and the connection is closed.
pub(super) async fn refuses_first_lines(address: SocketAddr) -> Result<(), Trouble> {
    for text in FIRST_LINES {
        let mut line = Line::connect(address).await?;
        line.write_octets(format!("{text}\n").as_bytes()).await?;
        line.error(text).await?;
        closes_behind(&mut line, text).await?;
    }
    // A connection that says nothing at all is somebody who looked whether the port is open.
    drop(Line::connect(address).await?);
    Ok(())
}

/// A TLS connection of a job that does not exist is refused.
pub(super) async fn refuses_an_unknown_job(address: SocketAddr) -> Result<(), Trouble> {
    let (mut line, reply) = Line::try_tls(address, "no such job", 0).await?;
    let what = "a TLS connection of a job that does not exist";
    refused(&mut line, reply, what).await
}

async fn refused(line: &mut Line, reply: Reply, what: &str) -> Result<(), Trouble> {
    match reply {
        Reply::Error { .. } => closes_behind(line, what).await,
        other => Err(unexpected(what, &other, "error")),
    }
}

async fn closes_behind(line: &mut Line, what: &str) -> Result<(), Trouble> {
    let rest = line.end().await?;
    if rest.is_empty() {
        return Ok(());
    }
    let rest = String::from_utf8_lossy(&rest).into_owned();
    Err(format!(
        "got {:?} behind the error in reply to {what}, expected the connection to be closed",
        short(&rest)
    )
    .into())
}

/// A line may come octet by octet.
pub(super) async fn reads_slow_lines(address: SocketAddr) -> Result<(), Trouble> {
    let mut line = Line::connect(address).await?;
    let open = json!({ "open": "control", "reqmtls": VERSION }).to_string() + "\n";
    for octet in open.as_bytes() {
        line.write_octets(&[*octet]).await?;
    }
    for octet in b"{\"ask\":\"describe\"}" {
        line.write_octets(&[*octet]).await?;
    }
    line.write_octets(b"\n").await?;
    match line.reply("describe").await? {
        Reply::Description(_) => Ok(()),
        other => Err(unexpected("describe", &other, "description")),
    }
}

/// Connections that say nothing keep nobody from being served.
pub(super) async fn serves_beside_silent_connections(address: SocketAddr) -> Result<(), Trouble> {
    let mut silent = Vec::new();
    for _ in 0..SILENT {
        silent.push(Line::connect(address).await?);
    }
    let mut line = Line::control(address).await?;
    describe(&mut line).await
}

/// `describe` says what the peer is, the same whenever it is asked.
pub(super) async fn describes(address: SocketAddr) -> Result<Description, Trouble> {
    let mut line = Line::control(address).await?;
    let mut descriptions = Vec::new();
    for _ in 0..2 {
        match line.ask(&json!({ "ask": "describe" })).await? {
            Reply::Description(description) => descriptions.push(description),
            other => return Err(unexpected("describe", &other, "description")),
        }
    }
    let [first, second] = descriptions
        .try_into()
        .map_err(|_| "got no description".to_owned())?;
    if first != second {
        return Err("got two descriptions that differ, expected the same"
            .to_owned()
            .into());
    }
    if first.reqmtls != VERSION {
        return Err(format!(
            "got a description with \"reqmtls\":{}, expected {VERSION}",
            first.reqmtls
        )
        .into());
    }
    if first.name.is_empty() || first.library.is_empty() {
        return Err("got an empty name or library, expected the short name and the version string of the linked library".to_owned().into());
    }
    Ok(first)
}

/// A line that is no ask is answered `error`, and the connection may ask more.
pub(super) async fn refuses_asks(address: SocketAddr) -> Result<(), Trouble> {
    let mut line = Line::control(address).await?;
    for text in ASKS {
        line.write_octets(format!("{text}\n").as_bytes()).await?;
        line.error(text).await?;
        describe(&mut line).await?;
    }
    Ok(())
}

/// A line of more than 4 MiB is answered `error`.
pub(super) async fn refuses_long_lines(address: SocketAddr) -> Result<(), Trouble> {
    let mut line = Line::control(address).await?;
    // Not one octet more: what the peer leaves unread would reset the connection.
    line.write_octets(&vec![b' '; LINE_LIMIT]).await?;
    line.error("a line of more than 4 MiB").await
}

/// The errors of jobs: those that cannot be read, that are there already, that are not there.
pub(super) async fn refuses_jobs(
    address: SocketAddr,
    description: &Description,
    material: &Material,
) -> Result<(), Trouble> {
    let side = side(description);
    let setup = material.plain(side);
    let mut line = Line::control(address).await?;
    for job in [
        json!(7),
        json!({}),
        json!({ "id": "a", "side": side }),
        json!({ "id": 7, "side": side, "setup": setup }),
        json!({ "id": "a", "side": "both", "setup": setup }),
        json!({ "id": "a", "side": side, "setup": setup, "more": 1 }),
        json!({ "id": "a", "side": side, "setup": with(&setup, "deadline_ms", json!("soon")) }),
        json!({ "id": "a", "side": side, "setup": with(&setup, "trust_anchors", json!("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n")) }),
        json!({ "id": "a", "side": side, "setup": with(&setup, "identity", json!({ "certificates": material.valid().server.certificates, "private_key": "none" })) }),
    ] {
        let what = short(&format!("prepare of the job {job}"));
        match line.ask(&json!({ "ask": "prepare", "job": job })).await? {
            Reply::Error { .. } => {}
            other => return Err(unexpected(&what, &other, "error")),
        }
    }
    let prepare = json!({ "ask": "prepare", "job": { "id": "a", "side": side, "setup": setup } });
    let report = json!({ "ask": "report", "job": "a" });
    prepared(&mut line, &prepare).await?;
    line.write(&prepare).await?;
    line.error("prepare of a job whose id another job has")
        .await?;
    match line.ask(&report).await? {
        Reply::Report(report) if report.connections.is_empty() => {}
        other => {
            let what = "report of a job without connections";
            return Err(unexpected(what, &other, "a report with no connections"));
        }
    }
    line.write(&report).await?;
    line.error("report of a job that was reported already")
        .await?;
    // The id is free again.
    prepared(&mut line, &prepare).await
}

/// A connection number is used once.
pub(super) async fn refuses_a_second_connection_of_a_number(
    address: SocketAddr,
    description: &Description,
    material: &Material,
) -> Result<(), Trouble> {
    let mut line = Line::control(address).await?;
    let job = json!({ "id": "twice", "side": side(description), "setup": material.plain(side(description)) });
    prepared(&mut line, &json!({ "ask": "prepare", "job": job })).await?;
    let mut first = Line::tls(address, "twice", 0).await?;
    let (mut second, reply) = Line::try_tls(address, "twice", 0).await?;
    refused(&mut second, reply, "a connection number used twice").await?;
    first.close().await?;
    first.end().await?;
    match line
        .ask(&json!({ "ask": "report", "job": "twice" }))
        .await?
    {
        Reply::Report(report) if report.connections.len() == 1 => Ok(()),
        other => Err(unexpected("report", &other, "a report of one connection")),
    }
}

/// A job lives until its control connection ends.
pub(super) async fn forgets_the_jobs_of_a_connection(
    address: SocketAddr,
    description: &Description,
    material: &Material,
) -> Result<(), Trouble> {
    let mut line = Line::control(address).await?;
    let job = json!({ "id": "left", "side": side(description), "setup": material.plain(side(description)) });
    prepared(&mut line, &json!({ "ask": "prepare", "job": job })).await?;
    line.close().await?;
    line.end().await?;
    let (mut tls, reply) = Line::try_tls(address, "left", 0).await?;
    let what = "a TLS connection of a job whose control connection has ended";
    refused(&mut tls, reply, what).await
}

pub(super) async fn prepared(line: &mut Line, prepare: &Value) -> Result<(), Trouble> {
    match line.ask(prepare).await? {
        Reply::Prepared {} => Ok(()),
        other => Err(unexpected("prepare of a plain job", &other, "prepared")),
    }
}

/// The side that a peer can be, client if both.
pub(super) fn side(description: &Description) -> Side {
    let is_client = description.capabilities.has(Side::Client.as_str());
    if is_client {
        Side::Client
    } else {
        Side::Server
    }
}

/// A setup with one key more.
fn with(setup: &reqmtls_contract::Setup, key: &str, value: Value) -> Value {
    let mut setup = json!(setup);
    setup[key] = value;
    setup
}
