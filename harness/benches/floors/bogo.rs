//! BoringSSL's own runner on its TLS 1.3 tests, beside cells of BoringSSL.

use std::path::Path;
use std::process::{Command, Stdio};

use reqmtls::run::Place;
use serde_json::Value;

use crate::measure::{Clock, Row, measure_few};
use crate::{REPEAT, of, timed};

/// Those of TLS 1.3 that exist in that version alone.
const TESTS: &str = "*-TLS13*";

/// The row; none where the runner or the peer is not built.
pub(crate) async fn row() -> Option<Row> {
    let executable = std::env::current_exe().unwrap();
    // target/release/deps/floors-…
    let target = executable.ancestors().nth(3)?;
    let folder = target.join("bogo");
    if !folder.join("runner").is_file() {
        eprintln!("skipped: harness/benches/floors/bogo.sh has not built BoringSSL's runner");
        return None;
    }
    let mut plan = of("boringssl", Place::Process, |scenario| {
        scenario == "request-mtls"
    });
    plan.repeat = REPEAT;
    plan.jobs = std::thread::available_parallelism().map_or(1, usize::from);
    if reqmtls::peer::build::built(&plan.root, &plan.peers[0]).is_none() {
        eprintln!("skipped: peer boringssl is not built");
        return None;
    }
    let jobs = plan.jobs;
    let what = format!(
        "cells of boringssl with itself, processes, beside the TLS 1.3 tests of BoringSSL's own runner, {jobs} at once each, \
         by time that passes"
    );
    let row = measure_few(
        &what,
        "/s",
        async || {
            let start = Clock::Wall.now();
            let count = tests(&folder, jobs);
            (count, Clock::Wall.now().saturating_sub(start))
        },
        async || {
            let (count, wall, _) = timed(&plan).await;
            (count, wall)
        },
    );
    Some(row.await)
}

/// Runs them; how many there were, which all have to pass.
fn tests(folder: &Path, workers: usize) -> u64 {
    let output = folder.join("results.json");
    let mut runner = Command::new(folder.join("runner"));
    runner
        .current_dir(folder.join("source/ssl/test/runner"))
        .args(["-test", TESTS, "-num-workers", &workers.to_string()])
        .arg("-shim-path")
        .arg(folder.join("bssl_shim"))
        .arg("-handshaker-path")
        .arg(folder.join("handshaker"))
        .arg("-json-output")
        .arg(&output);
    let status = runner.stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.unwrap().success());
    let results: Value = serde_json::from_slice(&std::fs::read(output).unwrap()).unwrap();
    let counts = results["num_failures_by_type"].as_object().unwrap();
    assert!(counts.keys().all(|outcome| outcome == "PASS"), "{counts:?}");
    counts["PASS"].as_u64().unwrap()
}
