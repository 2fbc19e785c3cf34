//! Builds and installations that are interrupted.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::bench::{Bench, OTHER, terminate, until};

/// A step with a folder to remove and two processes, one of which does not obey. Each writes its number to a file.
const STEP: &str = r#"
cd "$1"
mkdir work
trap 'rmdir work' EXIT
trap 'exit 1' TERM
sh -c 'echo $$ >one; exec sleep 600' &
sh -c 'trap "" TERM; echo $$ >other; exec sleep 600' &
wait
"#;

/// A step that fails where it was before, and does not end the first time.
const AGAIN: &str = r#"
[ ! -e "$1/begun" ] || exit 7
: >"$1/begun"
[ -e again ] || { : >again; sleep 600; }
"#;

/// A bench whose faulty peer needs more, and where its builds are.
fn bench(more: &str) -> (Bench, PathBuf) {
    let bench = Bench::of("none", OTHER);
    let manifest = bench.root().join("peers/faulty/peer.toml");
    let text = fs::read_to_string(&manifest).unwrap() + more;
    fs::write(manifest, text).unwrap();
    let prepared = bench.root().join("reqmtls/prepared");
    (bench, prepared)
}

fn prepare(script: &str, argument: &Path) -> (Bench, PathBuf) {
    let command = ["sh", "-c", script, "sh", argument.to_str().unwrap()];
    bench(&format!("[[prepare]]\ncommand = {command:?}\n"))
}

/// A run with its own folder of builds.
fn run(bench: &Bench, more: &[&str]) -> Command {
    let mut run = bench.command(&[&[OTHER, "--mode", "process"], more].concat());
    run.env("XDG_CACHE_HOME", bench.root());
    run
}

fn kill(child: &Child) {
    kill_process(id(child), Signal::KILL).unwrap();
}

fn id(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed()).unwrap()
}

/// The file of a folder whose name begins and ends so.
fn find(folder: &Path, start: &str, end: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths = entries.map(|entry| entry.unwrap().path());
    paths.find(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with(start) && name.ends_with(end)
    })
}

#[test]
fn an_interrupted_build_leaves_no_process_and_its_lock_goes_last() {
    for signal in [terminate, kill] {
        let at = tempfile::tempdir().unwrap();
        let at = at.path();
        let (bench, prepared) = prepare(STEP, at);
        let mut run = run(&bench, &[]).stderr(Stdio::null()).spawn().unwrap();
        let files = [at.join("one"), at.join("other")];
        let read = |file: &PathBuf| fs::read_to_string(file).unwrap_or_default();
        until("the step runs", || {
            files.iter().all(|file| read(file).ends_with('\n'))
        });
        let lock = File::open(find(&prepared, "faulty-", ".lock").unwrap()).unwrap();
        assert!(lock.try_lock().is_err());
        signal(&run);
        run.wait().unwrap();
        until("the lock is free", || lock.try_lock().is_ok());
        for file in &files {
            let process = Path::new("/proc").join(read(file).trim());
            // One that has ended may still be listed, until init has reaped it, but runs nothing.
            let runs = fs::read_link(process.join("exe"));
            assert!(runs.is_err(), "{} is left", process.display());
        }
        assert!(!at.join("work").exists(), "the step did not clean up");
    }
}

#[test]
fn what_a_killed_run_was_preparing_goes_with_the_next() {
    let (bench, prepared) = prepare(AGAIN, Path::new("{out}"));
    let unfinished = || find(&prepared, "unfinished-faulty-", "");
    let mut killed = run(&bench, &[]).stderr(Stdio::null()).spawn().unwrap();
    let again = bench.root().join("peers/faulty/again");
    until("the step runs", || again.exists());
    kill(&killed);
    killed.wait().unwrap();
    assert!(unfinished().is_some());
    let next = run(&bench, &[]).output().unwrap();
    let err = String::from_utf8(next.stderr).unwrap();
    assert!(err.contains("peer faulty: rustls "), "{err}");
    assert!(unfinished().is_none());
}

#[test]
fn an_installation_goes_on_when_the_run_that_began_it_is_interrupted() {
    let (bench, _) = bench("[[tool]]\nprogram = \"no-such-program\"\npackage = \"some\"\n");
    let folder = bench.root().join("bin");
    fs::create_dir(&folder).unwrap();
    let at = folder.display();
    let install = format!(
        "#!/bin/sh\ncase \"$*\" in *install*) ;; *) exit ;; esac\n>{at}/begun\n\
         until [ -e {at}/go ] || [ ! -d {at} ]; do sleep 0.05; done\n\
         echo warning >&2 && >{at}/done\n"
    );
    let sudo = "#!/bin/sh\nexec \"$@\"\n";
    for (name, script) in [("apt-get", &*install), ("sudo", sudo)] {
        let path = folder.join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{at}:{}", std::env::var("PATH").unwrap());
    let mut run = run(&bench, &["--install"]);
    run.env("PATH", path).process_group(0);
    let run = run.stderr(Stdio::piped()).spawn().unwrap();
    until("apt-get runs", || folder.join("begun").exists());
    // As a terminal does it: to all of the harness's group.
    kill_process_group(id(&run), Signal::TERM).unwrap();
    let output = run.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{err}");
    assert!(err.contains("installing some: apt-get goes on"), "{err}");
    fs::write(folder.join("go"), "").unwrap();
    until("apt-get has ended", || folder.join("done").exists());
}
