//! The rendering of a small run, made by hand.

use std::path::Path;

use reqmtls_contract::{Capabilities, Description, Outcome, Provenance, Revision};
use reqmtls_observer::{Alert, AlertDescription, Octets32, Side};

use super::*;
use crate::judge::requirement::Id;
use crate::judge::{Conformance, Facts, Finding, Party, Ruling, Verdict};
use crate::peer::Mode;
use crate::run::{Cell, Connection, Ended, Label, Missing, Peer, Player, Reason, Timings};
use crate::scenario::{CaseId, Scenario, parse};

const QUESTION: &str = r#"
title = "Servers that require a certificate on the flag"
document = "draft-jhoyla-req-mtls-flag-00"

[axes]
"client.flag" = ["unset", "set"]
"client.certificate" = ["absent", "present"]

[setup]
"server.policy" = "require-on-flag"

[[expect]]
certificate_request = "any"
outcome = ["completed", "refused"]
alert = ["certificate_required"]
authenticated = "any"
because = ["RM-5"]
"#;

const MALFORMED: &str = r#"
title = "Malformed flags"
document = "draft-ietf-tls-tlsflags-16"
misbehaving = "client"

[axes]
"client.edit.value" = ["request", "no-octets"]

[setup]
"client.edit.message" = "client-hello"
"server.tls-flags" = "implemented"

[[expect]]
certificate_request = "any"
outcome = ["completed", "refused"]
alert = ["illegal_parameter"]
authenticated = "any"
because = ["TF-4"]
"#;

const NOTES: &str = r#"
[[headline]]
question = "A server requires a certificate on the flag, and the client has none"
short = "absent"
cases = "question/set/absent"
side = "server"

[[difference]]
cases = ["question/set/absent"]
side = "server"
permits = ["TLS-4"]
explanation = "b continues"
reference = "b.c"
"#;

fn scenarios() -> Vec<Scenario> {
    let read =
        |name: &str, text| parse(Path::new(name), text).unwrap_or_else(|errors| panic!("{errors}"));
    vec![
        read("malformed.toml", MALFORMED),
        read("question.toml", QUESTION),
    ]
}

fn subject(notes: &str) -> Subject {
    let scenarios = scenarios();
    let notes = Notes::parse(notes, &scenarios).unwrap();
    let peers = ["a", "b"].map(str::to_owned).to_vec();
    Subject::new(Revision::Draft02, scenarios, peers, notes)
}

fn id(text: &str) -> Id {
    Id::find(text).unwrap()
}

/// How a connection ends.
#[derive(Clone, Copy)]
enum End {
    Authenticated,
    Unauthenticated,
    Refused(AlertDescription),
}

/// A cell with a server of one provenance, and an unmodified client.
fn cell(case: &str, server: (&str, Provenance), end: End) -> Cell {
    let player = |(peer, provenance): (&str, _), misbehaves| Player {
        peer: peer.to_owned(),
        provenance,
        misbehaves,
    };
    let misbehaves = case.starts_with("malformed");
    let alert = match end {
        End::Refused(alert) => Some((Side::Server, Alert::fatal(alert))),
        End::Authenticated | End::Unauthenticated => None,
    };
    let proven = matches!(end, End::Authenticated).then(|| Octets32([7; 32]));
    let facts = Facts {
        client_random: None,
        certificate_request: true,
        resumed: false,
        outcome: match end {
            End::Refused(_) => Outcome::Refused,
            End::Authenticated | End::Unauthenticated => Outcome::Completed,
        },
        alert,
        proven,
        authenticated: proven,
        tls_flags: Vec::new(),
        client_certificate: proven,
        server_certificate: None,
    };
    Cell {
        case: serde_json::from_value::<CaseId>(case.into()).unwrap(),
        client: player(("a", Provenance::Library), misbehaves),
        server: player(server, false),
        conformance: Conformance::Conforms,
        drift: None,
        accepted: None,
        findings: Vec::new(),
        caught: Vec::new(),
        reason: None,
        connections: vec![Connection {
            label: Label::Only,
            text: String::new(),
            bypassed: matches!(end, End::Unauthenticated) && case.starts_with("question/set"),
            facts: Some(facts),
            rulings: Vec::new(),
            flights_to_proof: proven.map(|_| 3),
            flights: Vec::new(),
            client_report: None,
            server_report: None,
        }],
        repeats: None,
        milliseconds: 1,
    }
}

