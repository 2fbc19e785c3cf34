//! Every case of every scenario on the pairings that it is for, on real peers.
//!
//! Snapshots are in `results/snapshots/`; `cargo insta review`, or `INSTA_UPDATE=always cargo test`, accepts
//! changed ones. `reqmtls run` then writes the published results, which are held against this run.

mod shared;

use std::collections::BTreeMap;

use reqmtls::peer::Mode;
use reqmtls::peer::manifest::Manifest;
use reqmtls::report::{Notes, PAGE, PAGES, PICTURE, Published, Reporter, Subject};
use reqmtls::run::{Cell, Event, Place, Started, results, snapshot};
use reqmtls::scenario::{self, CaseId, PUBLISHED, Pairings};
use reqmtls_contract::Revision;

use shared::{Ran, at, failed, plan, root, run_through};

async fn run_all(revision: Revision) -> Ran {
    let ran = run_through(&plan(revision)).await;
    assert_eq!(failed(&ran), [""; 0], "no cell fails");
    ran
}

/// The text of each scenario's snapshot.
fn snapshots(ran: &Ran) -> BTreeMap<String, String> {
    let mut scenarios: BTreeMap<String, Vec<&Cell>> = BTreeMap::new();
    for (cell, _) in &ran.cells {
        // What a peer cannot do has no transcript.
        if cell.drift.is_some() {
            scenarios
                .entry(cell.case.scenario().to_owned())
                .or_default()
                .push(cell);
        }
    }
    let text = |cells: Vec<&Cell>| {
        let parts = cells.iter().map(|cell| part(cell));
        snapshot(parts)
    };
    scenarios
        .into_iter()
        .map(|(scenario, cells)| (scenario, text(cells)))
        .collect()
}

fn part(cell: &Cell) -> (&CaseId, &str, &str, String) {
    (
        &cell.case,
        cell.client.label(),
        cell.server.label(),
        cell.text(),
    )
}

/// What the published results of a revision are about.
fn subject(revision: Revision) -> Subject {
    let folder = root().join("scenarios");
    let all = scenario::load_dir(&folder).unwrap_or_else(|errors| panic!("{errors}"));
    let notes = Notes::load(&folder.join(PUBLISHED), &all);
    let notes = notes.unwrap_or_else(|error| panic!("{error}"));
    let peers = Manifest::load_all(&root().join("peers")).expect("the peers are listed");
    let of_revision = all.into_iter().filter(|scenario| scenario.is_of(revision));
    let names = peers.into_iter().map(|peer| peer.name);
    let subject = Subject::new(revision, of_revision.collect(), names.collect(), notes);
    let subject = subject.with_programs(&root().join("results/programs.json"));
    subject.expect("what programs do")
}

/// Compares the published results with what this run shows.
fn compare_with_published(ran: &Ran, revision: Revision) {
    let latest = tempfile::tempdir().expect("a folder for reports");
    let mut reporter = Published::new(subject(revision), latest.path().to_owned(), None);
    let started = Event::Started(Started {
        time: 0.0,
        extension: reqmtls_contract::TLS_FLAGS,
        flag: reqmtls_observer::DEFAULT_FLAG,
        revision,
        sharded: None,
    });
    let peers = ran.peers.iter().cloned().map(Event::Up);
    let cells = ran.cells.iter();
    let cells = cells.map(|(cell, _)| Event::Cell(Box::new(cell.clone()), Vec::new()));
    let ended = std::iter::once(Event::Ended(ran.ended.clone()));
    for event in std::iter::once(started)
        .chain(peers)
        .chain(cells)
        .chain(ended)
    {
        reporter.event(&event).expect("reports can be written");
    }
    assert_eq!(reporter.unused_notes(), [""; 0]);
    let rendered = reporter.rendered().expect("the page can be rendered");
    let folder = results(&root(), revision);
    let readme = root().join("README.md");
    let mut texts = vec![
        (folder.join("matrix.md"), rendered.matrix.clone()),
        (
            folder.join("requirements.md"),
            rendered.requirements.clone(),
        ),
    ];
    texts.push((folder.join(PAGE), rendered.html.clone()));
    if let Some(svg) = &rendered.svg {
        texts.push((folder.join(PICTURE), svg.clone()));
    }
    let pages = folder.join(PAGES);
    let here = std::fs::read_dir(&pages).into_iter().flatten().count();
    assert_eq!(here, rendered.peers.len(), "pages in {}", pages.display());
    for (name, text) in &rendered.peers {
        texts.push((pages.join(format!("{name}.md")), text.clone()));
    }
    if revision == Revision::Draft02 {
        let text = rendered.readme(&readme).expect("a README with marks");
        texts.push((readme, text));
    }
    for (path, shown) in texts {
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        let lines = published.lines().zip(shown.lines());
        let other = lines.enumerate().find(|(_, (one, other))| one != other);
        assert!(
            published == shown,
            "{} is not what this run shows; `cargo run --release -- run --revision {revision}` writes it. The first \
             line that differs: {:.400}",
            path.display(),
            format!("{other:?}")
        );
    }
}

async fn accepted(revision: Revision) {
    let ran = run_all(revision).await;
    for (scenario, text) in snapshots(&ran) {
        insta::with_settings!({
            snapshot_path => results(&root(), revision).join("snapshots"),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(scenario, text);
        });
    }
    compare_with_published(&ran, revision);
    assert_eq!(ran.ended.stale, [""; 0]);
    let unknown: Vec<_> = ran
        .cells
        .iter()
        .filter(|(cell, _)| cell.deviates_newly())
        .map(|(cell, _)| format!("{} {}", cell.case, cell.pairing()))
        .collect();
    assert_eq!(
        unknown, [""; 0],
        "deviations that are not known: see the matrix"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn transcripts_are_the_accepted_ones() {
    accepted(Revision::Draft02).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_holds_of_the_editors_copy() {
    accepted(Revision::EditorsCopy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_and_processes_give_the_same_transcripts() {
    // Without an engine this fails and says so: equality that nobody looked at is not equality. Handshakes of each kind
    // are enough for it; all the rest runs in one of the two.
    let run_some = async |place| {
        let mut plan = at(place, plan(Revision::Draft02));
        plan.pairings = Some(Pairings::WithReference);
        let kinds = [
            "certificates",
            "request-mtls",
            "resumption",
            "retry",
            "tls12",
            "unsolicited",
        ];
        plan.cases
            .retain(|case| kinds.contains(&case.id.scenario()));
        let ran = run_through(&plan).await;
        assert_eq!(failed(&ran), [""; 0], "no cell fails");
        ran
    };
    let containers = run_some(Place::Container).await;
    let processes = run_some(Place::Process).await;
    let has = |ran: &Ran, mode| ran.peers.iter().any(|peer| peer.mode == mode);
    assert!(has(&containers, Mode::Container) && !has(&containers, Mode::Process));
    assert!(has(&processes, Mode::Process) && !has(&processes, Mode::Container));
    assert_eq!(snapshots(&containers), snapshots(&processes));
}
