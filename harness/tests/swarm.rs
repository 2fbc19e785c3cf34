//! A run as tasks of a cluster: an image of the harness and a peer, as a replicated job of a swarm of this machine alone.
//! Without an engine this says that it is skipped; with `REQMTLS_REQUIRE_ENGINE=1` it fails.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use assert_cmd::Command;
use bollard::Docker;
use bollard::models::{
    LocalNodeState, Mount, MountType, ServiceSpec, ServiceSpecMode, ServiceSpecModeReplicatedJob,
    SwarmInitRequest, SwarmSpec, Task, TaskSpec, TaskSpecContainerSpec, TaskSpecRestartPolicy,
    TaskSpecRestartPolicyConditionEnum, TaskState,
};
use bollard::query_parameters::{
    LeaveSwarmOptions, ListContainersOptions, ListTasksOptions, RemoveContainerOptions,
    RemoveImageOptions,
};
use futures_util::FutureExt;
use rustix::process::{getegid, geteuid};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

/// How many tasks the run has.
const TASKS: i64 = 3;

/// Cells with findings that are known, and without.
const CASES: [&str; 3] = [
    "request-mtls/set",
    "unsolicited/unmodified/certificate",
    "encoding-certificate/unmodified",
];

/// The number of a task's shard. Of the first task, whose slot is 0, the engine gives the node's id in its place.
const SHARD: &str = "{{if eq .Task.Slot .Node.ID}}0{{else}}{{.Task.Slot}}{{end}}";

/// By which a swarm is known that a test made, also one that was killed.
const LABEL: &str = "reqmtls.test";

/// Where the tasks find the folder of results.
const RESULTS: &str = "/results";

/// How long the engine may take for what it does behind an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long all tasks may take.
const LONGEST: Duration = Duration::from_mins(2);

/// A root folder with every scenario, the reference, and it once more as a program.
fn root() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for folder in ["scenarios", "peers/rustls", "peers/faulty"] {
        fs::create_dir_all(root.path().join(folder)).unwrap();
    }
    for entry in fs::read_dir(workspace.join("scenarios")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            let name = entry.file_name();
            fs::copy(entry.path(), root.path().join("scenarios").join(name)).unwrap();
        }
    }
    let known = workspace.join("peers/rustls/known-deviations.toml");
    for peer in ["rustls", "faulty"] {
        let own = root.path().join("peers").join(peer);
        fs::copy(&known, own.join("known-deviations.toml")).unwrap();
    }
    let manifest = root.path().join("peers/rustls/peer.toml");
    fs::copy(workspace.join("peers/rustls/peer.toml"), manifest).unwrap();
    let faulty = root.path().join("peers/faulty");
    // An example, which `cargo test` builds beside the tests; without a fault.
    let program = assert_cmd::cargo::cargo_bin("reqmtls").with_file_name("examples/faulty");
    assert!(
        program.is_file(),
        "{} is not built, expected cargo test without --test, or cargo build --release --examples before",
        program.display()
    );
    fs::copy(program, faulty.join("run")).unwrap();
    let manifest = "name = \"faulty\"\nprogram = \"run\"\narguments = [\"--fault\", \"none\", \"--case\", \"none\"]\n";
    fs::write(faulty.join("peer.toml"), manifest).unwrap();
    root
}

/// Runs a command on a root folder: what it wrote to stdout.
#[track_caller]
fn reqmtls(root: &Path, arguments: &[&str]) -> String {
    let mut command = Command::cargo_bin("reqmtls").unwrap();
    command.arg("--root").arg(root).args(arguments);
    command.env_remove("GITHUB_ACTIONS").timeout(LONGEST);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {text}");
    String::from_utf8(output.stdout).unwrap()
}

/// Case and pairing of each cell of a result, and how it is judged.
fn cells(result: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(result).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let cells = lines.filter_map(|mut line: Value| Some(line.get_mut("cell")?.take()));
    let cell = |cell: Value| {
        let [client, server] = ["client", "server"].map(|side| &cell[side]["peer"]);
        let judged = ["conformance", "drift", "findings"].map(|key| cell[key].to_string());
        (
            format!("{} {client} {server}", cell["case"]),
            judged.join(" "),
        )
    };
    cells.map(cell).collect()
}

