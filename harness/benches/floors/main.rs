//! What the harness adds to what it is made of: each rate beside that of its floor, measured in turn in the same run.
//!
//! `cargo bench --bench floors` writes docs/benchmarks.md to stdout, and what it is at to stderr.

#![expect(clippy::print_stdout, reason = "that is what it is for")]
#![expect(clippy::unwrap_used, reason = "what cannot be set up ends the run")]
#![expect(clippy::cast_precision_loss, reason = "three digits are shown")]

mod bare;
mod measure;
mod octets;
mod scale;
#[path = "../../tests/shared/mod.rs"]
#[expect(dead_code, reason = "here cells run for their time")]
mod shared;

use std::sync::Arc;
use std::time::Duration;

use reqmtls::run::{Cell, Event, Place, Plan, Trace, run};
use reqmtls::scenario::{Certificates, Material};
use reqmtls_contract::Revision;
use tokio::runtime::Runtime;

use bare::Bare;
use measure::{Clock, Row, machine, measure};

/// How often each cell runs in a round.
const REPEAT: u32 = 10;

fn main() {
    let runtime = Runtime::new().unwrap();
    println!(
        "# Speed\n\n\
        What the harness adds to what it is made of: each rate beside that of a floor, measured in turn in the same run. Of\n\
        {} rounds, the median rates and the median of the rounds' ratios; a ratio is how much longer the measured thing takes\n\
        than its floor. Written by `cargo bench --bench floors > docs/benchmarks.md`.\n\n{}\n\n\
        | what | floor | measured | ratio |\n| --- | --- | --- | --- |",
        measure::ROUNDS,
        machine()
    );
    let print = |rows: Vec<Row>| rows.iter().for_each(|row| println!("{row}"));
    let ran = runtime.block_on(ran(&of("rustls", |_| true)));
    for (peer, place, clock) in [
        ("rustls", "in-process", Clock::Processor),
        ("openssl-3.0", "of processes", Clock::Wall),
    ] {
        print(
            runtime
                .block_on(cells(peer, place, clock))
                .into_iter()
                .collect(),
        );
    }
    print(runtime.block_on(jobs()));
    print(octets::rows(&ran));
    print(scale::rows(&ran));
}

/// The core cases on one peer that is both ends.
fn of(peer: &str, takes: impl Fn(&str) -> bool) -> Plan {
    let mut plan = shared::at(Place::Process, shared::plan(Revision::Draft02));
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
    let outcome = run(plan, std::future::pending(), |event| match event {
        Event::Cells { .. } => start = Clock::Processor.now(),
        Event::Cell(cell, _) => {
            assert!(cell.reason.is_none(), "{}: {:?}", cell.case, cell.reason);
            count += u64::from(plan.repeat);
        }
        Event::Ended(ended) => took = ended.timings.cells,
        _ => {}
    });
    outcome.await.unwrap();
    (count, took, Clock::Processor.now().saturating_sub(start))
}

/// A bare handshake beside the same as a cell, one at a time.
async fn cells(peer: &str, place: &str, clock: Clock) -> Option<Row> {
    let material = Material {
        certificates: Certificates::generate().unwrap(),
        extension: reqmtls_contract::TLS_FLAGS,
        flag: 80,
        revision: Revision::Draft02,
    };
    let mut plan = of(peer, |scenario| scenario == "request-mtls");
    plan.jobs = 1;
    plan.repeat = REPEAT;
    let bare = Bare::start(&plan).await?;
    let setups: Vec<_> = plan
        .cases
        .iter()
        .flat_map(|case| case.jobs(&material))
        .collect();
    let what = format!(
        "a cell {place}, {peer} with itself, beside the bare handshake, {}",
        clock.name()
    );
    let row = measure(
        &what,
        "/s",
        async || {
            let start = clock.now();
            for _ in 0..REPEAT {
                for setups in &setups {
                    bare.handshake(setups).await;
                }
            }
            (
                u64::from(REPEAT) * setups.len() as u64,
                clock.now().saturating_sub(start),
            )
        },
        async || {
            let (count, wall, processor) = timed(&plan).await;
            (
                count,
                if clock == Clock::Wall {
                    wall
                } else {
                    processor
                },
            )
        },
    );
    Some(row.await)
}

/// More cells at once, beside one at a time.
async fn jobs() -> Vec<Row> {
    let mut rows = Vec::new();
    for jobs in [2, 4, 8, 32] {
        let [one, several] = [1, jobs].map(|jobs| {
            let mut plan = of("rustls", |scenario| scenario == "request-mtls");
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
            .await,
        );
    }
    rows
}
