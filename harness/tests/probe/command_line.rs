//! Exit codes, and what `reqmtls probe` writes.

use std::path::Path;

use assert_cmd::Command;
use reqmtls_contract::{Policy, REQUEST, Revision};
use serde_json::Value;

use crate::servers::{Server, material};

fn command(target: &str, arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("reqmtls").unwrap();
    let request = str::from_utf8(REQUEST).unwrap();
    command.args(["probe", target, "--wait", "300", "--request", request]);
    command.args(arguments);
    command
}

/// The exit code, stdout and stderr, while the server runs.
async fn run(mut command: Command) -> (Option<i32>, String, String) {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_written_of_a_server_that_violates_nothing() {
    let server = Server::reference(&material(Revision::Draft02), |setup| {
        setup.policy = Some(Policy::RequireOnFlag);
        setup.flag = Some(80);
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (junit, capture) = (path("probe.xml"), path("probe.pcapng"));
    let target = server.address.to_string();
    let (code, out, err) = run(command(
        &target,
        &["--json", "--junit", &junit, "--capture", &capture],
    ))
    .await;
    assert_eq!((code, &*err), (Some(0), ""), "{out}");
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(document["schema"], 1);
    assert_eq!(document["verdict"]["asks"], "on-flag");
    assert_eq!(document["verdict"]["malformed"], "refused");
    assert_eq!(document["server_knows_flags"], true);
    let cases = document["cases"].as_array().unwrap();
    let set = cases
        .iter()
        .find(|case| case["id"] == "request-mtls/set/absent/*")
        .unwrap();
    assert_eq!(set["connections"][0]["alert"]["number"], 116);
    assert_eq!(set["connections"][0]["asked"], true);
    let junit = std::fs::read_to_string(junit).unwrap();
    let count = format!("tests=\"{}\"", cases.len());
    assert!(
        junit.contains(&count) && junit.contains("failures=\"0\""),
        "{junit}"
    );
    judges_the_same(Path::new(&capture), cases);
}

/// The capture, judged by itself, violates nothing on the server's side and has every connection.
fn judges_the_same(capture: &Path, cases: &[Value]) {
    let output = Command::cargo_bin("reqmtls")
        .unwrap()
        .args(["judge", "--json"])
        .arg(capture)
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let connections = cases
        .iter()
        .flat_map(|case| case["connections"].as_array().unwrap());
    // Of TLS 1.2 it has those of which something can be judged.
    let all: Vec<_> = connections.collect();
    let tls13 = all.iter().filter(|it| it["tls13"] != false).count();
    assert!(
        (tls13..=all.len()).contains(&lines.lines().count()),
        "{lines}"
    );
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let mut rulings = line["rulings"].as_array().unwrap().iter();
        let violated = |it: &&Value| it["verdict"] == "violated" && it["side"] == "server";
        assert_eq!(rulings.find(violated), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_are_grouped_and_fail() {
    let server = Server::reference(&material(Revision::Draft02), |_| {}).await;
    let target = server.address.to_string();
    // A server that ignores malformed flags, of which the user says that it implements them.
    let (code, out, _) = run(command(&target, &["encoding/*", "--server-knows-flags"])).await;
    assert_eq!(code, Some(1), "{out}");
    assert!(
        out.contains("\nviolated\n  TF-4 violated, server: "),
        "{out}"
    );
    assert!(
        out.contains("    in encoding/all-zero/*/*, encoding/trailing-zero/*/*\n"),
        "{out}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_other_exit_code_has_its_reason() {
    let (code, _, err) = run(command("localhost", &[])).await;
    assert_eq!(code, Some(2));
    assert!(err.contains("got localhost, expected HOST:PORT"), "{err}");
    let (code, _, err) = run(command("127.0.0.1:1", &[])).await;
    assert_eq!(code, Some(3));
    assert!(
        err.starts_with("error: cannot connect to 127.0.0.1:1: "),
        "{err}"
    );
    let (code, _, err) = run(command("name.invalid:1", &[])).await;
    assert_eq!(code, Some(3));
    assert!(
        err.starts_with("error: cannot look up name.invalid: "),
        "{err}"
    );
    let (code, _, err) = run(command("127.0.0.1:1", &["request-mtls/set/present"])).await;
    assert_eq!((code, &*err), (Some(4), "nothing was selected\n"));
    let (code, _, err) = run(command("127.0.0.1:1", &["request-mtl"])).await;
    assert_eq!(code, Some(2));
    assert!(err.contains("did you mean"), "{err}");
}
