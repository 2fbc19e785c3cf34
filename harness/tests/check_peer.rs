//! `reqmtls check-peer` on the in-tree peer, and on doubles of it that have one thing wrong.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::path::PathBuf;

use assert_cmd::Command;

/// What a check wrote.
struct Checked {
    code: i32,
    out: String,
    err: String,
}

/// The double's program: an example, which `cargo test` builds beside the tests.
fn double() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let profile = tests.parent().and_then(|deps| deps.parent()).unwrap();
    let program = profile.join("examples/double");
    assert!(
        program.is_file(),
        "{} is not built, expected cargo test without --test, or cargo build --release --examples before",
        program.display()
    );
    program
}

/// Checks the double with a fault, by the rules that contain the words; by all if there are none.
fn check(fault: &str, rules: &str) -> Checked {
    let mut command = Command::cargo_bin("reqmtls").unwrap();
    command.arg("check-peer").arg(double());
    if !rules.is_empty() {
        command.args(["--only", rules]);
    }
    let output = command.env("REQMTLS_DOUBLE", fault).output().unwrap();
    Checked {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_peer_that_follows_the_contract_passes() {
    let Checked { code, out, err } = check("", "");
    assert_eq!(code, 0, "{out}{err}");
    assert!(!out.contains("WRONG"), "{out}");
    assert!(err.contains(" 0 not, "), "{err}");
    for rule in [
        "SIGTERM",
        "client.edits",
        "server.sessions.separate",
        "twice",
    ] {
        assert!(out.contains(rule), "expected the rule on {rule} in\n{out}");
    }
}

/// Each double, by which rule it is caught, and what is said of it.
const CAUGHT: [(&str, &str, &str); 22] = [
    (
        "names another key",
        "when it listens",
        "expected one line {\"reqmtls\":2,\"listening\":\"ADDRESS:PORT\"} on stdout: unknown field `port`",
    ),
    (
        "writes more than a line",
        "nothing else ever",
        "got \"ready\\n\" on stdout, expected one line and nothing else ever",
    ),
    (
        "exits with code 3",
        "at SIGTERM",
        "got exit status: 3 after SIGTERM, expected code 0",
    ),
    (
        "is not held",
        "asked hold is reset",
        "got no exit within 10 s of the end of the connection that asked hold",
    ),
    (
        "lets everybody hold",
        "hold on a second connection",
        "got {\"reply\":\"held\"} in reply to hold on a second connection, expected error",
    ),
    (
        "speaks version 3",
        "describe is replied to",
        "got a description with \"reqmtls\":3, expected 2",
    ),
    (
        "closes in place of an error",
        "a first line that makes no sense",
        "got the end of the connection in reply to GET / HTTP/1.1",
    ),
    (
        "declares what does not exist",
        "capabilities are the contract's",
        "got capabilities that the contract does not have: client.telepathy",
    ),
    (
        "prepares everything",
        "what is declared is prepared",
        "expected unsupported with the capability \"cipher.TLS_AES_128_CCM_SHA256\"",
    ),
    (
        "names no capability",
        "a name that it does not know",
        "got {\"reply\":\"unsupported\",\"capability\":\"client\"} in reply to prepare of a job with \
         no-such-capability true, expected unsupported with the capability \"setup.no-such-capability\"",
    ),
    (
        "refuses with an error",
        "a name that it does not know",
        "got {\"reply\":\"error\",\"message\":\"cannot do that\"} in reply to prepare",
    ),
    (
        "reports more",
        "a connection number used twice",
        "unknown field `seconds`",
    ),
    (
        "resets",
        "what is no TLS is refused",
        "expected the peer to close in order",
    ),
    (
        "always completes",
        "a connection that ends before TLS has",
        "client: got outcome completed",
    ),
    (
        "hands over no key log",
        "client: handshake, request, answer",
        "the client handed over no key log lines",
    ),
    (
        "accepts every certificate, as it says",
        "server: handshake, request, answer",
        "server reported peer_certificate 0707",
    ),
    (
        "declares what it does not do",
        "client.post-handshake-auth",
        "post_handshake_auth: got none, expected \"\"",
    ),
    (
        "sends no flags",
        "client.tls-flags",
        "tls_flags in ClientHello: got none, expected \"0b0000000000000000000001\"",
    ),
    (
        "asks everybody",
        "server.policy.request-on-flag",
        "a client with flag false and certificate false: CertificateRequest: got true, expected false",
    ),
    (
        "takes malformed flags",
        "server.flag",
        "server reported tls_flags_received none, expected 0b0000000000000000000001, as on the wire",
    ),
    (
        "offers every suite",
        "cipher.TLS_AES_256_GCM_SHA384",
        "got 3 cipher suites of TLS 1.3 in ClientHello, expected TLS_AES_256_GCM_SHA384 alone",
    ),
    (
        "has a key of one kind",
        "client: keys.ed25519",
        "the scheme in CertificateVerify of the client: got none, expected one of a key for ed25519",
    ),
];

#[test]
fn a_double_is_caught_by_the_rule_that_it_breaks() {
    std::thread::scope(|scope| {
        for (fault, rule, words) in CAUGHT {
            scope.spawn(move || {
                let Checked { code, out, err } = check(fault, rule);
                assert_eq!(code, 1, "{fault}:\n{out}{err}");
                assert!(out.contains("WRONG"), "{fault}:\n{out}");
                assert!(out.contains(words), "{fault}: expected {words:?} in\n{out}");
            });
        }
    });
}

#[test]
fn the_same_rules_find_nothing_in_a_peer_without_the_fault() {
    std::thread::scope(|scope| {
        // What it does not declare is no rule for it.
        let rules = CAUGHT.map(|(_, rule, _)| rule).into_iter();
        for rule in rules.filter(|rule| *rule != "client.post-handshake-auth") {
            scope.spawn(move || {
                let Checked { code, out, err } = check("", rule);
                assert_eq!(code, 0, "{rule}:\n{out}{err}");
            });
        }
    });
}

#[test]
fn a_program_that_is_not_there_is_no_peer() {
    let mut command = Command::cargo_bin("reqmtls").unwrap();
    command.args(["check-peer", "/no/such/program"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("cannot start /no/such/program"), "{err}");
}

#[test]
fn rules_that_do_not_exist_are_nothing() {
    let Checked { code, out, err } = check("", "no rule has these words");
    assert_eq!((code, &*out), (4, ""), "{err}");
    assert!(err.contains("no rule"), "{err}");
}
