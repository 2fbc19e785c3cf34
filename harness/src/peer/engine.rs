//! The container engine, and what this run and earlier ones have in it.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::MetadataExt;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{ContainerCreateBody, ContainerSummary, ImageSummary};
use bollard::query_parameters::{
    ListContainersOptions, ListImagesOptions, RemoveContainerOptions, RemoveImageOptions,
    WaitContainerOptions,
};
use futures_util::StreamExt;
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The label with the name of the peer, of containers and of images.
pub(super) const PEER: &str = "reqmtls.peer";
/// The label of a runner's image.
pub(super) const RUNNER: &str = "reqmtls.runner";
/// The label with where the harness runs: what has the same sees the same processes.
const HOST: &str = "reqmtls.host";
/// The label with the harness's process.
const HARNESS: &str = "reqmtls.harness";
/// The label with the number of the run in that process: one may have several at once.
const RUN: &str = "reqmtls.run";

/// How many runs this process has had.
static RUNS: AtomicUsize = AtomicUsize::new(0);

/// How long the engine may take for one thing that is asked of it.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the engine may take to answer at all, when it is busy with others.
const CONNECT: Duration = Duration::from_secs(30);

/// How old a container is that is left of a run whose harness cannot be seen from here. The longest runs take hours, and
/// until it goes what is left of one costs memory alone, while a live one would lose its cells.
const OLD: Duration = Duration::from_hours(30 * 24);

/// How many images of one peer stay: those of two or three checkouts that take turns.
const IMAGES: usize = 3;

/// A container engine that answers.
pub struct Engine {
    pub(super) client: Docker,
    /// The address at which peers are published.
    pub(super) ports: IpAddr,
    host: String,
    harness: String,
    run: String,
    /// Containers that are being started: they end in here, whoever has ceased to wait for them.
    starts: Mutex<JoinSet<()>>,
}

impl Engine {
    /// Looks for an engine, and removes what earlier runs left in it whose harness is gone. If none answers, why.
    pub async fn connect() -> Result<Arc<Self>, String> {
        let place = std::env::var("DOCKER_HOST").unwrap_or_default();
        let connect = async {
            let client = Docker::connect_with_defaults().map_err(|error| cause(&error))?;
            client.ping().await.map_err(|error| cause(&error))?;
            Ok(Self {
                client,
                ports: ports(&place).await.map_err(|error| cause(&error))?,
                host: host(),
                harness: process(std::process::id()).unwrap_or_default(),
                run: RUNS.fetch_add(1, Ordering::Relaxed).to_string(),
                starts: Mutex::default(),
            })
        };
        let engine = timeout(CONNECT, connect)
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {} s", CONNECT.as_secs())))
            .map_err(|reason| match &*place {
                "" => reason,
                place => format!("DOCKER_HOST {place}: {reason}"),
            })?;
        // What the engine does not remove now is no reason to do without it.
        let is_left = |container: &ContainerSummary| engine.is_left(container, seconds());
        drop(timeout(PATIENCE, engine.remove(is_left)).await);
        Ok(Arc::new(engine))
    }

    /// The labels of a container of this run.
    pub(super) fn labels(&self, peer: &str) -> HashMap<String, String> {
        let labels = [
            (PEER, peer),
            (HOST, &self.host),
            (HARNESS, &self.harness),
            (RUN, &self.run),
        ];
        let owned = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
        HashMap::from(owned)
    }

    /// Creates and starts a container, and says its id. Nobody waiting for that any more, it is removed.
    pub(super) async fn start(&self, body: ContainerCreateBody) -> Result<String, Error> {
        let client = self.client.clone();
        let (sender, receiver) = oneshot::channel();
        let start = async move {
            let started = async {
                let id = client.create_container(None, body).await?.id;
                match client.start_container(&id, None).await {
                    Ok(()) => Ok(id),
                    Err(error) => {
                        remove(&client, &id).await;
                        Err(error)
                    }
                }
            };
            if let Err(Ok(id)) = sender.send(started.await) {
                remove(&client, &id).await;
            }
        };
        self.starts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .spawn(start);
        // A task ends without sending only when the runtime does.
        receiver.await.unwrap_or(Err(Error::RequestTimeoutError))
    }

