//! Every command of the pages is one that works: each is run, where the tutorials' own scenario and peer are.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use assert_cmd::Command;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use tempfile::TempDir;

/// The most seconds that one command may take.
const LONGEST: Duration = Duration::from_mins(3);

/// The programs that pages name.
const PROGRAMS: [&str; 9] = [
    "reqmtls",
    "cargo",
    "make",
    "bash",
    "curl",
    "docker",
    "openssl",
    "harness/fuzz/run",
    "INSTA_UPDATE=always",
];

/// What stands for the words of a page that a reader replaces.
const PLACEHOLDERS: [(&str, &str); 10] = [
    ("CASE", "request-mtls/unmodified/absent/require"),
    ("CLIENT--SERVER", "rustls--rustls"),
    ("PROGRAM", "peers/python/peer.py"),
    ("path/to/peer", "peers/python/peer.py"),
    ("yours", "python"),
    ("INPUT", "results/latest/run.pcapng"),
    ("CAPTURE", "results/latest/run.pcapng"),
    ("BEFORE", "results/latest/result.jsonl"),
    ("AFTER", "results/latest/result.jsonl"),
    ("SHELL", "bash"),
];

/// What a run takes for which the page names no case, and what has been run when a page begins.
const CASES: &str = "request-mtls/unmodified/absent";

/// The commands that are not run, and why.
const NOT_RUN: [(&str, &str); 28] = [
    ("cargo run --release --", "what `reqmtls` stands for"),
    (
        "make matrix",
        "the whole matrix: the workflow of the project runs it",
    ),
    ("make test", "all tests"),
    ("cargo test", "all tests"),
    ("cargo insta review", "asks a person"),
    ("bash .ci/run", "all tests"),
    (
        "INSTA_UPDATE=always cargo test --test matrix",
        "writes to the checkout",
    ),
    (
        "INSTA_UPDATE=always cargo test --lib reference",
        "writes to the checkout",
    ),
    ("harness/fuzz/run SECONDS", "the last step of .ci/run"),
    (
        "cargo bench --bench floors > docs/benchmarks.md",
        "takes minutes, and a quiet machine",
    ),
    (
        "cargo nextest run --partition slice:1/4",
        "needs cargo-nextest",
    ),
    ("cargo test --doc", "all doctests"),
    (
        "cargo install --path harness",
        "builds all: tests/installed has what it does",
    ),
    (
        "reqmtls merge shard-*/result.jsonl --to merged",
        "needs shards: tests/reports",
    ),
    ("reqmtls merge RESULT…", "the same"),
    ("reqmtls report merged/result.jsonl", "the same"),
    (
        "reqmtls merge shards/*/latest/result.jsonl --to merged",
        "needs shards: tests/swarm",
    ),
    ("reqmtls image", "needs a container engine: tests/swarm"),
    (
        r#"docker run --rm --network none --read-only --user "$(id -u):$(id -g)" -v "$PWD/of-image:/results" "$(reqmtls image)""#,
        "the same",
    ),
    (
        r"docker service create --name reqmtls --detach --mode replicated-job --replicas 4 --restart-condition none \",
        "the same",
    ),
    (
        "curl --cacert results/latest/serve/authority.pem https://localhost:4433/json",
        "tests/serve has curl there",
    ),
    ("openssl s_server -www -verify 3", "tests/probe has servers"),
    ("reqmtls probe HOST:PORT", "needs a server: tests/probe"),
    (
        "reqmtls programs",
        "starts what is installed: tests/programs",
    ),
    ("reqmtls programs nginx", "the same"),
    ("reqmtls peers --install", "installs packages: .ci/run"),
    ("reqmtls peers --build", "builds C libraries: .ci/run"),
    ("reqmtls peers --test", "the same"),
];

fn root() -> PathBuf {
    let harness = Path::new(env!("CARGO_MANIFEST_DIR"));
    harness.parent().unwrap().to_owned()
}

/// The pages, by their names.
fn pages() -> Vec<(String, String)> {
    let docs = fs::read_dir(root().join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    let docs = docs.filter(|path| path.extension().is_some_and(|it| it == "md"));
    let name = |path: PathBuf| format!("docs/{}", path.file_name().unwrap().display());
    let mut names: Vec<_> = docs.map(name).collect();
    names.sort();
    let others = [
        "README.md",
        "CONTRIBUTING.md",
        "peers/README.md",
        "peers/programs/README.md",
        "scenarios/README.md",
    ];
    names.extend(others.map(str::to_owned));
    let read = |name: String| {
        let text = fs::read_to_string(root().join(&name)).unwrap();
        (name, text)
    };
    names.into_iter().map(read).collect()
}

/// The code of a page, each piece with the language of its block; absent: it stands in a line of text.
fn code(page: &str) -> Vec<(Option<String>, String)> {
    let (mut found, mut block) = (Vec::new(), None);
    for event in Parser::new_ext(page, Options::ENABLE_TABLES) {
        match event {
            Event::Code(text) => found.push((None, text.into_string())),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                block = Some((language.into_string(), String::new()));
            }
            Event::Text(text) => {
                if let Some((_, code)) = &mut block {
                    code.push_str(&text);
                }
            }
            Event::End(TagEnd::CodeBlock) => {
                found.extend(block.take().map(|(language, code)| (Some(language), code)));
            }
            _ => {}
        }
    }
    found
}

