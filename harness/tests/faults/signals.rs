//! Interrupts at many moments.

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
