//! `reqmtls serve` as a client meets it: the reference, real programs, and clients that mean harm.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use reqmtls_contract::{Answer, ConnectionReport, Hex, Job, Setup, Side, Stream, drive, prepare};
use reqmtls_peer_rustls::{Application, Exchange, Rustls, Trust};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The most time that anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a connection of `serve` may take here, in seconds.
const TIMEOUT: &str = "2";

/// The flag alone: the octet of its number is the eleventh.
const FLAG_80: [u8; 12] = [11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// A server of its own, ended when dropped.
struct Serving {
    child: Child,
    folder: tempfile::TempDir,
    ports: Vec<u16>,
    lines: Receiver<String>,
    errors: Receiver<String>,
}

fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_reqmtls").into()
}

impl Serving {
    /// Starts it with these arguments, of which so many servers follow.
    fn start(servers: usize, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(program())
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--json",
                "--timeout",
                TIMEOUT,
            ])
            .arg("--authority")
            .arg(folder.path().join("authority.pem"))
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let errors = lines(child.stderr.take().unwrap());
        let mut ports = Vec::new();
        while ports.len() < servers {
            let line = errors.recv_timeout(PATIENCE).expect("it listens");
            if let Some((_, port)) = line.split_once(": https://localhost:") {
                ports.push(port.trim_end_matches('/').parse().unwrap());
            }
        }
        Self {
            lines: lines(child.stdout.take().unwrap()),
            child,
            folder,
            ports,
            errors,
        }
    }

    fn authority(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("authority.pem")).unwrap()
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.ports[0])).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// What it writes of the next connection that ends.
    fn next(&self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).expect("a connection");
        serde_json::from_str(&line).unwrap()
    }

    /// Waits for its end.
    fn ended(mut self) -> i32 {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().expect("an exit code");
            }
            assert!(start.elapsed() < PATIENCE, "it does not end");
            // Its stderr closes when it ends.
            drop(self.errors.recv_timeout(Duration::from_millis(50)));
        }
    }

    fn interrupt(&self) {
        let id = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        kill_process(id, Signal::INT).unwrap();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What the reference says as a client, and what it read.
#[derive(Debug)]
struct Says {
    text: Vec<u8>,
    /// Goes on until it cannot.
    endless: bool,
    read: Mutex<String>,
}

#[async_trait]
impl Exchange for Says {
    fn request(&self) -> &[u8] {
        &self.text
    }

    async fn read(&self, stream: &mut dyn Stream) -> std::io::Result<Option<Answer>> {
        while self.endless && stream.write_all(&[b'a'; 4096]).await.is_ok() {}
        let mut text = Vec::new();
        stream.read_to_end(&mut text).await?;
        *self.read.lock().unwrap() = String::from_utf8_lossy(&text).into_owned();
        stream.shutdown().await?;
        Ok(None)
    }

    async fn serve(
        &self,
        _: u32,
        _: &[u8],
        _: &mut dyn Stream,
        _: &ConnectionReport,
    ) -> std::io::Result<()> {
        unreachable!("it is a client")
    }
}

/// One connection of the reference as a client: what it reports, and what it read.
fn reference(
    serving: &Serving,
    port: u16,
    setup: Setup,
    says: &str,
    endless: bool,
) -> (ConnectionReport, String) {
    let says = Arc::new(Says {
        text: says.as_bytes().to_vec(),
        endless,
        read: Mutex::default(),
    });
    let peer = Rustls::new().with_application(Application {
        exchange: Arc::<Says>::clone(&says),
        protocols: Vec::new(),
        trust: Trust::Anchors,
    });
    let job = Job {
        id: "client".to_owned(),
        side: Side::Client,
        setup: Setup {
            trust_anchors: Some(serving.authority()),
            server_name: Some("localhost".to_owned()),
            flag: Some(80),
            ..setup
        },
    };
    let end = prepare(&peer, job).unwrap_or_else(|error| panic!("{error:?}"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let report = runtime.block_on(async {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .unwrap();
        drive(&*end, 0, &mut stream, PATIENCE).await
    });
    let read = says.read.lock().unwrap().clone();
    (report, read)
}

const GET_JSON: &str = "GET /json HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn flag_set() -> Setup {
    Setup {
        tls_flags: Some(Hex(FLAG_80.to_vec())),
        ..Setup::default()
    }
}

fn content(answer: &str) -> Value {
    let (head, content) = answer
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("{answer:?}"));
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    serde_json::from_str(content).unwrap()
}

/// A program that a test needs. Where it is absent that is said, and fails if it is required.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found = std::env::split_paths(&path).map(|folder| folder.join(program));
    let found = found.find(|path| path.is_file());
    if found.is_none() {
        let required = std::env::var_os("REQMTLS_REQUIRE_PROGRAMS").is_some();
        assert!(!required, "{program} is missing");
        eprintln!("skipped: {program} is missing");
    }
    found
}

