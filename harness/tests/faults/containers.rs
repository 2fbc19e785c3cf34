//! Faults in containers, and what a container can reach. Without an engine these tests say that they are skipped;
//! with `REQMTLS_REQUIRE_ENGINE=1` they fail.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{self, BufRead};
use std::iter;
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::ListContainersOptions;
use reqmtls::peer::{Engine, Program, RunningPeer};
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinSet;

use crate::bench::{Bench, OTHER, Ran, STRUCK, example};
use crate::signals::SIGNALS;

/// Held by the one test that has containers: they are counted.
static TURN: Mutex<()> = Mutex::const_new(());

/// The container engine, if there is one.
async fn engine() -> Option<(Arc<Engine>, Docker, MutexGuard<'static, ()>)> {
    let turn = TURN.lock().await;
    match Engine::connect().await {
        Ok(engine) => Some((engine, Docker::connect_with_defaults().unwrap(), turn)),
        Err(reason) => {
            let required = std::env::var_os("REQMTLS_REQUIRE_ENGINE").is_some();
            assert!(!required, "no container engine answers: {reason}");
            println!("skipped: no container engine answers: {reason}");
            None
        }
    }
}

/// A container, and where it stands in the engine's network.
#[derive(Debug)]
struct Found {
    id: String,
    address: String,
    /// The address of its host there.
    host: String,
    /// The address of this machine at which it is published.
    published: Option<String>,
}

/// The containers of peers of this name, in any state.
async fn containers(docker: &Docker, peer: &str) -> Vec<Found> {
    let label = vec![format!("reqmtls.peer={peer}")];
    let options = ListContainersOptions {
        all: true,
        filters: Some(HashMap::from([("label".to_owned(), label)])),
        ..ListContainersOptions::default()
    };
    let all = docker.list_containers(Some(options)).await.unwrap();
    let found = all.into_iter().map(|it| {
        let networks = it.network_settings.and_then(|it| it.networks);
        let network = networks.unwrap_or_default().into_values().next();
        let network = network.unwrap_or_default();
        Found {
            id: it.id.unwrap(),
            address: network.ip_address.unwrap_or_default(),
            host: network.gateway.unwrap_or_default(),
            published: it
                .ports
                .unwrap_or_default()
                .into_iter()
                .find_map(|it| it.ip),
        }
    });
    found.collect()
}

async fn gone(docker: &Docker, peer: &str) {
    let wait = async {
        while !containers(docker, peer).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(10), wait).await;
    let left = containers(docker, peer).await;
    assert!(waited.is_ok(), "left behind: {left:?}");
}

fn dialler(addresses: &str) -> Program {
    Program {
        arguments: ["--fault", "dials", "--case", addresses]
            .map(str::to_owned)
            .to_vec(),
        ..Program::alone(example())
    }
}

/// Everything that a process of this machine reaches is out of a container's reach.
#[tokio::test]
async fn a_container_reaches_neither_its_host_nor_its_neighbour() {
    let Some((engine, docker, _turn)) = engine().await else {
        return;
    };
    let service = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = service.local_addr().unwrap().port();
    let neighbour = RunningPeer::container("neighbour", &dialler(""), &engine)
        .await
        .unwrap();
    let [Found { address, host, .. }] = &containers(&docker, "neighbour").await[..] else {
        panic!("expected one neighbour");
    };
    let addresses = [format!("{host}:{port}"), format!("{address}:7443")];
    let dialler = dialler(&addresses.join(","));
    let process = RunningPeer::process("dialler", &dialler).await.unwrap();
    let container = RunningPeer::container("dialler", &dialler, &engine)
        .await
        .unwrap();
    for address in &addresses {
        let opened = format!("{address} opened");
        assert!(
            process.description.library.contains(&opened),
            "{}",
            process.description.library
        );
        let refused = format!("{address} permission denied");
        assert!(
            container.description.library.contains(&refused),
            "{}",
            container.description.library
        );
    }
    for peer in [neighbour, process, container] {
        peer.stop().await;
    }
    engine.end().await;
    gone(&docker, "neighbour").await;
    gone(&docker, "dialler").await;
}

