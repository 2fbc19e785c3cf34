//! Faults of the file system, and runs that meet in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use crate::bench::{Bench, OTHER, until};

const USAGE: Option<i32> = Some(2);

/// Runs the program by a shell that did something first.
fn shell(bench: &Bench, first: &str, arguments: &str) -> Output {
    let program = assert_cmd::cargo::cargo_bin("reqmtls");
    let script = format!(
        "{first} exec {} --root {} {arguments}",
        program.display(),
        bench.root().display()
    );
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &script]).output().unwrap()
}

#[test]
fn a_second_run_into_one_folder_is_refused_and_the_first_is_whole() {
    let bench = Bench::of("hangs", OTHER);
    let mut first = bench
        .command(&[OTHER, "--mode", "process", "--timeout", "3"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lock = bench.root().join("results/latest/.lock");
    until("the first run has its folder", || lock.exists());
    let second = bench.command(&[OTHER]).output().unwrap();
    assert_eq!(second.status.code(), USAGE);
    let err = String::from_utf8(second.stderr).unwrap();
    assert!(err.starts_with("error: another run writes to "), "{err}");
    assert!(!err.contains("peer rustls"), "{err}");
    assert_eq!(first.wait().unwrap().code(), Some(3));
    assert_eq!(bench.cells().len(), 4);
}

#[test]
fn an_interrupted_run_leaves_the_last_result_as_it_was() {
    let bench = Bench::of("hangs", OTHER);
    bench.run(&["--jobs", "8"]);
    let result = bench.root().join("results/latest/result.jsonl");
    let before = fs::read(&result).unwrap();
    let mut run = bench.command(&[OTHER, "--mode", "process", "--timeout", "60"]);
    let mut run = run.stderr(Stdio::piped()).spawn().unwrap();
    let program = bench.root().join("peers/faulty/run");
    until("a peer runs", || {
        crate::bench::processes(&program).count() > 0
    });
    let start = Instant::now();
    crate::bench::interrupt(&run);
    let code = run.wait().unwrap().code();
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "{:?}",
        start.elapsed()
    );
    let err = std::io::read_to_string(run.stderr.take().unwrap()).unwrap();
    assert_eq!(code, Some(3), "{err}");
    assert!(
        err.contains("results: those of an earlier run stay in "),
        "{err}"
    );
    assert_eq!(fs::read(&result).unwrap(), before);
    // What is killed may take a moment on a busy machine.
    until("peers have gone", || {
        crate::bench::processes(&program).count() == 0
    });
    bench.is_clean(&err);
}

#[test]
fn a_run_that_cannot_take_place_leaves_the_last_result_as_it_was() {
    let bench = Bench::new("");
    bench.run(&[]);
    let before = bench.cells();
    let mut run = bench.command(&[OTHER, "--mode", "container"]);
    let output = run.env("DOCKER_HOST", "unix:///nowhere").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("no container engine answers"), "{err}");
    assert_eq!(bench.cells(), before);
    bench.is_clean(&err);
}

#[test]
fn secrets_are_their_owners_whatever_the_umask_and_the_folder_was() {
    let bench = Bench::new("");
    let latest = bench.root().join("results/latest");
    fs::create_dir_all(&latest).unwrap();
    fs::set_permissions(&latest, fs::Permissions::from_mode(0o755)).unwrap();
    let output = shell(&bench, "umask 0;", &format!("run {OTHER} --mode process"));
    assert_eq!(output.status.code(), Some(1));
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(latest.clone()), 0o700);
    assert_eq!(mode(latest.join("run.pcapng")), 0o600);
}

#[test]
fn a_closed_stderr_changes_nothing() {
    let bench = Bench::new("dies preparing");
    for redirect in ["2>&-", "2>/dev/full"] {
        let output = shell(
            &bench,
            "",
            &format!("run {OTHER} --mode process {redirect}"),
        );
        assert_eq!(output.status.code(), Some(1), "{redirect}");
        assert_eq!(bench.cells().len(), 4, "{redirect}");
    }
}

#[test]
fn a_reader_of_stdout_that_goes_costs_the_run_nothing() {
    let bench = Bench::new("");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut run = bench.command(&["--mode", "process", "--format", "json"]);
    let output = run.stdout(writer).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{err}");
    let kept = bench.root().join("results/latest/whole/result.jsonl");
    assert!(kept.is_file(), "{err}");
}

