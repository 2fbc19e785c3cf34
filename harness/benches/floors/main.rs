//! What the harness adds to what it is made of: each rate beside that of its floor, measured in turn in the same run.
//!
//! `cargo bench --bench floors` writes docs/benchmarks.md to stdout, and what it is at to stderr.

#![expect(clippy::print_stdout, reason = "that is what it is for")]
#![expect(clippy::unwrap_used, reason = "what cannot be set up ends the run")]
#![expect(clippy::cast_precision_loss, reason = "three digits are shown")]

mod bare;
mod bogo;
mod measure;
mod octets;
mod scale;
#[path = "../../tests/shared/mod.rs"]
#[expect(dead_code, reason = "here cells run for their time")]
mod shared;

use std::sync::Arc;
use std::time::Duration;

use reqmtls::run::{Cell, Event, Place, Plan, Trace, run};
use reqmtls::scenario::{Certificates, Material, Setups};
use reqmtls_contract::Revision;
use tokio::runtime::Runtime;

use bare::{Bare, Startable};
use measure::{Clock, Row, machine, measure, measure_few};

/// How often each cell runs in a round.
const REPEAT: u32 = 10;

fn main() {
    if let Some(peak) = scale::peak_of_arguments() {
        return println!("{peak}");
    }
    let runtime = Runtime::new().unwrap();
    println!(
        "# Speed\n\n\
        What the harness costs: each rate beside that of a floor, or of another program, measured in turn in the same run. Of\n\
        {} rounds ({} where one takes long), the median rates and the median of the rounds' ratios; memory is measured once. A\n\
        ratio is how much longer the measured thing takes than the other, or how much more memory; *at most* is what it is to\n\
        be. Written by `cargo bench --bench floors > docs/benchmarks.md`.\n\n{}\n\n\
        | what | beside | measured | ratio | at most |\n| --- | --- | --- | --- | --- |",
        measure::ROUNDS,
        measure::FEW,
        machine()
    );
    let print = |rows: Vec<Row>| rows.iter().for_each(|row| println!("{row}"));
    let ran = runtime.block_on(ran(&of("rustls", Place::Process, |_| true)));
    for (peer, place, words, clock) in [
        ("rustls", Place::Process, "in-process", Clock::Processor),
        ("openssl-3.0", Place::Process, "of processes", Clock::Wall),
        (
            "openssl-3.0",
            Place::Container,
            "of containers",
            Clock::Wall,
        ),
    ] {
        let rows = runtime.block_on(cells(peer, place, words, clock));
        print(rows.unwrap_or_default());
    }
    print(runtime.block_on(jobs()));
    print(runtime.block_on(bogo::row()).into_iter().collect());
    print(octets::rows(&ran));
    print(scale::rows(&ran));
}

/// The core cases on one peer that is both ends.
fn of(peer: &str, place: Place, takes: impl Fn(&str) -> bool) -> Plan {
    let mut plan = shared::at(place, shared::plan(Revision::Draft02));
    plan.peers.retain(|it| it.name == peer);
    plan.cases.retain(|case| takes(case.id.scenario()));
    plan
}

/// Every cell of a plan.
async fn ran(plan: &Plan) -> Vec<(Cell, Vec<Trace>)> {
    shared::run_through(plan).await.cells
}

/// How long the cells of a plan take, peers and certificates aside, and how many ran.
async fn timed(plan: &Plan) -> (u64, Duration, Duration) {
    let (mut count, mut took, mut start) = (0, Duration::ZERO, Duration::ZERO);
    let outcome = run(
        plan,
        std::future::pending(),
        async || (),
        |event| match event {
            Event::Cells { .. } => start = Clock::Processor.now(),
            Event::Cell(cell, _) => {
                assert!(cell.reason.is_none(), "{}: {:?}", cell.case, cell.reason);
                count += u64::from(plan.repeat);
            }
            Event::Ended(ended) => took = ended.timings.cells,
            _ => {}
        },
    );
    outcome.await.unwrap();
    (count, took, Clock::Processor.now().saturating_sub(start))
}