#[tokio::test]
async fn what_ends_in_a_container_is_named_and_costs_its_own_cells() {
    let Some((_, docker, _turn)) = engine().await else {
        return;
    };
    for (fault, words) in [
        (
            "dies preparing",
            "it ended (exit code: 7); its last words: first / out of \\u{1b}[31m<script>",
        ),
        ("eats memory", "it ended (exit code: 137, killed by SIGKILL"),
    ] {
        let bench = Bench::new(fault);
        let ran = bench.run_as(&[STRUCK, OTHER, "--mode", "container", "--jobs", "1"]);
        println!("{}", ran.err);
        ran.costs_only_what_it_touches();
        ran.says(words);
        assert_eq!(ran.count("was lost:"), 3, "{fault}:\n{}", ran.err);
        assert_eq!(ran.code, Some(3));
        gone(&docker, "faulty").await;
    }
}

#[tokio::test]
async fn a_container_that_does_not_go_by_itself_goes_with_the_next_run() {
    let Some((_, docker, _turn)) = engine().await else {
        return;
    };
    let bench = Bench::of("hangs", OTHER);
    let arguments = [OTHER, "--mode", "container", "--timeout", "60"];
    let mut run = bench
        .command(&arguments)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let wait = async {
        loop {
            // Paused in the middle of its life, as a frozen machine leaves it.
            if let Some(it) = containers(&docker, "faulty").await.first()
                && docker.pause_container(&it.id).await.is_ok()
            {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait)
        .await
        .unwrap();
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(containers(&docker, "faulty").await.len(), 1);
    Engine::connect().await.unwrap();
    gone(&docker, "faulty").await;
}

/// A harness in a container has a namespace of processes of its own, and may have the name of its host.
#[tokio::test]
async fn a_harness_that_cannot_see_a_run_leaves_its_containers() {
    let Some((_, docker, _turn)) = engine().await else {
        return;
    };
    let own_processes = ["--pid", "--fork", "--mount-proc", "--map-root-user"];
    match unshare(own_processes, &["true".as_ref()]) {
        Ok(output) if output.status.success() => {}
        other => {
            println!("skipped: unshare makes no namespace of processes: {other:?}");
            return;
        }
    }
    let [bench, other] = ["hangs", "none"].map(|fault| Bench::of(fault, OTHER));
    let arguments = [OTHER, "--mode", "container", "--timeout", "60"];
    let mut run = bench.command(&arguments);
    let mut run = run.stderr(Stdio::null()).spawn().unwrap();
    let wait = async {
        loop {
            if let Some(it) = containers(&docker, "faulty").await.pop() {
                break it.id;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let started = tokio::time::timeout(Duration::from_secs(30), wait).await;
    let output = unshare(own_processes, &words(&other.command(&arguments))).unwrap();
    let left = containers(&docker, "faulty").await;
    SIGNALS[0](&run);
    run.wait().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("4 conforms"), "{err}");
    let ids: Vec<_> = left.into_iter().map(|it| it.id).collect();
    assert_eq!(ids, [started.unwrap()]);
    gone(&docker, "faulty").await;
}

/// Runs a command in namespaces of its own.
fn unshare<const N: usize>(
    namespaces: [&str; N],
    command: &[&OsStr],
) -> io::Result<std::process::Output> {
    let mut unshare = std::process::Command::new("unshare");
    unshare.args(namespaces).args(command).output()
}

fn words(command: &std::process::Command) -> Vec<&OsStr> {
    iter::once(command.get_program())
        .chain(command.get_args())
        .collect()
}

/// What goes between a harness and the engine.
async fn relay(mut harness: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<(u64, u64)> {
    let mut engine = UnixStream::connect("/var/run/docker.sock").await?;
    copy_bidirectional(&mut harness, &mut engine).await
}

#[tokio::test]
async fn an_engine_behind_an_address_has_peers_at_that_address() {
    let Some((_, docker, _turn)) = engine().await else {
        return;
    };
    let bench = Bench::of("hangs", OTHER);
    let listener = tokio::net::TcpListener::bind("127.0.0.2:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let between = tokio::spawn(async move {
        let mut open = JoinSet::new();
        loop {
            open.spawn(relay(listener.accept().await.unwrap().0));
        }
    });
    let arguments = ["--mode", "container", "--timeout", "2", "--jobs", "1"];
    let run = bench
        .command(&[&[OTHER, STRUCK], &arguments[..]].concat())
        .env("DOCKER_HOST", format!("tcp://{address}"))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let wait = async {
        loop {
            let found = containers(&docker, "faulty").await;
            if let Some(at) = found.iter().find_map(|it| it.published.clone()) {
                break at;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let published = tokio::time::timeout(Duration::from_secs(30), wait).await;
    let ended = tokio::task::spawn_blocking(move || run.wait_with_output());
    let output = ended.await.unwrap().unwrap();
    between.abort();
    let ran = Ran {
        code: output.status.code(),
        err: String::from_utf8(output.stderr).unwrap(),
        cells: bench.cells(),
    };
    assert_eq!(published.as_deref(), Ok("127.0.0.2"), "{}", ran.err);
    ran.is_touched_in(OTHER);
    gone(&docker, "faulty").await;
}

/// The engine's loopback is not the harness's, as where its socket is another machine's.
#[tokio::test]
async fn a_peer_that_is_published_elsewhere_is_named_with_the_address() {
    let Some((_, docker, _turn)) = engine().await else {
        return;
    };
    let own_network = ["--net", "--map-root-user"];
    match unshare(own_network, &["true".as_ref()]) {
        Ok(output) if output.status.success() => {}
        other => {
            println!("skipped: unshare makes no network: {other:?}");
            return;
        }
    }
    let bench = Bench::of("hangs", OTHER);
    let run = bench.command(&[OTHER, "--mode", "container"]);
    let output = unshare(own_network, &words(&run)).unwrap();
    let ran = Ran {
        code: output.status.code(),
        err: String::from_utf8(output.stderr).unwrap(),
        cells: bench.cells(),
    };
    ran.says("peer faulty: not started: at 127.0.0.1:");
    ran.says(", where the engine has published it: cannot connect to 127.0.0.1:");
    ran.says("; expected an engine on this machine, or one that DOCKER_HOST names by its address");
    assert_eq!(ran.code, Some(3));
    gone(&docker, "faulty").await;
}

/// An engine that ceases to answer takes no cell along: what runs in it still does.
#[tokio::test]
async fn an_engine_that_goes_away_in_the_middle_of_a_run_costs_no_cell() {
    let Some((_, docker, _turn)) = engine().await else {
        return;
    };
    let bench = Bench::of("hangs", OTHER);
    let socket = bench.root().join("engine.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let between = tokio::spawn(async move {
        let mut open = JoinSet::new();
        loop {
            open.spawn(relay(listener.accept().await.unwrap().0));
        }
    });
    let arguments = ["--mode", "container", "--timeout", "2", "--jobs", "1"];
    let mut run = bench
        .command(&[&[OTHER, STRUCK], &arguments[..]].concat())
        .env("DOCKER_HOST", format!("unix://{}", socket.display()))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = io::BufReader::new(run.stderr.take().unwrap()).lines();
    let mut err = String::new();
    let ran = tokio::task::spawn_blocking(move || {
        for line in &mut lines {
            err += &(line.unwrap() + "\n");
            if err.contains("failed: ") {
                // Cells run now.
                between.abort();
            }
        }
        (run.wait().unwrap().code(), err)
    });
    let (code, err) = ran.await.unwrap();
    println!("{err}");
    let ran = Ran {
        code,
        err,
        cells: bench.cells(),
    };
    ran.is_touched_in(OTHER);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    Engine::connect().await.unwrap();
    gone(&docker, "faulty").await;
}

#[tokio::test]
async fn an_interrupt_at_any_moment_leaves_no_container() {
    let Some((_, docker, _turn)) = engine().await else {
        return;
    };
    let bench = Bench::of("hangs", STRUCK);
    // The image, which takes longest.
    bench.run_as(&[OTHER, "--mode", "container"]);
    for moment in 0..20 {
        let mut run = bench.command(&[STRUCK, OTHER, "--mode", "container"]);
        let mut run = run.stderr(Stdio::null()).spawn().unwrap();
        // Not to wait for anything: to meet the run in every state.
        tokio::time::sleep(Duration::from_millis(45) * moment).await;
        SIGNALS[moment as usize % 2](&run);
        run.wait().unwrap();
        let left = containers(&docker, "faulty").await;
        assert!(left.is_empty(), "moment {moment}: {left:?}");
    }
}
