//! The container engine, and what this run and earlier ones have in it.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{
    ListContainersOptions, ListImagesOptions, RemoveContainerOptions, RemoveImageOptions,
    WaitContainerOptions,
};
use futures_util::StreamExt;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The label with the name of the peer, of containers and of images.
pub(super) const PEER: &str = "reqmtls.peer";
/// The label with the machine that the harness runs on.
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
        drop(timeout(PATIENCE, engine.remove(|harness, _| !is_there(harness))).await);
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
            let is_ours = |harness: &str, run: Option<&str>| {
                harness == self.harness && run == Some(&self.run)
            };
            // What fails here the next run does.
            drop(self.remove(is_ours).await);
        };
        drop(timeout(PATIENCE, end).await);
    }

    /// Removes a peer's images but for the one that is needed now and the newest few.
    pub(super) async fn remove_old_images(&self, peer: &str, needed: &str) {
        let options = ListImagesOptions {
            filters: Some(filter(format!("{PEER}={peer}"))),
            ..ListImagesOptions::default()
        };
        // An image too many is no reason to fail.
        let Ok(mut images) = self.client.list_images(Some(options)).await else {
            return;
        };
        // How old an image is says nothing of when it was last built: one that is there already stays as it is.
        images.retain(|image| image.repo_tags.iter().all(|tag| tag != needed));
        let options = Some(RemoveImageOptions::default());
        images.sort_by_key(|image| std::cmp::Reverse(image.created));
        for image in images.iter().skip(IMAGES) {
            // One that a container uses stays.
            drop(
                self.client
                    .remove_image(&image.id, options.clone(), None)
                    .await,
            );
        }
    }

    /// Removes the containers of this machine whose harness and run are such ones.
    async fn remove(&self, is_meant: impl Fn(&str, Option<&str>) -> bool) -> Result<(), Error> {
        let options = ListContainersOptions {
            all: true,
            filters: Some(filter(format!("{HOST}={}", self.host))),
            ..ListContainersOptions::default()
        };
        for container in self.client.list_containers(Some(options)).await? {
            let labels = container.labels.unwrap_or_default();
            if let (Some(harness), Some(id)) = (labels.get(HARNESS), &container.id)
                && is_meant(harness, labels.get(RUN).map(String::as_str))
            {
                remove(&self.client, id).await;
            }
        }
        Ok(())
    }
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

/// The name of this machine: an engine may serve others too.
fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
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

/// Whether a process of this machine is still there.
fn is_there(harness: &str) -> bool {
    let id = harness.split_once('-').and_then(|(id, _)| id.parse().ok());
    id.and_then(process).as_deref() == Some(harness)
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
}