/// The setups of the cases of a plan.
fn setups(plan: &Plan) -> Vec<Setups> {
    let material = Material {
        certificates: Certificates::generate().unwrap(),
        extension: reqmtls_contract::TLS_FLAGS,
        flag: 80,
        revision: Revision::Draft02,
    };
    let cases = plan.cases.iter();
    cases.flat_map(|case| case.jobs(&material)).collect()
}

/// A bare handshake beside the same as a cell, one at a time; the same beside the cells of a whole run; and, where an end
/// is a container, two that are started beside a cell.
async fn cells(peer: &str, place: Place, words: &str, clock: Clock) -> Option<Vec<Row>> {
    let mut plan = of(peer, place, |scenario| scenario == "request-mtls");
    plan.repeat = REPEAT;
    let whole = Arc::new(plan);
    let mut plan = of(peer, place, |scenario| scenario == "request-mtls");
    plan.jobs = 1;
    plan.repeat = REPEAT;
    let bare = Bare::start(&plan).await?;
    let setups = setups(&plan);
    let count = u64::from(REPEAT) * setups.len() as u64;
    let handshakes = async |clock: Clock| {
        let start = clock.now();
        for _ in 0..REPEAT {
            for setups in &setups {
                bare.handshake(setups).await;
            }
        }
        (count, clock.now().saturating_sub(start))
    };
    let mut rows = Vec::new();
    let what = format!(
        "a cell {words}, {peer} with itself, beside the bare handshake, {}",
        clock.name()
    );
    let cells = async || {
        let (count, wall, processor) = timed(&plan).await;
        match clock {
            Clock::Wall => (count, wall),
            Clock::Processor => (count, processor),
        }
    };
    let most = match clock {
        Clock::Processor => 1.3,
        Clock::Wall => 1.5,
    };
    let row = measure(&what, "/s", async || handshakes(clock).await, cells).await;
    rows.push(row.at_most(most));
    let what = format!(
        "a whole run {words} of {count} cells, its start and its end too, beside as many bare handshakes, one at a time, {}",
        Clock::Wall.name()
    );
    let run = async || {
        let start = Clock::Wall.now();
        let (count, ..) = timed(&whole).await;
        (count, Clock::Wall.now().saturating_sub(start))
    };
    rows.push(measure(&what, "/s", async || handshakes(Clock::Wall).await, run).await);
    if place == Place::Container {
        let startable = Startable::of(&plan).await?;
        let fresh = async || {
            let start = Clock::Wall.now();
            for setups in &setups[..2] {
                let (client, server) = tokio::join!(startable.start(), startable.start());
                client.handshake_with(&server, setups).await;
                tokio::join!(client.stop(), server.stop());
            }
            (2, Clock::Wall.now().saturating_sub(start))
        };
        let what = format!(
            "a cell {words} beside a bare handshake in two containers that are started for it, {}",
            Clock::Wall.name()
        );
        let cells = async || {
            let (count, wall, _) = timed(&plan).await;
            (count, wall)
        };
        rows.push(measure_few(&what, "/s", fresh, cells).await);
        startable.end().await;
    }
    bare.stop().await;
    Some(rows)
}

/// More cells at once, beside one at a time.
async fn jobs() -> Vec<Row> {
    let mut rows = Vec::new();
    for jobs in [2, 4, 8, 32] {
        let [one, several] = [1, jobs].map(|jobs| {
            let mut plan = of("rustls", Place::Process, |scenario| {
                scenario == "request-mtls"
            });
            plan.jobs = jobs;
            plan.repeat = REPEAT;
            Arc::new(plan)
        });
        let run = async |plan: &Plan| {
            let (count, wall, _) = timed(plan).await;
            (count, wall)
        };
        let what = format!("--jobs {jobs} beside --jobs 1, in-process, by time that passes");
        rows.push(
            measure(
                &what,
                "/s",
                async || run(&one).await,
                async || run(&several).await,
            )
            .await
            .at_most(1.0),
        );
    }
    rows
}
