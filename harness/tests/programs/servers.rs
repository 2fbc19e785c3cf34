//! Servers that people run and Debian has, under each policy: `reqmtls programs NAME` says what the machine shows.

use crate::{copy, is_there, programs};

const OFF: &str = "asks nobody for a certificate, neither with the flag nor without";
const OPTIONAL: &str =
    "asks every client, with the flag and without; goes on with clients without certificate";
const REQUIRED: &str = "asks every client, with the flag and without; refuses clients without certificate by \
                        certificate_required(116)";
const IGNORES: &str = "malformed flags: ignores them, as a server that does not know the extension does; flags that \
                       are not assigned change nothing";

/// The first sentence under each policy, and in each the second.
fn shows(name: &str, expected: &[(&str, &str)]) {
    if !is_there(name) {
        return;
    }
    let root = copy();
    let (code, out, err) = programs(root.path(), &[name]);
    assert_eq!(code, 0, "{out}{err}");
    let mut lines = out.lines().skip(1).map(str::trim_start).peekable();
    for (policy, first) in expected {
        let mut next = || lines.next().unwrap_or_default();
        assert_eq!(
            (next(), next(), next()),
            (*policy, *first, IGNORES),
            "{out}"
        );
        let is_policy = |line: &&str| expected.iter().any(|(policy, _)| policy == line);
        while lines.next_if(|line| !is_policy(line)).is_some() {}
    }
    assert_eq!(lines.next(), None, "{out}");
}

/// A test for each server: what it shows under off, optional and required.
macro_rules! servers {
    ($($test:ident: $name:literal, $expected:expr;)+) => {$(
        #[test]
        fn $test() {
            shows($name, &$expected);
        }
    )+};
}

const ALL: [(&str, &str); 3] = [("off", OFF), ("optional", OPTIONAL), ("required", REQUIRED)];

servers! {
    apache: "apache", ALL;
    gnutls_serv: "gnutls-serv", ALL;
    haproxy: "haproxy", ALL;
    hitch: "hitch", ALL;
    lighttpd: "lighttpd", ALL;
    stunnel: "stunnel", ALL;
    openssl_s_server: "openssl-s-server", ALL;
    python_ssl: "python-ssl", ALL;
    node_https: "node-https-server", ALL;
    mosquitto: "mosquitto", [("off", OFF), ("required", REQUIRED)];
    postgresql: "postgresql", [("off", OFF), ("optional", OPTIONAL)];
    // It completes TLS and answers HTTP 400.
    nginx: "nginx", [("off", OFF), ("optional", OPTIONAL), ("required", OPTIONAL)];
    caddy: "caddy", [
        ("off", OFF),
        ("optional", OPTIONAL),
        (
            "required",
            "asks every client, with the flag and without; refuses clients without certificate by bad_certificate(42)",
        ),
    ];
}