fn follows(follows: &str, against: &str) -> Ruling {
    Ruling {
        requirement: id(against),
        party: Party::Server,
        provenance: None,
        verdict: Verdict::Tension {
            follows: id(follows),
            against: id(against),
        },
        message: None,
        got: "server sent illegal_parameter(47)".to_owned(),
    }
}

fn peer(name: &str, library: &str) -> Event {
    Event::Up(Peer {
        name: name.to_owned(),
        mode: Mode::Process,
        description: Description {
            reqmtls: 2,
            name: name.to_owned(),
            library: library.to_owned(),
            capabilities: Capabilities::new(),
        },
        family: "family".to_owned(),
        about: String::new(),
        glue: Some(format!("code | in front of {name}")),
        patch: None,
    })
}

fn ended(interrupted: bool) -> Event {
    Event::Ended(Ended {
        time: 2.0,
        interrupted,
        stale: Vec::new(),
        timings: Timings::default(),
    })
}

const A: (&str, Provenance) = ("a", Provenance::Library);
const B: (&str, Provenance) = ("b", Provenance::Glue);

/// A run in which servers answer a malformed value alike, and one of them the well-formed value as well.
fn cells() -> Vec<Cell> {
    let refused = End::Refused(AlertDescription::ILLEGAL_PARAMETER);
    let required = End::Refused(AlertDescription::CERTIFICATE_REQUIRED);
    let mut cells = vec![
        cell("malformed/request", A, refused),
        cell("malformed/request", B, End::Authenticated),
        cell("malformed/no-octets", A, refused),
        cell("malformed/no-octets", B, refused),
        cell("question/set/absent", A, required),
        cell("question/set/absent", B, End::Unauthenticated),
    ];
    for cell in cells
        .iter_mut()
        .filter(|cell| cell.case.as_str() == "malformed/no-octets")
    {
        cell.connections[0].rulings = vec![follows("TF-4", "TLS-18")];
    }
    let mut wrong = cell("question/unset/absent", B, End::Authenticated);
    wrong.conformance = Conformance::Deviates;
    wrong.findings = vec![Finding {
        requirements: vec![id("TLS-2")],
        party: Party::Server,
        provenance: Some(Provenance::Glue),
        message: Some("S  {CertificateRequest}".to_owned()),
        got: "it was asked".to_owned(),
        expected: "silence".to_owned(),
        inferred: false,
        known: None,
    }];
    cells.push(wrong);
    for values in ["unset/present", "set/present"] {
        let case = format!("question/{values}");
        cells.push(cell(&case, A, End::Authenticated));
        cells.push(cell(&case, B, End::Authenticated));
    }
    let mut lacking = cell("question/unset/absent", A, End::Authenticated);
    lacking.conformance = Conformance::Unsupported;
    lacking.connections.clear();
    lacking.reason = Some(Reason::Unsupported {
        side: Side::Server,
        capability: "server.policy.require-on-flag".to_owned(),
    });
    cells.push(lacking);
    cells
}

/// What is written of these cells, in whatever sequence they end.
fn published(folder: &Path, cells: Vec<Cell>, more: &[Event], notes: &str) -> io::Result<()> {
    let places = Places {
        folder: folder.to_owned(),
        readme: Some(folder.join("README.md")),
    };
    let mut reporter = Published::new(subject(notes), folder.join("latest"), Some(places));
    reporter.event(&peer("b", "B 2"))?;
    reporter.event(&peer("a", "A 1"))?;
    for cell in cells {
        reporter.event(&Event::Cell(Box::new(cell), Vec::new()))?;
    }
    for event in more {
        reporter.event(event)?;
    }
    Ok(())
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let readme = "before\n<!-- findings -->\nold\n<!-- end of findings -->\nafter\n";
    fs::write(folder.path().join("README.md"), readme).unwrap();
    folder
}

#[test]
fn a_whole_run_is_published_whatever_the_sequence_of_its_cells() {
    let (one, other) = (folder(), folder());
    published(one.path(), cells(), &[ended(false)], NOTES).unwrap();
    let reversed = cells().into_iter().rev().collect();
    published(other.path(), reversed, &[ended(false)], NOTES).unwrap();
    let read = |name: &str| {
        let text = fs::read_to_string(one.path().join(name)).unwrap();
        assert_eq!(
            text,
            fs::read_to_string(other.path().join(name)).unwrap(),
            "{name}"
        );
        text
    };
    let requirements = read("requirements.md");
    let rows = requirements
        .lines()
        .filter(|line| line.starts_with("| [TF-4]") || line.starts_with("| [TLS-18]"));
    insta::assert_snapshot!("matrix", read("matrix.md"));
    insta::assert_snapshot!("requirements", rows.collect::<Vec<_>>().join("\n"));
    insta::assert_snapshot!("readme", read("README.md"));
    insta::assert_snapshot!("page", read("peers/b.md"));
    let findings = read("latest/findings.md");
    let links = findings.split("](").skip(1);
    let links: Vec<_> = links.filter_map(|rest| rest.split(')').next()).collect();
    assert_eq!(links, ["peers/a.md", "peers/b.md"]);
    for link in links {
        assert!(one.path().join("latest").join(link).is_file(), "{link}");
    }
}

