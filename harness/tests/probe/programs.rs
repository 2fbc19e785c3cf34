//! Servers that people run and Debian has, in three policies each.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqmtls::probe::Plan;
use reqmtls_contract::Revision;

use crate::servers::{material, plan, probed};

/// A program as a server. `{port}`, `{ca}`, `{cert}` and `{key}` are put in.
struct Program {
    name: &'static str,
    arguments: &'static [&'static str],
    /// What each policy adds: off, optional, required.
    policies: [&'static [&'static str]; 3],
}

const PYTHON: &str = "
import http.server, ssl, sys
port, ca, cert, key, verify = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
context.load_verify_locations(ca)
context.verify_mode = ssl.VerifyMode[verify]
class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_GET(self): self.send_response(204); self.end_headers()
class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_): pass
server = Server(('127.0.0.1', int(port)), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
";

const PROGRAMS: &[Program] = &[
    Program {
        name: "openssl",
        arguments: &[
            "s_server",
            "-quiet",
            "-www",
            "-accept",
            "127.0.0.1:{port}",
            "-cert",
            "{cert}",
            "-key",
            "{key}",
            "-CAfile",
            "{ca}",
        ],
        policies: [
            &[],
            &["-verify", "3", "-verify_return_error"],
            &["-Verify", "3", "-verify_return_error"],
        ],
    },
    Program {
        name: "python3",
        arguments: &["-c", PYTHON, "{port}", "{ca}", "{cert}", "{key}"],
        policies: [&["CERT_NONE"], &["CERT_OPTIONAL"], &["CERT_REQUIRED"]],
    },
];

/// A child that ends when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Whether a program is there; named where it is not, and an error where it has to be.
fn is_there(name: &str) -> bool {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|folder| folder.join(name).is_file());
    if !found {
        let is_required = std::env::var_os("REQMTLS_REQUIRE_PROGRAMS").is_some();
        assert!(!is_required, "{name} is not installed");
        eprintln!("skipped: {name} is not installed");
    }
    found
}

fn start(program: &Program, policy: usize, folder: &Path) -> (Running, SocketAddr) {
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .unwrap()
        .port();
    let path = |name: &str| folder.join(name).display().to_string();
    let arguments = program.arguments.iter().chain(program.policies[policy]);
    let arguments = arguments.map(|argument| {
        argument
            .replace("{port}", &port.to_string())
            .replace("{ca}", &path("ca.pem"))
            .replace("{cert}", &path("cert.pem"))
            .replace("{key}", &path("key.pem"))
    });
    let child = Command::new(program.name)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut running = Running(child);
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let start = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{} does not listen",
            program.name
        );
        if let Some(status) = running.0.try_wait().unwrap() {
            panic!("{} ended: {status}", program.name);
        }
        std::thread::yield_now();
    }
    (running, address)
}

#[tokio::test]
async fn each_policy_of_each_program_is_seen() {
    for program in PROGRAMS.iter().filter(|program| is_there(program.name)) {
        for policy in 0..3 {
            let material = material(Revision::Draft02);
            let folder = tempfile::tempdir().unwrap();
            let write = |name: &str, text: &str| {
                std::fs::write(folder.path().join(name), text).unwrap();
            };
            write("ca.pem", &material.certificates.authority);
            write("cert.pem", &material.certificates.server.certificates);
            write("key.pem", &material.certificates.server.private_key);
            let (running, address) = start(program, policy, folder.path());
            let plan = Plan {
                request: b"GET / HTTP/1.0\r\n\r\n".to_vec(),
                ..plan(address, material, true)
            };
            let (probed, judged) = probed(&plan).await.unwrap();
            drop(running);
            let name = program.name;
            assert_eq!(probed.stopped, None, "{name}");
            let verdict = &judged.verdict;
            let asks = verdict.asks.map(|it| it.to_string());
            let without = verdict.no_certificate.map(|it| it.to_string());
            let untrusted = verdict
                .certificates
                .get("untrusted")
                .map(ToString::to_string);
            let given = verdict.certificates.get("present").map(ToString::to_string);
            let got = (
                asks.as_deref(),
                without.as_deref(),
                untrusted.as_deref(),
                given.as_deref(),
            );
            let expected = match policy {
                0 => (Some("nobody"), None, None, None),
                1 => (
                    Some("everyone"),
                    Some("goes on"),
                    Some("refuses by unknown_ca(48)"),
                    Some("goes on"),
                ),
                _ => (
                    Some("everyone"),
                    Some("refuses by certificate_required(116)"),
                    Some("refuses by unknown_ca(48)"),
                    Some("goes on"),
                ),
            };
            assert_eq!(got, expected, "{name}, policy {policy}");
            assert_eq!(
                verdict.malformed.map(|it| it.to_string()).as_deref(),
                Some("ignored"),
                "{name}, policy {policy}"
            );
        }
    }
}