#[test]
fn the_flag_of_the_reference_is_seen_and_so_is_its_absence() {
    let serving = Serving::start(1, &["--once", "2"]);
    let port = serving.ports[0];
    let (report, read) = reference(&serving, port, flag_set(), GET_JSON, false);
    let page = content(&read);
    assert_eq!(page["request_mtls"], true, "{page:#} {report:?}");
    assert_eq!(page["certificate_requested"], true);
    assert_eq!(page["client_certificate"], "empty");
    assert_eq!(page["client_hellos"][0]["tls_flags"][0]["flags"][0], 80);
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
        text.contains("1 connections judged: 0 with violations, 0 of which"),
        "{text}"
    );
}

/// A client that means harm, or does not know better.
struct Hostile {
    name: &'static str,
    acts: fn(&Serving),
    /// What is said of its connection.
    named: &'static str,
}

const HOSTILE: &[Hostile] = &[
    Hostile {
        name: "connects and closes",
        acts: |serving| drop(serving.connect()),
        named: "no ClientHello",
    },
    Hostile {
        name: "never speaks",
        acts: |serving| read_to_the_end(&mut serving.connect()),
        named: "deadline",
    },
    Hostile {
        name: "sends garbage",
        acts: |serving| say(serving, &[0xa5; 5000]),
        named: "not a TLS record",
    },
    Hostile {
        name: "speaks plaintext HTTP",
        acts: |serving| say(serving, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        named: "not a TLS record",
    },
    Hostile {
        name: "sends endless records",
        acts: |serving| {
            let record = [&[22, 3, 1, 0x40, 0][..], &[0; 0x4000]].concat();
            let mut stream = serving.connect();
            while stream.write_all(&record).is_ok() {}
        },
        named: "malformed",
    },
    Hostile {
        name: "sends an endless request",
        acts: |serving| {
            let says = "GET / HTTP/1.1\r\nA: ";
            reference(serving, serving.ports[0], Setup::default(), says, true);
        },
        named: "ClientHello",
    },
    Hostile {
        name: "sends an octet at a time",
        acts: |serving| {
            let mut stream = serving.connect();
            let mut record = [22, 3, 1, 2, 0, 1, 0, 1, 0xfc]
                .into_iter()
                .chain(std::iter::repeat(3));
            while stream.write_all(&[record.next().unwrap()]).is_ok() {
                // Slowness is what it does.
                std::thread::sleep(Duration::from_millis(50));
            }
        },
        named: "deadline",
    },
    Hostile {
        name: "resets",
        acts: |serving| {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let stream = serving.connect();
                stream.set_nonblocking(true).unwrap();
                let mut stream = tokio::net::TcpStream::from_std(stream).unwrap();
                stream.write_all(&[22, 3, 1]).await.unwrap();
                stream.set_zero_linger().unwrap();
            });
        },
        named: "(reset)",
    },
    Hostile {
        name: "sends a malformed ClientHello",
        acts: |serving| say(serving, &[22, 3, 1, 0, 8, 1, 0, 0, 4, 3, 3, 0, 0]),
        named: "malformed",
    },
    Hostile {
        name: "closes its half early",
        acts: |serving| {
            let mut stream = serving.connect();
            stream.shutdown(Shutdown::Write).unwrap();
            read_to_the_end(&mut stream);
        },
        named: "no ClientHello",
    },
    Hostile {
        name: "sends a huge ClientHello",
        acts: |serving| {
            let mut hello = vec![1, 0xff, 0xff, 0xff, 3, 3];
            hello.resize(200_000, 0);
            let records = hello.chunks(1 << 14).flat_map(|fragment| {
                let length = u16::try_from(fragment.len()).unwrap().to_be_bytes();
                [&[22, 3, 1], &length[..], fragment].concat()
            });
            say(serving, &records.collect::<Vec<_>>());
        },
        named: "truncated",
    },
];