#[test]
fn what_is_not_whole_is_not_published() {
    let mut failed = cells();
    failed[0].conformance = Conformance::Failed;
    let missing = Event::Missing(Missing {
        name: "b".to_owned(),
        reason: "not built".to_owned(),
    });
    let runs = [
        (cells(), vec![ended(true)]),
        (cells(), vec![missing, ended(false)]),
        (failed, vec![ended(false)]),
    ];
    for (cells, more) in runs {
        let folder = folder();
        published(folder.path(), cells, &more, NOTES).unwrap();
        assert!(folder.path().join("latest/matrix.md").exists());
        assert!(!folder.path().join("matrix.md").exists());
        let readme = fs::read_to_string(folder.path().join("README.md")).unwrap();
        assert!(readme.contains("old"), "{readme}");
    }
}

#[test]
fn a_note_that_explains_nothing_is_an_error() {
    let notes = NOTES.replace("[\"question/set/absent\"]", "[\"question/set/present\"]");
    let folder = folder();
    let error = published(folder.path(), cells(), &[ended(false)], &notes).unwrap_err();
    assert_eq!(
        error.to_string(),
        "[[difference]] number 1 (question/set/present) explains no difference of this run"
    );
    assert!(!folder.path().join("matrix.md").exists());
}

#[test]
fn a_readme_without_marks_is_an_error() {
    let folder = folder();
    fs::write(folder.path().join("README.md"), "nothing").unwrap();
    let error = published(folder.path(), cells(), &[ended(false)], NOTES).unwrap_err();
    let text = error.to_string();
    assert!(
        text.ends_with("README.md: expected <!-- findings --> and <!-- end of findings -->"),
        "{text}"
    );
}

#[test]
fn notes_that_name_what_there_is_not_are_errors() {
    let read = |from: &str, to: &str| {
        Notes::parse(&NOTES.replacen(from, to, 1), &scenarios())
            .map(|_| ())
            .unwrap_err()
    };
    let near = r#"no case matches "question/set/absint"; did you mean "question/set/absent"?"#;
    assert_eq!(
        read("question/set/absent", "question/set/absint"),
        format!("[[headline]] number 1: {near}")
    );
    assert_eq!(
        read("TLS-4", "TLS-44"),
        "[[difference]] number 1: got requirement \"TLS-44\", expected TLS-22"
    );
    assert_eq!(
        read("permits = [\"TLS-4\"]", ""),
        "[[difference]] number 1: expected what permits it, in `permits` or `sections`"
    );
}

#[test]
fn the_core_question_fits_a_terminal() {
    let mut core = Core::default();
    let of = |server, end| cell(CORE, (server, Provenance::Library), end);
    core.take(&of(
        "a",
        End::Refused(AlertDescription::CERTIFICATE_REQUIRED),
    ));
    assert_eq!(core.text(80), "", "one pairing is no matrix");
    core.take(&of("b", End::Authenticated));
    core.take(&Cell {
        conformance: Conformance::Unsupported,
        connections: Vec::new(),
        ..of("c", End::Authenticated)
    });
    let expected = "\
request-mtls/set/present/require-on-flag: clients down, servers across
       1  2  3
  1 a  A  B  .
A  alert certificate_required(116)
B  asks; the client is authenticated
.  unsupported
";
    let text = core.text(80);
    let plain = |text: &str| anstream::adapter::strip_str(text).to_string();
    assert_eq!(plain(&text), expected);
    // What an end cannot do is not as bright as what it did.
    for colored in ["\u{1b}[32mB\u{1b}[0m", "\u{1b}[2m.\u{1b}[0m"] {
        assert_eq!(text.matches(colored).count(), 2, "{text:?}");
    }
    let narrow = plain(&core.text(12));
    assert!(
        narrow.contains("       1  2\n  1 a  A  B\n       3\n  1 a  .\n"),
        "{narrow}"
    );
    assert!(narrow.lines().all(|line| line.len() <= 12), "{narrow}");
}
