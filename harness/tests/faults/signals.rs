//! Interrupts at many moments.

use std::fs::{self, File};
use std::io::{PipeReader, PipeWriter, Write};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::bench::{Bench, OTHER, STRUCK, interrupt, processes, terminate, until};

/// How many moments of a run are tried.
const MOMENTS: usize = 80;

/// Sent in turn.
pub(crate) const SIGNALS: [fn(&Child); 2] = [interrupt, terminate];

/// Within what a run ends, on a machine that is busy with other tests.
const GONE: Duration = Duration::from_secs(5);

#[test]
fn an_interrupt_at_any_moment_leaves_nothing_behind() {
    let bench = Bench::of("hangs", STRUCK);
    for moment in 0..MOMENTS {
        let mut run = bench.command(&[STRUCK, OTHER, "--mode", "process"]);
        let mut run = run.stderr(Stdio::null()).spawn().unwrap();
        // Not to wait for anything: to meet the run in every state.
        std::thread::sleep(Duration::from_micros(1500) * u32::try_from(moment).unwrap());
        SIGNALS[moment % 2](&run);
        let start = Instant::now();
        run.wait().unwrap();
        assert!(start.elapsed() < GONE, "moment {moment}");
        // One that had no handler yet is ended by the signal, and peers end by themselves.
        let program = bench.root().join("peers/faulty/run");
        until("peers have gone", || processes(&program).count() == 0);
        bench.is_clean("");
    }
}

#[test]
fn a_second_interrupt_ends_at_once() {
    let bench = Bench::of("ignores its end", OTHER);
    let mut run = bench.command(&[STRUCK, "--mode", "process", "--timeout", "60"]);
    let mut run = run.stderr(Stdio::piped()).spawn().unwrap();
    let program = bench.root().join("peers/faulty/run");
    until("a peer runs", || processes(&program).count() > 0);
    interrupt(&run);
    interrupt(&run);
    let start = Instant::now();
    let code = run.wait().unwrap().code();
    assert!(start.elapsed() < Duration::from_secs(2));
    assert!(code == Some(3) || code.is_none(), "{code:?}");
}

/// A pipe that has no room, and whose reader does not read.
fn full_pipe() -> (PipeReader, PipeWriter) {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    let (reader, mut writer) = std::io::pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    while writer.write(b"x").is_ok() {}
    fcntl_setfl(&writer, flags).unwrap();
    (reader, writer)
}

/// Expects that a run ends a moment after a signal, and with it what it had started.
#[track_caller]
fn ends(bench: &Bench, mut run: Child) {
    let start = Instant::now();
    until("the run has ended", || run.try_wait().unwrap().is_some());
    assert!(start.elapsed() < GONE, "{:?}", start.elapsed());
    assert_eq!(run.wait().unwrap().code(), Some(3));
    let program = bench.root().join("peers/faulty/run");
    until("peers have gone", || processes(&program).count() == 0);
}

#[test]
fn a_reader_of_stdout_that_has_stopped_keeps_no_run_from_its_end() {
    let bench = Bench::of("hangs", OTHER);
    let (_reader, stdout) = full_pipe();
    let mut run = bench.command(&[OTHER, "--mode", "process", "--timeout", "60"]);
    let run = run.args(["--format", "json"]).stdout(stdout);
    let run = run.stderr(Stdio::null()).spawn().unwrap();
    let program = bench.root().join("peers/faulty/run");
    until("a peer runs", || processes(&program).count() > 0);
    terminate(&run);
    ends(&bench, run);
    bench.is_clean("");
}

#[test]
fn a_reader_of_stdout_that_has_stopped_costs_no_result() {
    let bench = Bench::new("");
    let (_reader, stdout) = full_pipe();
    let mut run = bench.command(&[OTHER, "--mode", "process", "--format", "json"]);
    let mut run = run.stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
    let err = run.stderr.take().unwrap();
    until("there is a result", || bench.cells().len() == 4);
    terminate(&run);
    ends(&bench, run);
    let err = std::io::read_to_string(err).unwrap();
    let last = "interrupted: stdout was not read to its end\n";
    assert!(err.ends_with(last), "{err}");
}

#[test]
fn a_second_interrupt_ends_a_run_whose_stderr_nobody_reads() {
    let bench = Bench::of("hangs", OTHER);
    // So that it has nothing to say before it listens.
    fs::create_dir_all(bench.root().join("results/snapshots")).unwrap();
    let (_reader, stderr) = full_pipe();
    let mut run = bench.command(&[OTHER, "--mode", "process", "--timeout", "60"]);
    let run = run.stderr(stderr).spawn().unwrap();
    let lock = bench.root().join("results/latest/.lock");
    until("the run has its folder", || lock.exists());
    for signal in SIGNALS {
        signal(&run);
    }
    ends(&bench, run);
}

#[test]
fn a_build_that_waits_for_another_ends_at_a_signal() {
    let bench = Bench::new("");
    let manifest = bench.root().join("peers/faulty/peer.toml");
    let step = "[[prepare]]\ncommand = [\"sh\", \"-c\", \"echo begins >&2; exec sleep 600\"]\n";
    let text = fs::read_to_string(&manifest).unwrap() + step;
    fs::write(&manifest, text).unwrap();
    let build = |results: &str, words: &str| {
        let results = bench.root().join(results);
        let err = results.with_extension("err");
        let mut run = bench.command(&[OTHER, "--mode", "process", "--verbose"]);
        let run = run.arg("--results").arg(results);
        let run = run.env("XDG_CACHE_HOME", bench.root().join("cache"));
        let run = run.stderr(File::create(&err).unwrap()).spawn().unwrap();
        until(words, || fs::read_to_string(&err).unwrap().contains(words));
        run
    };
    let first = build("first", "build faulty: begins");
    let second = build("second", "waiting for another build");
    for run in [second, first] {
        terminate(&run);
        ends(&bench, run);
    }
}