#[test]
fn a_full_stdout_is_named_and_the_results_are_whole() {
    let bench = Bench::new("");
    let run = format!("run {OTHER} --mode process --format json >/dev/full");
    let output = shell(&bench, "", &run);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), USAGE, "{err}");
    assert!(
        err.ends_with("error: stdout is not whole: No space left on device (os error 28)\n"),
        "{err}"
    );
    assert_eq!(bench.cells().len(), 4, "{err}");
}

#[test]
fn a_run_that_is_killed_leaves_no_half_file_for_the_next() {
    let bench = Bench::of("hangs", OTHER);
    let latest = bench.root().join("results/latest");
    let unfinished = || {
        let entries = fs::read_dir(&latest).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name());
        names
            .filter(|name| name.to_string_lossy().starts_with(".reqmtls-"))
            .count()
    };
    let mut run = bench
        .command(&[OTHER, "--mode", "process", "--timeout", "60"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("a file grows", || unfinished() > 0);
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(unfinished() > 0);
    let program = bench.root().join("peers/faulty/run");
    until("peers have gone", || {
        crate::bench::processes(&program).count() == 0
    });
    bench.run(&["--jobs", "8"]);
    assert_eq!(unfinished(), 0);
}

/// Runs a script where `results` is a disk of its own, in a namespace of its own, and `$run` stands for a run that
/// leaves results there; what both write.
fn on_a_small_disk(case: &str, script: &str) -> String {
    let bench = Bench::of("hangs", OTHER);
    let program = assert_cmd::cargo::cargo_bin("reqmtls");
    let run = format!(
        "{} --root {} run {case} --mode process --timeout 2",
        program.display(),
        bench.root().display()
    );
    let script = format!(
        "run='{run}'; fill() {{ cat /dev/zero >results/everything 2>/dev/null; }}
        mkdir results && mount -t tmpfs -o size=280m none results && $run 2>/dev/null
        cp -r results/latest before
        {script}
        rm -f results/everything
        diff -r results/latest before && echo as before"
    );
    let output = std::process::Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &script])
        .current_dir(bench.root())
        .output()
        .unwrap();
    String::from_utf8_lossy(&[output.stderr, output.stdout].concat()).into_owned()
}

#[track_caller]
fn leaves_the_last_result(text: &str) {
    for words in ["No space left on device", "code 2\n", "as before\n"] {
        assert!(text.contains(words), "expected {words:?} in\n{text}");
    }
}

#[test]
fn a_disk_that_fills_in_the_middle_of_a_run_is_named_and_leaves_the_last_result() {
    leaves_the_last_result(&on_a_small_disk(
        OTHER,
        "($run; echo code $?) &
        until ls -A results/latest | grep -q '^.reqmtls-'; do :; done
        fill
        wait",
    ));
}

/// The cells that hang are the last ones, so there is room again before the run ends.
#[test]
fn a_disk_that_is_full_for_a_moment_is_named_and_leaves_the_last_result() {
    leaves_the_last_result(&on_a_small_disk(
        "request-mtls",
        "$run --format json >lines & id=$!
        until [ -s lines ]; do :; done
        kill -s STOP $id; fill; kill -s CONT $id
        until [ $(wc -l <lines) -gt 100 ]; do :; done
        rm results/everything
        wait $id; echo code $?",
    ));
}

#[test]
fn a_run_without_descriptors_names_them_and_leaves_nothing() {
    let bench = Bench::new("");
    let run = "run request-mtls --mode process --jobs 64";
    let output = shell(&bench, "ulimit -n 60;", run);
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("Too many open files"), "{err}");
    assert_eq!(output.status.code(), Some(3), "{err}");
    bench.is_clean(&err);
}

/// A stopped process does not see that its connections ended.
#[test]
fn a_stopped_peer_ends_with_a_run_that_is_killed() {
    let bench = Bench::of("stops", OTHER);
    let mut run = bench
        .command(&[OTHER, "--mode", "process", "--timeout", "60"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let program = bench.root().join("peers/faulty/run");
    let is_stopped = |id| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat"));
        stat.is_ok_and(|stat| stat.contains(") T "))
    };
    until("a peer has stopped", || {
        crate::bench::processes(&program).any(is_stopped)
    });
    run.kill().unwrap();
    run.wait().unwrap();
    until("peers have gone", || {
        crate::bench::processes(&program).count() == 0
    });
}
