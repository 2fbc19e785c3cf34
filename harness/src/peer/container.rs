//! A peer in a container: an image of nothing but its program and what that needs.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig, PortBinding};
use bollard::query_parameters::LogsOptions;
use futures_util::StreamExt;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::archive;
use super::confinement::{LOG, MEMORY, PROCESSES, PROCESSOR, profile};
use super::engine::{Engine, PEER, remove};
use super::image::{Image, Program};
use super::plain::LastWords;
use super::process::listening;
use super::{PATIENCE, StartError};

/// The place of the program, or of all that it consists of, in its image.
const PLACE: &str = "/peer";

/// The port inside the container.
const PORT: &str = "7443/tcp";

/// The address at which a peer listens inside its container.
const LISTEN: &str = "0.0.0.0:7443";

/// The most octets of the line that says where a peer listens.
const MOST: usize = 4096;

/// How long the engine may take to say how a container ended that has closed its connections.
const GONE: Duration = Duration::from_secs(2);

/// A started container; removed by the engine when its process ends, and at the end of the run in any case.
pub(super) struct Container {
    engine: Arc<Engine>,
    id: String,
    address: SocketAddr,
    last_words: LastWords,
    /// The exit code, once it has ended.
    exit: JoinHandle<Option<i64>>,
}

