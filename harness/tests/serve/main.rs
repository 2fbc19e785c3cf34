//! `reqmtls serve` as a client meets it: the reference, real programs, and clients that mean harm.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod hostile;
mod peers;
mod programs;
mod serving;
#[path = "../shared/peers.rs"]
mod shared;

use std::process::Command;

use reqmtls_contract::{Hex, Setup};
use serde_json::Value;

use serving::{GET_JSON, Serving, content, flag_set, program, reference};

#[test]
fn the_flag_of_the_reference_is_seen_and_so_is_its_absence() {
    let serving = Serving::start(1, &["--once", "2"]);
    let port = serving.ports[0];
    let (report, read) = reference(&serving, port, flag_set(), GET_JSON, false);
    let page = content(&read);
    assert_eq!(page["request_mtls"], true, "{page:#} {report:?}");
    assert_eq!(page["certificate_requested"], true);
    assert_eq!(page["client_certificate"], "empty");
    assert_eq!(page["client_hellos"][0]["tls_flags"][0]["set"][0], 80);
    assert_eq!(page["findings"], Value::Array(Vec::new()), "{page:#}");
    let line = serving.next();
    assert_eq!(line["outcome"], "completed", "{line:#}");
    let transcript = line["transcript"].to_string();
    assert!(
        transcript.contains("tls_flags={request_mtls}"),
        "{transcript}"
    );

    let (_, read) = reference(&serving, port, Setup::default(), GET_JSON, false);
    let page = content(&read);
    assert_eq!(page["request_mtls"], false);
    assert_eq!(page["certificate_requested"], false);
    assert_eq!(page["client_certificate"], "nothing");
    assert_eq!(serving.ended(), 0);
}

#[test]
fn each_policy_has_its_port_and_a_person_gets_a_page() {
    let policies = [
        "--policy",
        "request@0",
        "--policy",
        "require@0",
        "--once",
        "2",
    ];
    let serving = Serving::start(2, &policies);
    let get = "GET / HTTP/1.1\r\nAccept: text/html\r\n\r\n";
    let (_, read) = reference(&serving, serving.ports[0], Setup::default(), get, false);
    assert!(read.contains("Content-Type: text/html"), "{read}");
    assert!(
        read.contains("<h1>Your client does not set the request mTLS flag</h1>"),
        "{read}"
    );
    let (report, _) = reference(&serving, serving.ports[1], Setup::default(), get, false);
    assert_eq!(report.alert_received, Some(116), "{report:?}");
    assert_eq!(serving.ended(), 0);
}

#[test]
fn a_policy_may_hold_for_a_name_that_the_client_sends() {
    let policies = [
        "--policy",
        "require.localhost=require",
        "--policy",
        "never",
        "--once",
        "2",
    ];
    let serving = Serving::start(1, &policies);
    for (name, policy, alert) in [
        ("require.localhost", "require", Some(116)),
        ("localhost", "never", None),
    ] {
        let setup = Setup {
            server_name: Some(name.to_owned()),
            ..Setup::default()
        };
        let (report, _) = reference(&serving, serving.ports[0], setup, GET_JSON, false);
        assert_eq!(report.alert_received, alert, "{name}: {report:?}");
        assert_eq!(serving.next()["knowledge"]["policy"], policy);
    }
    assert_eq!(serving.ended(), 0);
}

#[test]
fn malformed_flags_are_a_finding() {
    let serving = Serving::start(1, &["--once", "1"]);
    let setup = Setup {
        tls_flags: Some(Hex(vec![1, 0])),
        ..Setup::default()
    };
    let (report, _) = reference(&serving, serving.ports[0], setup, GET_JSON, false);
    assert!(report.alert_received.is_some(), "{report:?}");
    let line = serving.next();
    assert!(
        line["rulings"]
            .to_string()
            .contains("\"verdict\":\"violated\""),
        "{line:#}"
    );
    assert_eq!(serving.ended(), 1);
}

#[test]
fn a_misbehaving_server_is_played_and_no_finding() {
    let case = "unsolicited/unmodified/server-hello/request";
    let serving = Serving::start(1, &["--misbehave", case, "--once", "1"]);
    reference(
        &serving,
        serving.ports[0],
        Setup::default(),
        GET_JSON,
        false,
    );
    let line = serving.next();
    assert_eq!(line["knowledge"]["server"]["misbehaves"], true, "{line:#}");
    let rulings = line["rulings"].as_array().unwrap().iter();
    let mut violated = rulings.filter(|it| it["verdict"] == "violated");
    let blamed: Vec<_> = violated
        .clone()
        .filter(|it| it["side"] == "client")
        .collect();
    assert!(blamed.is_empty(), "{blamed:#?}");
    assert!(
        violated.any(|it| it["side"] == "server"),
        "{case}: {line:#}"
    );
    assert_eq!(serving.ended(), 0);
}

#[test]
fn bad_usage_is_named() {
    let run = |arguments: &[&str]| {
        let mut command = Command::new(program());
        let command = command.current_dir(env!("CARGO_MANIFEST_DIR"));
        let output = command.arg("serve").args(arguments).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), text)
    };
    for (arguments, expected) in [
        (&["--listen", "0.0.0.0:0"][..], "--any-address permits that"),
        (
            &["--misbehave", "request-mtls/set"],
            "is no case of revision draft-02",
        ),
        (
            &["--cert", "Cargo.toml", "--key", "Cargo.toml"],
            "Cargo.toml: expected PEM",
        ),
        (&["--policy", "sometimes"], "sometimes"),
        (
            &["--policy", "a.b=never", "--policy", "a.b=require"],
            "got two policies for a.b at one port, expected one",
        ),
    ] {
        let (code, text) = run(arguments);
        assert_eq!(code, 2, "{text}");
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn ctrl_c_leaves_a_whole_capture() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("serve.pcapng");
    let serving = Serving::start(1, &["--capture", path.to_str().unwrap()]);
    reference(&serving, serving.ports[0], flag_set(), GET_JSON, false);
    serving.next();
    serving.interrupt();
    assert_eq!(serving.ended(), 0);
    let judged = Command::new(program())
        .arg("judge")
        .arg(&path)
        .output()
        .unwrap();
    let text = String::from_utf8(judged.stdout).unwrap();
    assert!(
        text.contains("1 connection judged: 0 with violations, 0 of which"),
        "{text}"
    );
}