/// Waits for something that the engine does behind its answer.
async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let wait = async {
        loop {
            if let Some(found) = look().await {
                break found;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    let waited = timeout(PATIENCE, wait).await;
    waited.unwrap_or_else(|_| panic!("expected that {what} within {} s", PATIENCE.as_secs()))
}

/// What of the engine is made for the test, and goes with it.
struct Cluster {
    docker: Docker,
    /// Whether the swarm is the test's.
    is_own: bool,
    /// Whether the bridge that every swarm has was there before.
    had_bridge: bool,
    image: String,
    service: Option<String>,
}

impl Cluster {
    /// The swarm that the engine is in, or one of its own.
    async fn of(docker: Docker, image: String) -> Self {
        let swarm = docker.info().await.unwrap().swarm.unwrap_or_default();
        let is_in = swarm.local_node_state == Some(LocalNodeState::ACTIVE);
        let mut is_left = false;
        if is_in && let Ok(swarm) = docker.inspect_swarm().await {
            let labels = swarm.spec.and_then(|it| it.labels).unwrap_or_default();
            is_left = labels.contains_key(LABEL);
        }
        let cluster = Self {
            had_bridge: !is_left
                && docker
                    .inspect_network("docker_gwbridge", None)
                    .await
                    .is_ok(),
            docker,
            is_own: is_left || !is_in,
            image,
            service: None,
        };
        if is_left {
            cluster.leave().await;
        }
        cluster
    }

    /// A swarm of this node alone, at loopback.
    async fn begin(&self) {
        let label = (LABEL.to_owned(), String::new());
        let request = SwarmInitRequest {
            listen_addr: Some("127.0.0.1:23777".to_owned()),
            advertise_addr: Some("127.0.0.1".to_owned()),
            data_path_addr: Some("127.0.0.1".to_owned()),
            spec: Some(SwarmSpec {
                labels: Some(HashMap::from([label])),
                ..SwarmSpec::default()
            }),
            ..SwarmInitRequest::default()
        };
        self.docker.init_swarm(request).await.unwrap();
        // The network of published ports, of which there are none, would have the data port open at every address.
        until("the ingress network goes", async || {
            drop(self.docker.remove_network("ingress").await);
            let gone = self.docker.inspect_network("ingress", None).await.is_err();
            (gone && !is_data_port_open()).then_some(())
        })
        .await;
    }

    async fn leave(&self) {
        let force = LeaveSwarmOptions { force: true };
        // What is to be is looked at: the node may be in no swarm yet.
        drop(self.docker.leave_swarm(Some(force)).await);
        until("the node is in no swarm", async || {
            let swarm = self.docker.info().await.ok()?.swarm?;
            (swarm.local_node_state == Some(LocalNodeState::INACTIVE)).then_some(())
        })
        .await;
    }

    /// Starts the tasks, each with its shard, as somebody without rights.
    async fn start(&mut self, results: &Path, user: (u32, u32)) {
        let shard = format!("REQMTLS_SHARD={SHARD}/{TASKS}");
        let mount = Mount {
            typ: Some(MountType::BIND),
            source: Some(results.display().to_string()),
            target: Some(RESULTS.to_owned()),
            ..Mount::default()
        };
        let container = TaskSpecContainerSpec {
            image: Some(self.image.clone()),
            args: Some(CASES.map(str::to_owned).to_vec()),
            env: Some(vec![shard, format!("REQMTLS_RESULTS={RESULTS}/{SHARD}")]),
            user: Some(format!("{}:{}", user.0, user.1)),
            read_only: Some(true),
            capability_drop: Some(vec!["ALL".to_owned()]),
            mounts: Some(vec![mount]),
            ..TaskSpecContainerSpec::default()
        };
        let spec = ServiceSpec {
            task_template: Some(TaskSpec {
                container_spec: Some(container),
                restart_policy: Some(TaskSpecRestartPolicy {
                    condition: Some(TaskSpecRestartPolicyConditionEnum::NONE),
                    ..TaskSpecRestartPolicy::default()
                }),
                ..TaskSpec::default()
            }),
            mode: Some(ServiceSpecMode {
                replicated_job: Some(ServiceSpecModeReplicatedJob {
                    max_concurrent: Some(TASKS),
                    total_completions: Some(TASKS),
                }),
                ..ServiceSpecMode::default()
            }),
            ..ServiceSpec::default()
        };
        let created = self.docker.create_service(spec, None).await.unwrap();
        self.service = created.id;
    }

    /// The tasks, once each has ended well.
    async fn ended(&self) {
        let service = self.service.clone().unwrap();
        let options = ListTasksOptions {
            filters: Some(HashMap::from([("service".to_owned(), vec![service])])),
        };
        let wait = async {
            loop {
                let tasks = self.docker.list_tasks(Some(options.clone())).await.unwrap();
                let is = |task: &Task, wanted: TaskState| {
                    let status = task.status.as_ref();
                    status.and_then(|it| it.state) == Some(wanted)
                };
                let wrong = tasks.iter().find(|task| {
                    [TaskState::FAILED, TaskState::REJECTED, TaskState::ORPHANED]
                        .into_iter()
                        .any(|state| is(task, state))
                });
                if let Some(task) = wrong {
                    panic!("a task did not end well: {:?}", task.status);
                }
                let complete = tasks.iter().filter(|it| is(it, TaskState::COMPLETE));
                if i64::try_from(complete.count()) == Ok(TASKS) {
                    break;
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        let waited = timeout(LONGEST, wait).await;
        waited.unwrap_or_else(|_| panic!("expected {TASKS} complete tasks within {LONGEST:?}"));
    }

    /// Takes away what the test made.
    async fn end(self) {
        if let Some(service) = &self.service {
            self.docker.delete_service(service).await.unwrap();
            let label = format!("com.docker.swarm.service.id={service}");
            let options = ListContainersOptions {
                all: true,
                filters: Some(HashMap::from([("label".to_owned(), vec![label])])),
                ..ListContainersOptions::default()
            };
            // Those of tasks that are complete stay as long as the swarm does.
            until("the tasks' containers go", async || {
                let left = self.docker.list_containers(Some(options.clone())).await;
                let left = left.ok()?;
                let force = Some(RemoveContainerOptions {
                    force: true,
                    ..RemoveContainerOptions::default()
                });
                for id in left.iter().filter_map(|it| it.id.as_deref()) {
                    drop(self.docker.remove_container(id, force.clone()).await);
                }
                left.is_empty().then_some(())
            })
            .await;
        }
        if self.is_own {
            self.leave().await;
            if !self.had_bridge {
                until("the bridge of the swarm goes", async || {
                    drop(self.docker.remove_network("docker_gwbridge").await);
                    let left = self.docker.inspect_network("docker_gwbridge", None).await;
                    left.is_err().then_some(())
                })
                .await;
            }
        }
        let options = Some(RemoveImageOptions::default());
        let removed = self.docker.remove_image(&self.image, options, None).await;
        removed.unwrap();
    }
}

/// Whether the port of a swarm's data path is open, which is the kernel's and no process's.
fn is_data_port_open() -> bool {
    let files = ["/proc/net/udp", "/proc/net/udp6"].map(fs::read_to_string);
    let port = format!(":{:04X} ", 4789);
    files.into_iter().flatten().any(|file| file.contains(&port))
}

/// Fails where a port of the swarm listens at another address than loopback.
fn assert_loopback() {
    let loopback = ["0100007F", "00000000000000000000000001000000"];
    let ports = [2377, 4789, 7946, 23777].map(|port: u16| format!("{port:04X}"));
    for name in ["tcp", "tcp6", "udp", "udp6"] {
        let table = fs::read_to_string(format!("/proc/net/{name}")).unwrap_or_default();
        // proc_net(5): the second word is the local address, the third the remote one, of port 0 where one listens.
        for line in table.lines().skip(1) {
            let words: Vec<_> = line.split_whitespace().collect();
            let (address, port) = words[1].split_once(':').unwrap();
            let listens = words[2].ends_with(":0000");
            let is_of_swarm = listens && ports.iter().any(|it| it == port);
            assert!(
                !is_of_swarm || loopback.contains(&address),
                "{name}: {line}"
            );
        }
    }
}

/// Who the tasks run as: whoever tests, or for root, to whom every folder is open, nobody.
fn user() -> (u32, u32) {
    if geteuid().is_root() {
        (65534, 65534)
    } else {
        (geteuid().as_raw(), getegid().as_raw())
    }
}

async fn engine() -> Option<Docker> {
    let docker = Docker::connect_with_defaults().ok()?;
    docker.ping().await.ok()?;
    Some(docker)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tasks_of_a_replicated_job_come_to_what_one_run_does() {
    let Some(docker) = engine().await else {
        let required = std::env::var_os("REQMTLS_REQUIRE_ENGINE").is_some();
        assert!(!required, "no container engine answers");
        println!("skipped: no container engine answers");
        return;
    };
    let root = root();
    let root = root.path();
    let of_engine = tempfile::tempdir().unwrap();
    let results = of_engine.path();
    let run = [&["run", "--mode", "process", "--quiet"][..], &CASES].concat();
    let whole = root.join("results/latest/result.jsonl");
    // The transcripts are new at first, then the accepted ones: the tasks end well only with these in the image, and
    // with the known deviations.
    let mut first = Command::cargo_bin("reqmtls").unwrap();
    first.arg("--root").arg(root).args(&run);
    first.timeout(LONGEST).assert().code(1);
    reqmtls(root, &["accept"]);
    reqmtls(root, &run);
    let image = reqmtls(root, &["image", "faulty"]).trim_end().to_owned();
    // By it old ones go.
    let made = docker.inspect_image(&image).await.unwrap();
    let labels = made.config.and_then(|it| it.labels).unwrap_or_default();
    assert!(labels.contains_key("reqmtls.runner"), "{labels:?}");
    let user = user();
    chown(results, Some(user.0), Some(user.1)).unwrap();
    fs::set_permissions(results, Permissions::from_mode(0o755)).unwrap();

    let mut cluster = Cluster::of(docker, image).await;
    let ran = async {
        if cluster.is_own {
            cluster.begin().await;
        }
        cluster.start(results, user).await;
        cluster.ended().await;
        if cluster.is_own {
            assert_loopback();
        }
    };
    let outcome = AssertUnwindSafe(ran).catch_unwind().await;
    cluster.end().await;
    outcome.unwrap_or_else(|panic| resume_unwind(panic));

    let shards: Vec<PathBuf> = fs::read_dir(results)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("latest"))
        .collect();
    assert_eq!(i64::try_from(shards.len()), Ok(TASKS), "{shards:?}");
    for shard in &shards {
        let secrets = fs::metadata(shard.join("run.pcapng")).unwrap();
        assert_eq!((secrets.mode() & 0o777, secrets.uid()), (0o600, user.0));
        assert!(!cells(&shard.join("result.jsonl")).is_empty(), "{shard:?}");
    }
    let merged = root.join("merged");
    let parts = shards
        .iter()
        .map(|shard| shard.join("result.jsonl").display().to_string());
    let parts: Vec<_> = parts.collect();
    let mut merge = vec!["merge", "--to", merged.to_str().unwrap()];
    merge.extend(parts.iter().map(String::as_str));
    reqmtls(root, &merge);
    let whole = cells(&whole);
    assert!(
        whole.values().any(|it| it.contains("deviates")),
        "{whole:?}"
    );
    assert_eq!(cells(&merged.join("result.jsonl")), whole);
}