impl Container {
    pub(super) async fn start(
        name: &str,
        program: &Program,
        engine: &Arc<Engine>,
    ) -> Result<Self, StartError> {
        let image = image(name, program, &engine.client).await?;
        let label = format!("{PEER}={name}");
        engine.remove_old_images(label, &image).await;
        let id = engine.start(body(name, image, engine)).await?;
        let last_words = LastWords::default();
        let (says, listens) = oneshot::channel();
        let client = engine.client.clone();
        tokio::spawn(read_log(
            client.clone(),
            id.clone(),
            last_words.clone(),
            says,
        ));
        let mut container = Self {
            engine: Arc::clone(engine),
            exit: tokio::spawn(exit_code(client, id.clone())),
            id,
            address: SocketAddr::from((engine.ports, 0)),
            last_words,
        };
        let line = timeout(PATIENCE, listens).await;
        let line = line.map_err(|_| StartError::Deadline(PATIENCE));
        let wrong = match line {
            Ok(Ok(line)) => listening(&line).err(),
            Ok(Err(_)) => Some("got nothing".to_owned()),
            Err(error) => {
                container.cut_off().await;
                return Err(error);
            }
        };
        if let Some(error) = wrong {
            let end = container.end().await;
            return Err(StartError::Listening(format!("{error}; {end}")));
        }
        match container.port().await {
            Ok(Some(port)) => container.address.set_port(port),
            Ok(None) => {
                let end = container.end().await;
                return Err(StartError::Listening(format!(
                    "the engine published no port; {end}"
                )));
            }
            Err(error) => {
                container.cut_off().await;
                return Err(error.into());
            }
        }
        Ok(container)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port of this machine that leads to the peer.
    async fn port(&self) -> Result<Option<u16>, Error> {
        let shown = self.engine.client.inspect_container(&self.id, None).await?;
        let ports = shown.network_settings.and_then(|network| network.ports);
        let binding = ports.and_then(|mut ports| ports.remove(PORT).flatten()?.pop());
        Ok(binding.and_then(|binding| binding.host_port?.parse().ok()))
    }

    /// How a container ended that has nothing open any more; what has not ended is removed.
    pub(super) async fn end(&mut self) -> String {
        let ended = match timeout(GONE, &mut self.exit).await {
            Ok(Ok(Some(code))) => format!("it ended (exit code: {code}{})", signal(code)),
            Ok(_) => "it ended (the engine does not say how)".to_owned(),
            Err(_) => "it closed its connections without ending and was killed".to_owned(),
        };
        ended + &self.cut_off().await
    }

    /// Removes it, and says its last words.
    pub(super) async fn cut_off(&mut self) -> String {
        remove(&self.engine.client, &self.id).await;
        self.last_words.text()
    }

    /// Waits for the end that letting go of it brings about, and removes what does not end. Whether it ended by itself.
    pub(super) async fn stop(mut self, patience: Duration) -> bool {
        let ended = timeout(patience, &mut self.exit).await.is_ok();
        remove(&self.engine.client, &self.id).await;
        ended
    }
}

/// What an exit code above 128 says by the convention of the engine.
fn signal(code: i64) -> String {
    match code - 128 {
        9 => ", killed by SIGKILL: by hand, or for more memory than it may have".to_owned(),
        signal @ 1..=64 => format!(", ended by signal {signal}"),
        _ => String::new(),
    }
}

/// Makes the image of a peer's program, unless there is one, and says its name.
async fn image(name: &str, program: &Program, client: &Docker) -> Result<String, StartError> {
    let Image { command, files } = program.image(PLACE).await.map_err(StartError::Image)?;
    let changes = vec![
        format!("LABEL {PEER}={name}"),
        format!("ENTRYPOINT {}", json!(command)),
    ];
    archive::image(&format!("reqmtls-peer-{name}"), &files, changes, client).await
}

/// What the engine is to make of an image.
fn body(name: &str, image: String, engine: &Engine) -> ContainerCreateBody {
    let published = PortBinding {
        host_ip: Some(engine.ports.to_string()),
        host_port: None,
    };
    let log = [("max-size", LOG), ("max-file", "1")];
    let log = log.map(|(key, value)| (key.to_owned(), value.to_owned()));
    ContainerCreateBody {
        image: Some(image),
        cmd: Some(["--listen", LISTEN, "--held"].map(str::to_owned).to_vec()),
        user: Some("65534:65534".to_owned()),
        labels: Some(engine.labels(name)),
        exposed_ports: Some(vec![PORT.to_owned()]),
        host_config: Some(HostConfig {
            // The engine removes the container when the peer ends, also after a crash of ours.
            auto_remove: Some(true),
            readonly_rootfs: Some(true),
            cap_drop: Some(vec!["ALL".to_owned()]),
            security_opt: Some(vec![
                "no-new-privileges".to_owned(),
                format!("seccomp={}", profile()),
            ]),
            memory: Some(MEMORY),
            memory_swap: Some(MEMORY),
            pids_limit: Some(PROCESSES),
            cpu_quota: Some(PROCESSOR.0),
            cpu_period: Some(PROCESSOR.1),
            publish_all_ports: Some(false),
            port_bindings: Some(HashMap::from([(PORT.to_owned(), Some(vec![published]))])),
            log_config: Some(HostConfigLogConfig {
                typ: Some("json-file".to_owned()),
                config: Some(HashMap::from(log)),
            }),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

/// Reads what a peer writes: the first line of stdout is sent on, of stderr the last ones are remembered.
async fn read_log(
    client: Docker,
    id: String,
    last_words: LastWords,
    says: oneshot::Sender<String>,
) {
    let options = LogsOptions {
        follow: true,
        stdout: true,
        stderr: true,
        ..LogsOptions::default()
    };
    let mut log = pin!(client.logs(&id, Some(options)));
    let mut says = Some(says);
    let mut line = Vec::new();
    while let Some(Ok(output)) = log.next().await {
        match output {
            LogOutput::StdOut { message } if says.is_some() => {
                line.extend_from_slice(&message);
                let end = line.iter().position(|octet| *octet == b'\n');
                if let Some(end) = end.or((line.len() > MOST).then_some(MOST))
                    && let Some(says) = says.take()
                {
                    line.truncate(end);
                    // Nobody may wait for it any more.
                    drop(says.send(String::from_utf8_lossy(&line).into_owned()));
                }
            }
            LogOutput::StdErr { message } => last_words.take(&message),
            _ => {}
        }
    }
}

/// Waits for the end of a container: its exit code, where the engine says it.
async fn exit_code(client: Docker, id: String) -> Option<i64> {
    match pin!(client.wait_container(&id, None)).next().await? {
        Ok(response) => Some(response.status_code),
        Err(Error::DockerContainerWaitError { code, .. }) => Some(code),
        Err(_) => None,
    }
}