    /// Waits until nothing is being started any more, and removes what is left of this run.
    pub async fn end(&self) {
        let mut starts =
            std::mem::take(&mut *self.starts.lock().unwrap_or_else(PoisonError::into_inner));
        let end = async {
            while starts.join_next().await.is_some() {}
            // What fails here the next run does.
            drop(self.remove(|it| self.is_ours(it)).await);
        };
        drop(timeout(PATIENCE, end).await);
    }

    /// Whether a container is of this run.
    fn is_ours(&self, container: &ContainerSummary) -> bool {
        let own = [
            (HOST, &self.host),
            (HARNESS, &self.harness),
            (RUN, &self.run),
        ];
        own.iter()
            .all(|(name, value)| label(container, name) == Some(value))
    }

    /// Whether a container is left of a run that has ended. `now` is in seconds since 1970.
    fn is_left(&self, container: &ContainerSummary, now: i64) -> bool {
        // Where there is no /proc, nothing is known of any process.
        let is_seen = label(container, HOST) == Some(&self.host) && !self.harness.is_empty();
        let harness = label(container, HARNESS).unwrap_or_default();
        let age = now.saturating_sub(container.created.unwrap_or(now));
        let is_old = u64::try_from(age).is_ok_and(|age| age > OLD.as_secs());
        if is_seen { !is_there(harness) } else { is_old }
    }

    /// Removes the images with a label but for the one that is needed now and the newest few.
    pub(super) async fn remove_old_images(&self, label: String, needed: &str) {
        let options = ListImagesOptions {
            filters: Some(filter(label)),
            ..ListImagesOptions::default()
        };
        // An image too many is no reason to fail.
        let Ok(images) = self.client.list_images(Some(options)).await else {
            return;
        };
        let options = Some(RemoveImageOptions::default());
        for image in old(images, needed) {
            // One that a container uses stays.
            let removed = self.client.remove_image(&image.id, options.clone(), None);
            drop(removed.await);
        }
    }

    /// Removes the containers of runs, of whichever harness, that are such ones.
    async fn remove(&self, is_meant: impl Fn(&ContainerSummary) -> bool) -> Result<(), Error> {
        let options = ListContainersOptions {
            all: true,
            filters: Some(filter(HARNESS.to_owned())),
            ..ListContainersOptions::default()
        };
        for container in self.client.list_containers(Some(options)).await? {
            if let Some(id) = &container.id
                && is_meant(&container)
            {
                remove(&self.client, id).await;
            }
        }
        Ok(())
    }
}

/// Of images those that may go.
fn old(mut images: Vec<ImageSummary>, needed: &str) -> impl Iterator<Item = ImageSummary> {
    // How old an image is says nothing of when it was last built: one that is there already stays as it is.
    images.retain(|image| image.repo_tags.iter().all(|tag| tag != needed));
    images.sort_by_key(|image| std::cmp::Reverse(image.created));
    images.into_iter().skip(IMAGES)
}

fn label<'a>(container: &'a ContainerSummary, name: &str) -> Option<&'a str> {
    container.labels.as_ref()?.get(name).map(String::as_str)
}

fn seconds() -> i64 {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The innermost error: those around it say that there is one.
fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.last().unwrap_or(error).to_string()
}

/// Where peers are published: on loopback, but for an engine behind an address, which is that of its ports too.
async fn ports(engine: &str) -> io::Result<IpAddr> {
    let schemes = ["tcp://", "http://", "https://"];
    let Some(rest) = schemes.iter().find_map(|it| engine.strip_prefix(it)) else {
        return Ok(Ipv4Addr::LOCALHOST.into());
    };
    let authority = rest.split('/').next().unwrap_or(rest);
    // Of several addresses, the one that answers.
    Ok(TcpStream::connect(authority).await?.peer_addr()?.ip())
}

fn filter(label: String) -> HashMap<String, Vec<String>> {
    HashMap::from([("label".to_owned(), vec![label])])
}

/// Removes a container whatever it does, and waits until it is gone. The engine may do the same at this moment, which is
/// no fault.
pub(super) async fn remove(client: &Docker, id: &str) {
    let options = RemoveContainerOptions {
        force: true,
        v: true,
        link: false,
    };
    let remove = async {
        if client.remove_container(id, Some(options)).await.is_err() {
            let gone = WaitContainerOptions {
                condition: "removed".to_owned(),
            };
            let mut waited = pin!(client.wait_container(id, Some(gone)));
            // It ends when the container is gone, also by the error that there is none.
            drop(waited.next().await);
        }
    };
    drop(timeout(PATIENCE, remove).await);
}

