//! Reports as their consumers read them, and the commands that make and compare them.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use assert_cmd::Command;
use boon::{Compiler, Schemas};
use serde_json::{Value, json};

/// A root with the core scenario and the in-process peer alone.
fn root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (from, to) in [
        ("scenarios/request-mtls.toml", "scenarios/request-mtls.toml"),
        ("peers/rustls/peer.toml", "peers/rustls/peer.toml"),
    ] {
        let to = root.path().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(here.join(from), to).unwrap();
    }
    root
}

fn reqmtls(root: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("reqmtls").unwrap();
    let command = command.env_remove("GITHUB_ACTIONS");
    let output = command.arg("--root").arg(root).args(arguments);
    let output = output.output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

#[test]
fn what_is_accepted_is_what_the_next_run_is_held_against() {
    let root = root();
    let latest = root.path().join("results/latest");
    let (code, _, err) = reqmtls(root.path(), &["run"]);
    assert_eq!(code, 1, "{err}");
    let junit = fs::read_to_string(latest.join("junit.xml")).unwrap();
    assert!(
        junit.contains(r#"tests="30" skipped="0" errors="0" failures="30""#),
        "{junit}"
    );
    let (code, out, err) = reqmtls(root.path(), &["accept", "request-mtls/set"]);
    assert_eq!((code, &*out), (0, "accepted: 10 transcripts\n"), "{err}");
    let (code, _, err) = reqmtls(root.path(), &["run"]);
    assert_eq!(code, 1, "{err}");
    assert!(
        err.contains("transcripts: 10 same, 0 changed, 20 new"),
        "{err}"
    );
    let (code, out, err) = reqmtls(root.path(), &["accept"]);
    assert_eq!((code, &*out), (0, "accepted: 20 transcripts\n"), "{err}");
    let (code, out, _) = reqmtls(root.path(), &["accept"]);
    assert_eq!(
        (code, &*out),
        (4, "accepted: 0 transcripts\n"),
        "nothing is left"
    );
    let (code, _, err) = reqmtls(root.path(), &["run"]);
    assert_eq!(code, 0, "{err}");
    // What another end would show is a change, and has the accepted transcript beside it.
    let path = root.path().join("results/snapshots/request-mtls.snap");
    let snapshot = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        snapshot.replace("certificate_required(116)", "bad_certificate(42)"),
    )
    .unwrap();
    let (code, _, err) = reqmtls(root.path(), &["run"]);
    assert_eq!(code, 1, "{err}");
    let page = fs::read_to_string(latest.join("index.html")).unwrap();
    assert!(
        page.contains("fatal bad_certificate(42)"),
        "the accepted transcript stands in the page"
    );
}

#[test]
fn reports_are_the_same_when_they_are_rendered_again() {
    let root = root();
    let latest = root.path().join("results/latest");
    reqmtls(root.path(), &["run"]);
    let names = [
        "matrix.md",
        "requirements.md",
        "index.html",
        "matrix.svg",
        "junit.xml",
        "interop.json",
        "summary.md",
    ];
    let again = root.path().join("again");
    let to = again.to_str().unwrap();
    let (code, _, err) = reqmtls(root.path(), &["report", "--to", to]);
    assert_eq!(code, 0, "{err}");
    for name in names {
        let (one, other) = (
            fs::read(latest.join(name)).unwrap(),
            fs::read(again.join(name)).unwrap(),
        );
        assert!(!one.is_empty() && one == other, "{name} differs");
    }
    let (code, _, err) = reqmtls(root.path(), &["report", "nowhere.jsonl"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("nowhere.jsonl"), "{err}");
}

#[test]
fn two_runs_differ_where_their_cells_do() {
    let root = root();
    let result = root.path().join("results/latest/result.jsonl");
    reqmtls(root.path(), &["run"]);
    let before = root.path().join("before.jsonl");
    fs::copy(&result, &before).unwrap();
    let (before, result) = (before.to_str().unwrap(), result.to_str().unwrap());
    let (code, out, err) = reqmtls(root.path(), &["diff", before, result]);
    assert_eq!(
        (code, &*out),
        (0, "0 cells changed, 0 only before, 0 only after\n"),
        "{err}"
    );
    reqmtls(root.path(), &["run", "request-mtls/set", "--flag", "5"]);
    let (code, out, _) = reqmtls(root.path(), &["diff", before, result, "--json"]);
    assert_eq!(code, 1, "{out}");
    let difference: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(difference["gone"].as_array().unwrap().len(), 20, "{out}");
    assert_eq!(difference["new"].as_array().unwrap().len(), 0, "{out}");
}

/// Whether a value is a line of a result, by what a validator of others makes of the published schema.
fn validator() -> impl Fn(&Value) -> Result<(), String> {
    const NAME: &str = "result.schema.json";
    let text = include_str!("../../results/result.schema.json");
    let mut compiler = Compiler::new();
    let schema = serde_json::from_str(text).unwrap();
    compiler.add_resource(NAME, schema).unwrap();
    let mut schemas = Schemas::new();
    let index = compiler.compile(NAME, &mut schemas).unwrap();
    move |line| {
        let outcome = schemas.validate(line, index);
        outcome.map_err(|error| format!("{error:#}"))
    }
}

#[test]
fn every_line_of_a_run_satisfies_the_schema_and_a_broken_one_does_not() {
    let results = tempfile::tempdir().unwrap();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let to = results.path().to_str().unwrap();
    // Every case, the reference against itself.
    let arguments = [
        "run",
        "--client",
        "rustls",
        "--server",
        "rustls",
        "--results",
        to,
        "--format",
        "json",
    ];
    let (code, out, err) = reqmtls(&workspace, &arguments);
    assert_eq!(code, 0, "{err}");
    let stored = fs::read_to_string(results.path().join("latest/result.jsonl")).unwrap();
    assert!(out == stored, "what it writes is what it stores");
    let check = validator();
    let lines: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for (number, line) in (1..).zip(&lines) {
        check(line).unwrap_or_else(|error| panic!("line {number}: {error}"));
    }
    for more in [
        json!({ "missing": { "name": "a", "reason": "not built" } }),
        json!({ "lost": { "name": "a", "reason": "it ended", "restarts": 1 } }),
    ] {
        check(&more).unwrap();
    }
    let is_cell = |line: &&Value| line.get("cell").is_some_and(|it| it.get("drift").is_some());
    let cell = lines.iter().find(is_cell).unwrap();
    for (place, broken) in [
        ("/cell/conformance", json!("good")),
        ("/cell/milliseconds", json!(-1)),
        ("/cell/connections/0/rulings/0/requirement", json!("rm 1")),
        ("/cell/connections/0/facts/client_random", json!("00")),
        ("/cell/client", json!("rustls")),
    ] {
        let mut line = cell.clone();
        *line.pointer_mut(place).unwrap() = broken;
        check(&line).expect_err(place);
    }
    let mut line = lines[0].clone();
    line["run"]["schema"] = json!(2);
    check(&line).expect_err("another version");
    check(&json!({ "cel": {} })).expect_err("another kind of line");
}

#[test]
fn the_runner_of_quic_finds_a_result_for_each_client_and_server() {
    let root = root();
    reqmtls(root.path(), &["run"]);
    let text = fs::read_to_string(root.path().join("results/latest/interop.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let count = |key: &str| file[key].as_array().unwrap().len();
    assert_eq!(count("results"), count("clients") * count("servers"));
    assert_eq!(count("measurements"), count("results"));
    assert_eq!(file["results"][0][0]["abbr"], "request-mtls");
    assert_eq!(file["results"][0][0]["result"], "succeeded");
    assert!(file["tests"]["request-mtls"]["desc"].is_string());
}

#[test]
fn findings_are_annotations_where_github_reads_them() {
    let root = root();
    let mut command = Command::cargo_bin("reqmtls").unwrap();
    let command = command.env("GITHUB_ACTIONS", "true").arg("--root");
    let output = command.arg(root.path()).arg("run").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // Thirty new transcripts of one pairing and scenario are one thing to say.
    assert_eq!(text.lines().count(), 1, "{text}");
    let begin = "::error file=scenarios/request-mtls.toml,line=";
    let rest = text.strip_prefix(begin).unwrap_or_else(|| panic!("{text}"));
    let (line, rest) = rest.split_once("::request-mtls/").unwrap();
    let (values, _) = rest.split_once(':').unwrap();
    let scenario = fs::read_to_string(root.path().join("scenarios/request-mtls.toml")).unwrap();
    let mut lines = scenario.lines().skip(line.parse::<usize>().unwrap() - 1);
    assert_eq!(lines.next(), Some("[[expect]]"));
    // What is expected there is expected of this case, by its policy at the least.
    let (_, policy) = values.rsplit_once('/').unwrap();
    assert!(
        lines.next().unwrap().contains(&format!("\"{policy}\"")),
        "{text}"
    );
    let summary = fs::read_to_string(root.path().join("results/latest/summary.md")).unwrap();
    assert!(
        summary.contains("| 30 | 30 | 0 | 0 | 0 | 0 | 30 |"),
        "{summary}"
    );
}

/// The exit code that somebody would choose who reads `junit.xml` alone.
fn code_by_junit(root: &Path) -> i32 {
    let junit = fs::read_to_string(root.join("results/latest/junit.xml")).unwrap();
    let (_, head) = junit.split_once("<testsuites ").unwrap();
    let (head, _) = head.split_once('>').unwrap();
    let count = |name: &str| {
        let (_, rest) = head.split_once(&format!(" {name}=\"")).unwrap();
        rest.split('"').next().unwrap().parse::<usize>().unwrap()
    };
    match (count("errors"), count("failures")) {
        (0, 0) => 0,
        (0, _) => 1,
        _ => 3,
    }
}

#[test]
fn who_reads_junit_alone_comes_to_the_exit_code() {
    let root = root();
    let case = "request-mtls/set/absent/never";
    let agrees = |arguments: &[&str], expected: i32, shown: &str| {
        let (code, _, err) = reqmtls(root.path(), arguments);
        assert_eq!(
            (code, code_by_junit(root.path())),
            (expected, expected),
            "{err}"
        );
        let junit = fs::read_to_string(root.path().join("results/latest/junit.xml")).unwrap();
        assert!(junit.contains(shown), "expected {shown} in\n{junit}");
    };
    agrees(&["run", case], 1, "the transcript is new");
    reqmtls(root.path(), &["accept"]);
    agrees(
        &["run", case],
        0,
        r#"<testsuite name="all peers" tests="1""#,
    );
    let known = r#"
        [[deviation]]
        side = "client"
        versions = ">=0.23"
        requirement = "TLS-7"
        cases = ["request-mtls/set/absent/never"]
        reason = "none"
        reference = "none"
    "#;
    let path = root.path().join("peers/rustls/known-deviations.toml");
    fs::write(&path, known).unwrap();
    agrees(
        &["run", case],
        1,
        "known deviation of rustls from TLS-7 no longer occurs",
    );
    fs::remove_file(path).unwrap();
    let peer = root.path().join("peers/absent");
    fs::create_dir(&peer).unwrap();
    let manifest = "name = \"absent\"\nprogram = \"nowhere\"\n";
    fs::write(peer.join("peer.toml"), manifest).unwrap();
    agrees(
        &["run", case, "--mode", "process"],
        3,
        r#"<testcase name="absent""#,
    );
}

#[test]
fn commands_that_list_have_json_too() {
    let root = root();
    let json = |arguments: &[&str]| -> Value {
        let (code, out, err) = reqmtls(root.path(), arguments);
        assert_eq!(code, 0, "{err}");
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    };
    let listed = json(&["list", "request-mtls/set/absent", "--json"]);
    let cases = &listed["scenarios"][0]["cases"];
    assert_eq!(cases.as_array().unwrap().len(), 5, "{listed:#}");
    assert_eq!(cases[0]["pairings"], json!(["rustls--rustls"]));
    let peers = json(&["peers", "--json"]);
    assert_eq!(peers[0]["description"]["name"], "rustls", "{peers:#}");
    let case = "request-mtls/set/absent/never";
    reqmtls(root.path(), &["run"]);
    reqmtls(root.path(), &["run", case]);
    let of_case = json(&["explain", case, "--json"]);
    let expected = json!([{
        "pairing": "rustls--rustls",
        "run": "last",
        "conformance": "conforms",
        "drift": "new",
    }]);
    assert_eq!(of_case, expected);
    let other = "request-mtls/set/present/never";
    let explained = json(&["explain", other, "rustls--rustls", "--json"]);
    assert_eq!(explained["run"], "last-whole");
    assert_eq!(explained["cell"]["case"], other);
    validator()(&json!({ "cell": explained["cell"] })).unwrap();
}

/// Runs every shard of a root; the paths of their results.
fn shards(root: &Path, of: u32, more: &[&str]) -> Vec<String> {
    let shard = |number| {
        let (shard, folder) = (
            format!("{number}/{of}"),
            root.join(format!("shard-{number}")),
        );
        let arguments = [
            "run",
            "--shard",
            &shard,
            "--results",
            folder.to_str().unwrap(),
        ];
        let (code, _, err) = reqmtls(root, &[&arguments, more].concat());
        assert!(code == 1 && !err.contains("no longer occurs"), "{err}");
        let result = folder.join("latest/result.jsonl");
        result.to_str().unwrap().to_owned()
    };
    (1..=of).map(shard).collect()
}

#[test]
fn merged_shards_are_the_run() {
    let root = root();
    let known = "[[deviation]]\nside = \"server\"\nversions = \"*\"\nrequirement = \"TLS-4\"\n\
        cases = [\"request-mtls/set/absent\"]\nreason = \"none\"\nreference = \"none\"\n";
    fs::write(
        root.path().join("peers/rustls/known-deviations.toml"),
        known,
    )
    .unwrap();
    let (code, _, whole) = reqmtls(root.path(), &["run"]);
    assert_eq!(code, 1, "{whole}");
    let shards = shards(root.path(), 3, &[]);
    let merged = root.path().join("merged");
    let to = ["--to", merged.to_str().unwrap()];
    let paths: Vec<&str> = shards.iter().map(String::as_str).collect();
    let (code, _, err) = reqmtls(root.path(), &[&["merge"], &*paths, &to].concat());
    assert_eq!(code, 1, "{err}");
    let summary = |text: &str| {
        let lines = text
            .lines()
            .skip_while(|line| !line.starts_with("30 cells: "));
        lines
            .take_while(|line| !line.starts_with("time: "))
            .map(str::to_owned)
            .collect()
    };
    let (whole, err): (Vec<_>, Vec<_>) = (summary(&whole), summary(&err));
    assert!(whole.len() > 1 && whole == err, "{whole:#?} {err:#?}");
    let merged = merged.join("result.jsonl");
    let merged = merged.to_str().unwrap();
    let latest = root.path().join("results/latest");
    let result = latest.join("result.jsonl");
    let (code, out, err) = reqmtls(root.path(), &["diff", result.to_str().unwrap(), merged]);
    assert_eq!(code, 0, "{out}{err}");
    let (code, _, err) = reqmtls(root.path(), &["report", merged]);
    assert_eq!(code, 0, "{err}");
    for name in [
        "matrix.md",
        "requirements.md",
        "findings.md",
        "peers/rustls.md",
    ] {
        let text = |folder: &Path| fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(text(&latest), text(&root.path().join("merged")), "{name}");
    }
}

/// Rewrites results so that another peer, which no cell has, was up but for one shard.
fn with_other_peer(results: &[String], absent: usize) {
    for (place, path) in results.iter().enumerate() {
        let text = fs::read_to_string(path).unwrap();
        let mut lines = text.lines().map(str::to_owned).collect::<Vec<_>>();
        let of_peer = lines.iter().find(|line| line.starts_with("{\"peer\""));
        let mut peer: Value = serde_json::from_str(of_peer.unwrap()).unwrap();
        peer["peer"]["name"] = json!("other");
        if place == absent {
            peer = json!({ "missing": { "name": "other", "reason": "not built" } });
        }
        lines.insert(1, peer.to_string());
        fs::write(path, lines.join("\n") + "\n").unwrap();
    }
}

#[test]
fn a_peer_that_is_missing_in_one_shard_costs_no_other() {
    let root = root();
    let known = "[[deviation]]\nside = \"server\"\nversions = \"*\"\nrequirement = \"TLS-4\"\n\
        cases = [\"request-mtls/set/absent\"]\nreason = \"none\"\nreference = \"none\"\n";
    let path = root.path().join("peers/rustls/known-deviations.toml");
    fs::write(path, known).unwrap();
    let shards = shards(root.path(), 3, &[]);
    for absent in [0, 1] {
        let parts: Vec<String> = shards.iter().map(|it| format!("{it}.{absent}")).collect();
        for (from, to) in shards.iter().zip(&parts) {
            fs::copy(from, to).unwrap();
        }
        with_other_peer(&parts, absent);
        // A folder of somebody's own stays as it is.
        let merged = root.path().join(format!("merged-{absent}"));
        fs::create_dir(&merged).unwrap();
        fs::set_permissions(&merged, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(merged.join(".reqmtls-of-another"), "").unwrap();
        let paths: Vec<&str> = parts.iter().map(String::as_str).collect();
        let to = ["--to", merged.to_str().unwrap()];
        let (code, _, err) = reqmtls(root.path(), &[&["merge"], &*paths, &to].concat());
        let said = format!("peer other: in shard {}/3: not built\n", absent + 1);
        assert!(code == 3 && err.contains(&said), "{code} {err}");
        assert!(
            err.contains("30 cells: ") && !err.contains("no longer occurs"),
            "{err}"
        );
        let mode = fs::metadata(&merged).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        let mut names: Vec<_> = fs::read_dir(&merged)
            .unwrap()
            .map(|it| it.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, [".reqmtls-of-another", "result.jsonl"]);
        let text = fs::read_to_string(merged.join("result.jsonl")).unwrap();
        let up = text.lines().filter(|line| line.starts_with("{\"peer\""));
        assert_eq!(
            up.filter(|line| line.contains("\"name\":\"other\""))
                .count(),
            1,
            "{text}"
        );
        // Neither there nor missing, it is no peer of that run.
        let whole = fs::read_to_string(&parts[absent]).unwrap();
        let refused = |path: &String| {
            let text = fs::read_to_string(path).unwrap();
            let lines = text.lines();
            let lines = lines.filter(|line| !line.contains("\"name\":\"other\""));
            fs::write(path, lines.collect::<Vec<_>>().join("\n") + "\n").unwrap();
            let (code, _, err) = reqmtls(root.path(), &[&["merge"], &*paths, &to].concat());
            assert_eq!(code, 2, "{err}");
            err
        };
        let err = refused(&parts[absent]);
        let expected = format!("{}: got peer other none, expected rustls ", parts[absent]);
        assert!(err.contains(&expected), "{err}");
        fs::write(&parts[absent], whole).unwrap();
        let others = parts.iter().filter(|path| **path != parts[absent]);
        let errors: Vec<_> = others.map(refused).collect();
        let expected = format!("expected missing as in {}\n", parts[absent]);
        assert!(errors[1].ends_with(&expected), "{errors:?}");
    }
}

#[test]
fn a_shard_that_is_missing_doubled_foreign_or_damaged_is_named() {
    let root = root();
    let shards = shards(root.path(), 3, &[]);
    let [first, second, third] = &*shards else {
        panic!("{shards:?}")
    };
    let merged = |results: &[&str]| {
        let (code, _, err) = reqmtls(root.path(), &[&["merge"], results].concat());
        assert_eq!(code, 2, "{err}");
        err
    };
    let missing = merged(&[third, first]);
    assert_eq!(missing, "error: expected every shard, got none of 2/3\n");
    let doubled = merged(&[first, second, third, second]);
    assert_eq!(
        doubled,
        format!("error: shard 2/3 is there twice: {second} and {second}\n")
    );
    let (code, ..) = reqmtls(root.path(), &["run"]);
    assert_eq!(code, 1);
    let whole = root.path().join("results/latest/result.jsonl");
    let whole = whole.to_str().unwrap();
    let unsplit = merged(&[first, whole]);
    assert_eq!(
        unsplit,
        format!("error: {whole}: expected the result of a run with --shard\n")
    );
    let text = fs::read_to_string(second).unwrap();
    let cells: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("{\"cell\""))
        .collect();
    let damaged = root.path().join("damaged.jsonl");
    let after = |from: &str, to: &str| {
        fs::write(&damaged, text.replacen(from, to, 1)).unwrap();
        merged(&[first, damaged.to_str().unwrap(), third])
    };
    let lost = after(&format!("{}\n", cells[0]), "");
    assert!(
        lost.contains(&format!(
            "got {} cells, expected {}",
            cells.len() - 1,
            cells.len()
        )),
        "{lost}"
    );
    let twice = after(cells[0], cells[1]);
    assert!(twice.contains("--rustls is there twice"), "{twice}");
    let of_first = fs::read_to_string(first).unwrap();
    let other = of_first
        .lines()
        .find(|line| line.starts_with("{\"cell\""))
        .unwrap();
    let moved = after(cells[0], other);
    assert!(moved.contains("--rustls is not of shard 2/3"), "{moved}");
    let flag = self::shards(root.path(), 3, &["--flag", "5"]);
    fs::write(&damaged, &text).unwrap();
    let foreign = merged(&[&flag[0], damaged.to_str().unwrap(), &flag[2]]);
    let expected = format!("damaged.jsonl: got flag 80, expected 5 as in {first}\n");
    assert!(foreign.ends_with(&expected), "{foreign}");
}
