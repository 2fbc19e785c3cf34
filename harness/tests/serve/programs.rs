//! Real programs as clients.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

use crate::serving::{PATIENCE, Serving, lines};

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
        .process_group(0)
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
    // With all that it started.
    let group = Pid::from_raw(child.id().cast_signed()).unwrap();
    let _ = kill_process_group(group, Signal::KILL);
    drop(child.wait());
    text
}