/// The commands of a page, in its order, without what may be left out.
fn commands(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (language, code) in code(page) {
        if !matches!(language.as_deref(), None | Some("" | "yaml")) {
            continue;
        }
        for line in code.lines() {
            let line = line.split(" #").next().unwrap_or_default().trim();
            let line = line.trim_start_matches("- ").trim_start_matches("run: ");
            let words: Vec<_> = line.split_whitespace().collect();
            // A word in a text is a name, and so is a subcommand, which is there if its help is.
            match words[..] {
                ["reqmtls", _] if language.is_none() => found.push(format!("{line} --help")),
                [program, _, ..] if PROGRAMS.contains(&program) => {
                    let needed = words.iter().filter(|word| !word.starts_with('['));
                    let line = needed.copied().collect::<Vec<_>>().join(" ");
                    let own = line.split_once(" -- ").filter(|_| program == "cargo");
                    found.push(own.map_or(line.clone(), |(_, own)| format!("reqmtls {own}")));
                }
                _ => {}
            }
        }
    }
    found
}

/// The one block of a page in a language.
fn block(page: &str, language: &str) -> String {
    let code = code(page).into_iter();
    let of = code.filter(|(it, _)| it.as_deref() == Some(language));
    let [(_, text)] = &of.collect::<Vec<_>>()[..] else {
        panic!("expected one block in {language}");
    };
    text.clone()
}

/// A root with all scenarios, the in-process peer, and what the tutorials add.
fn workspace(pages: &[(String, String)]) -> TempDir {
    let place = tempfile::tempdir().unwrap();
    let page = |name: &str| &pages.iter().find(|(it, _)| it == name).unwrap().1;
    let put = |name: &str, text: &str| {
        let path = place.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    };
    for entry in fs::read_dir(root().join("scenarios")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let name = format!("scenarios/{}", path.file_name().unwrap().display());
            put(&name, &fs::read_to_string(path).unwrap());
        }
    }
    let manifest = fs::read_to_string(root().join("peers/rustls/peer.toml")).unwrap();
    put("peers/rustls/peer.toml", &manifest);
    let scenario = block(page("docs/add-a-scenario.md"), "toml");
    put("scenarios/require-on-flag.toml", &scenario);
    let peer = page("docs/add-a-peer.md");
    put("peers/python/peer.toml", &block(peer, "toml"));
    let program = put("peers/python/peer.py", &block(peer, "python"));
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    place
}

/// The command as it is run: with something in the place of each placeholder, and a run of few cases.
fn as_run(command: &str, scenarios: &[String]) -> String {
    let word = |word: &str| {
        let found = PLACEHOLDERS
            .iter()
            .find(|(placeholder, _)| *placeholder == word);
        found.map_or(word.to_owned(), |(_, stands)| (*stands).to_owned())
    };
    let words: Vec<_> = command.split_whitespace().map(word).collect();
    let names_case = |word: &String| scenarios.iter().any(|it| word.starts_with(&**it));
    let names_none = command.starts_with("reqmtls run") && !words.iter().any(names_case);
    let words = words.join(" ");
    if names_none {
        return format!("{words} {CASES}");
    }
    words
}

/// Runs it as a reader does, and returns its exit code and what it wrote.
fn run(place: &Path, command: &str) -> (Option<i32>, String) {
    let program = assert_cmd::cargo::cargo_bin("reqmtls");
    let path = format!(
        "{}:{}",
        program.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let mut shell = Command::new("sh");
    shell
        .args(["-c", command])
        .current_dir(place)
        .env("PATH", path);
    let output = shell
        .env_remove("GITHUB_ACTIONS")
        .timeout(LONGEST)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn every_command_of_the_pages_works() {
    let pages = pages();
    let (mut left, mut checked) = (
        BTreeSet::from(NOT_RUN.map(|(command, _)| command)),
        BTreeSet::new(),
    );
    for (name, page) in &pages {
        let place = workspace(&pages);
        let entries = fs::read_dir(place.path().join("scenarios")).unwrap();
        let stem = |entry: std::io::Result<fs::DirEntry>| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .map(|it| it.display().to_string())
        };
        let scenarios: Vec<_> = entries.filter_map(stem).collect();
        run(
            place.path(),
            &format!("reqmtls run {CASES} --client rustls --server rustls"),
        );
        for command in commands(page) {
            if NOT_RUN.iter().any(|(listed, _)| *listed == command) {
                left.remove(&*command);
                continue;
            }
            let command = as_run(&command, &scenarios);
            // What a check finds does not depend on the page.
            if command.starts_with("reqmtls check-peer") && !checked.insert(command.clone()) {
                continue;
            }
            let (code, text) = run(place.path(), &command);
            // Findings, and transcripts that nobody has accepted yet, are 1; a peer that follows the contract is 0.
            let most = i32::from(!command.starts_with("reqmtls check-peer"));
            assert!(
                code.is_some_and(|code| code <= most),
                "{name}: {command}: {code:?}\n{text}"
            );
        }
    }
    assert!(
        left.is_empty(),
        "no page has these commands any more: {left:?}"
    );
}

#[test]
fn commands_are_those_of_known_programs() {
    let page = "`reqmtls`, `reqmtls list\nx [CASE…]` and `other x`, `reqmtls a`\n\n```\nreqmtls b  # why\nC  ClientHello\n```\n\n\
                ```yaml\n- run: cargo run --release -- run x\n```\n\n```toml\nmake = 1\nmake it\n```\n";
    assert_eq!(
        commands(page),
        [
            "reqmtls list x",
            "reqmtls a --help",
            "reqmtls b",
            "reqmtls run x"
        ]
    );
}