fn say(serving: &Serving, octets: &[u8]) {
    let mut stream = serving.connect();
    // It may have been closed by then.
    drop(stream.write_all(octets));
    read_to_the_end(&mut stream);
}

fn read_to_the_end(stream: &mut TcpStream) {
    let mut octets = Vec::new();
    // An end by a reset is one too; one by the read's deadline fails what waits for the connection's line.
    drop(stream.read_to_end(&mut octets));
}

#[test]
fn hostile_clients_are_bounded_and_named_and_the_next_one_is_served() {
    let serving = Serving::start(1, &[]);
    for Hostile { name, acts, named } in HOSTILE {
        let start = Instant::now();
        acts(&serving);
        let line = serving.next().to_string();
        assert!(line.contains(named), "{name}: {line}");
        assert!(
            line.len() < 100_000,
            "{name}: a line of {} octets",
            line.len()
        );
        assert!(
            start.elapsed() < PATIENCE / 2,
            "{name}: {:?}",
            start.elapsed()
        );
        let (_, read) = reference(&serving, serving.ports[0], flag_set(), GET_JSON, false);
        assert_eq!(
            content(&read)["request_mtls"],
            true,
            "after one that {name}"
        );
        serving.next();
    }
    serving.interrupt();
    // Some of them violated something.
    assert_eq!(serving.ended(), 1);
}

#[test]
fn a_thousand_connections_at_once_are_served_in_turn() {
    let serving = Serving::start(1, &[]);
    let streams: Vec<_> = (0..1000).map(|_| serving.connect()).collect();
    drop(streams);
    for _ in 0..1000 {
        serving.next();
    }
    let (_, read) = reference(&serving, serving.ports[0], flag_set(), GET_JSON, false);
    assert_eq!(content(&read)["request_mtls"], true);
}

fn url(serving: &Serving) -> String {
    format!("https://localhost:{}/json", serving.ports[0])
}

#[test]
fn curl_does_not_set_the_flag() {
    let Some(curl) = find("curl") else { return };
    let serving = Serving::start(1, &["--once", "1"]);
    let output = Command::new(curl)
        .args(["--silent", "--show-error", "--max-time", "30", "--cacert"])
        .arg(serving.folder.path().join("authority.pem"))
        .arg(url(&serving))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let page: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(page["request_mtls"], false, "{page:#}");
    assert_eq!(page["certificate_requested"], false);
}

#[test]
fn chromium_does_not_set_the_flag() {
    let (Some(chromium), Some(certutil)) = (find("chromium"), find("certutil")) else {
        return;
    };
    let serving = Serving::start(1, &[]);
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join(".pki/nssdb");
    std::fs::create_dir_all(&store).unwrap();
    let store = format!("sql:{}", store.display());
    let authority = serving.folder.path().join("authority.pem");
    let run = |arguments: &[&str]| {
        let status = Command::new(&certutil)
            .args(["-d", &store])
            .args(arguments)
            .status();
        assert!(status.unwrap().success(), "certutil {arguments:?}");
    };
    run(&["-N", "--empty-password"]);
    run(&[
        "-A",
        "-n",
        "authority",
        "-t",
        "C,,",
        "-i",
        authority.to_str().unwrap(),
    ]);
    let text = dump(&chromium, home.path(), &url(&serving));
    assert!(text.contains("\"request_mtls\": false"), "{text}");
    let line = serving.next();
    assert!(
        !line["transcript"].to_string().contains("tls_flags"),
        "{line:#}"
    );
}

/// The page that a headless Chromium shows.
fn dump(chromium: &Path, home: &Path, url: &str) -> String {
    let mut child = Command::new(chromium)
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
        ])
        .args([
            "--no-first-run",
            "--disable-background-networking",
            "--dump-dom",
        ])
        .arg(format!(
            "--user-data-dir={}",
            home.join("profile").display()
        ))
        .arg(url)
        .env("HOME", home)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = lines(child.stdout.take().unwrap());
    let start = Instant::now();
    let mut text = String::new();
    // Its stdout ends with it.
    while let Ok(line) = lines.recv_timeout(PATIENCE.saturating_sub(start.elapsed())) {
        text.push_str(&line);
        text.push('\n');
    }
    drop(child.kill());
    drop(child.wait());
    text
}
