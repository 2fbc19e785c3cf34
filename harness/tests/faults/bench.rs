//! A run of two cases between the in-tree peer and one with a fault that strikes in the first case.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// The case in whose cells the fault strikes.
pub(crate) const STRUCK: &str = "request-mtls/set/absent/require-on-flag";
/// A case that the fault has nothing to do with.
pub(crate) const OTHER: &str = "request-mtls/set/present/require-on-flag";

/// A folder with scenarios, the in-tree peer, and a peer called `faulty`.
pub(crate) struct Bench(TempDir);

/// What a run left behind.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) err: String,
    /// Case, pairing and conformance of each cell, and why if it was not judged.
    pub(crate) cells: Vec<(String, String, String, String)>,
}

impl Bench {
    pub(crate) fn new(fault: &str) -> Self {
        Self::of(fault, STRUCK)
    }

    pub(crate) fn of(fault: &str, case: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for folder in ["scenarios", "peers/rustls", "peers/faulty"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        for file in ["scenarios/request-mtls.toml", "peers/rustls/peer.toml"] {
            fs::copy(workspace.join(file), root.path().join(file)).unwrap();
        }
        let folder = root.path().join("peers/faulty");
        let manifest = format!(
            "name = \"faulty\"\nprogram = \"run\"\narguments = [\"--fault\", {fault:?}, \"--case\", {case:?}]\n"
        );
        fs::write(folder.join("peer.toml"), manifest).unwrap();
        fs::copy(example(), folder.join("run")).unwrap();
        Self(root)
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("reqmtls"));
        command.arg("--root").arg(self.root()).arg("run");
        command.args(arguments).stdin(Stdio::null());
        command
    }

    /// Runs both cases, as processes, on every pairing.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let mut all = vec![STRUCK, OTHER, "--mode", "process", "--timeout", "1"];
        all.extend(arguments);
        self.run_as(&all)
    }

    pub(crate) fn run_as(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().unwrap();
        let ran = Ran {
            code: output.status.code(),
            err: String::from_utf8(output.stderr).unwrap(),
            cells: self.cells(),
        };
        self.is_clean(&ran.err);
        ran
    }

    pub(crate) fn cells(&self) -> Vec<(String, String, String, String)> {
        let path = self.root().join("results/latest/result.jsonl");
        let text = fs::read_to_string(path).unwrap_or_default();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let cells = lines.filter_map(|mut line: Value| Some(line.get_mut("cell")?.take()));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let cell = |cell: Value| {
            let peer = |side: &str| text(&cell[side]["peer"]);
            let pairing = format!("{}--{}", peer("client"), peer("server"));
            let reason = cell.get("reason").map(Value::to_string);
            let reason = reason.unwrap_or_default();
            (
                text(&cell["case"]),
                pairing,
                text(&cell["conformance"]),
                reason,
            )
        };
        cells.map(cell).collect()
    }

    /// No process of the faulty program is left, no container, and of files only the results.
    #[track_caller]
    pub(crate) fn is_clean(&self, err: &str) {
        let program = self.root().join("peers/faulty/run");
        let left: Vec<_> = processes(&program).collect();
        assert!(left.is_empty(), "left behind: {left:?}\n{err}");
        let latest = self.root().join("results/latest");
        for entry in fs::read_dir(latest).into_iter().flatten() {
            let name = entry.unwrap().file_name();
            let name = name.to_string_lossy().into_owned();
            assert!(!name.starts_with(".reqmtls-"), "left behind: {name}\n{err}");
        }
    }
}

impl Ran {
    /// Whether a cell of a case was between these two, and its conformance and reason.
    #[track_caller]
    pub(crate) fn cell(&self, case: &str, pairing: &str) -> (&str, &str) {
        let mut cells = self.cells.iter();
        let found = cells.find(|(of, with, ..)| of == case && with == pairing);
        let (_, _, conformance, reason) = found.unwrap_or_else(|| {
            panic!(
                "no cell of {case} {pairing} in {:?}\n{}",
                self.cells, self.err
            )
        });
        (conformance, reason)
    }

    /// Every cell but the faulty peer's own in the case in which it strikes conforms.
    #[track_caller]
    pub(crate) fn costs_only_what_it_touches(&self) {
        self.is_touched_in(STRUCK);
    }

    /// Every cell but the faulty peer's own in this case conforms.
    #[track_caller]
    pub(crate) fn is_touched_in(&self, touched: &str) {
        for (case, pairing, conformance, reason) in &self.cells {
            let is_touched = case == touched && pairing.contains("faulty");
            if !is_touched {
                assert_eq!(
                    conformance, "conforms",
                    "{case} {pairing} {reason}\n{}",
                    self.err
                );
            }
        }
        assert_eq!(self.cells.len(), 8, "{}", self.err);
    }

    /// How many lines of what was written contain these words.
    pub(crate) fn count(&self, words: &str) -> usize {
        self.err.lines().filter(|line| line.contains(words)).count()
    }

    #[track_caller]
    pub(crate) fn says(&self, words: &str) {
        assert!(
            self.err.contains(words),
            "expected {words:?} in\n{}",
            self.err
        );
    }
}

/// The faulty program: an example, which `cargo test` builds beside the tests.
pub(crate) fn example() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let profile = tests.parent().and_then(Path::parent).unwrap();
    let program = profile.join("examples/faulty");
    assert!(
        program.is_file(),
        "{} is not built, expected cargo test without --test, or cargo build --release --examples before",
        program.display()
    );
    program
}

/// The processes that run a program.
pub(crate) fn processes(program: &Path) -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(move |id| {
        let runs = fs::read_link(format!("/proc/{id}/exe"));
        runs.is_ok_and(|runs| runs == program)
    })
}

/// Waits for something that another process does.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "expected that {what}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Sends SIGINT, as Ctrl-C does, to a run that listens for it. Where tests run in the background it is ignored before.
pub(crate) fn interrupt(child: &Child) {
    send(child, rustix::process::Signal::INT);
}

/// Sends SIGTERM, which ends a run at any moment.
pub(crate) fn terminate(child: &Child) {
    send(child, rustix::process::Signal::TERM);
}

fn send(child: &Child, signal: rustix::process::Signal) {
    let id = i32::try_from(child.id()).unwrap();
    let id = rustix::process::Pid::from_raw(id).unwrap();
    rustix::process::kill_process(id, signal).unwrap();
}