/// Where processes are seen as they are here: the boot of a kernel, and a namespace of processes in it. An engine may
/// serve other machines, and a name be that of several, or of a container too.
fn host() -> String {
    let read = |name| fs::read_to_string(name).unwrap_or_default();
    let boot = read("/proc/sys/kernel/random/boot_id");
    match fs::metadata("/proc/self/ns/pid") {
        Ok(namespace) if !boot.is_empty() => format!("{}-{}", boot.trim(), namespace.ino()),
        _ => read("/proc/sys/kernel/hostname").trim().to_owned(),
    }
}

/// A process: its number, and when it started, by which it differs from later ones of that number. None where there
/// is no such process.
fn process(id: u32) -> Option<String> {
    // proc_pid_stat(5): the name stands in parentheses and may contain anything; the start is the 20th word after it.
    let words = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, rest) = words.rsplit_once(')')?;
    let start = rest.split_whitespace().nth(19)?;
    Some(format!("{id}-{start}"))
}

/// Whether a process that would be seen here is still there.
fn is_there(harness: &str) -> bool {
    let id = harness.split_once('-').and_then(|(id, _)| id.parse().ok());
    match id.and_then(process) {
        Some(found) => found == harness,
        // Another user's may be hidden, but not that it is one.
        None => id.is_some_and(|id| {
            let id = Pid::from_raw(id.cast_signed());
            id.is_some_and(|id| test_kill_process(id) == Err(Errno::PERM))
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_process_is_told_from_a_later_one_of_its_number() {
        let own = process(std::process::id()).unwrap();
        assert!(is_there(&own));
        assert!(!is_there(&format!("{own}0")));
        assert!(!is_there("") && !is_there("nobody"));
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let other = process(child.id()).unwrap();
        assert!(is_there(&other));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_there(&other));
    }

    fn engine(host: &str, harness: String) -> Engine {
        Engine {
            client: Docker::connect_with_http("127.0.0.1:1", 1, bollard::API_DEFAULT_VERSION)
                .unwrap(),
            ports: Ipv4Addr::LOCALHOST.into(),
            host: host.to_owned(),
            harness,
            run: "0".to_owned(),
            starts: Mutex::default(),
        }
    }

    fn container(of: &Engine, created: i64) -> ContainerSummary {
        ContainerSummary {
            labels: Some(of.labels("some")),
            created: Some(created),
            ..ContainerSummary::default()
        }
    }

    #[test]
    fn only_what_no_live_run_may_have_is_left() {
        const DAY: i64 = 24 * 60 * 60;
        let now = 100 * DAY;
        let own = engine("here", process(std::process::id()).unwrap());
        let ended = engine("here", "1-none".to_owned());
        // As seen from here, its process is none.
        let elsewhere = engine("elsewhere", "1-none".to_owned());
        let blind = engine("here", String::new());
        for (seen, of, days, is_left) in [
            (&own, &own, 99, false),
            (&own, &ended, 0, true),
            (&own, &elsewhere, 29, false),
            (&own, &elsewhere, 31, true),
            (&own, &elsewhere, -1, false),
            (&blind, &blind, 29, false),
            (&blind, &blind, 31, true),
        ] {
            let container = container(of, now - days * DAY);
            let labels = &container.labels;
            assert_eq!(seen.is_left(&container, now), is_left, "{labels:?} {days}");
        }
        assert!(own.is_ours(&container(&own, now)));
        assert!(
            !own.is_ours(&container(&ended, now)) && !ended.is_ours(&container(&elsewhere, now))
        );
    }

    #[test]
    fn the_newest_images_stay_and_the_one_that_is_needed() {
        let image = |created: i64| ImageSummary {
            created,
            repo_tags: vec![format!("some:{created}")],
            ..ImageSummary::default()
        };
        let images = [1, 6, 2, 5, 3, 4].map(image);
        let old: Vec<_> = old(images.into(), "some:1").map(|it| it.created).collect();
        assert_eq!(old, [3, 2]);
    }
}
