//! A peer in a container: an image of nothing but its program and what that needs.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};
use testcontainers::bollard::models::PortBinding;
use testcontainers::core::{BuildImageOptions, IntoContainerPort, WaitFor, client};
use testcontainers::runners::{AsyncBuilder, AsyncRunner};
use testcontainers::{ContainerAsync, GenericBuildableImage, GenericImage, ImageExt};
use tokio::time::timeout;

use super::StartError;
use super::image::{Image, Program};

/// The port inside the container.
const PORT: u16 = 7443;

/// The folder of the build that becomes the container's root.
const FILES: &str = "files";

/// How long the engine may take to say that it is there, and to remove a container.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether a container engine answers; if not, why.
pub async fn engine_answers() -> Result<(), String> {
    let ask = async {
        let engine = client::docker_client_instance()
            .await
            .map_err(|error| error.to_string())?;
        engine
            .ping()
            .await
            .map(drop)
            .map_err(|error| error.to_string())
    };
    timeout(PATIENCE, ask)
        .await
        .unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())))
}

/// A started container; removed when dropped, and by the engine when its process ends.
pub(super) struct Container {
    container: ContainerAsync<GenericImage>,
    address: SocketAddr,
}

impl Container {
    pub(super) async fn start(name: &str, program: &Program) -> Result<Self, StartError> {
        let Image { command, files } = program.image().await.map_err(StartError::Image)?;
        let spawn = |source| StartError::Spawn {
            program: program.path.display().to_string(),
            source,
        };
        // The tag names the content, so that an image is never older than its files.
        let mut content = Sha256::new();
        for (place, file) in &files {
            content.update(place);
            digest(file, &mut content).map_err(&spawn)?;
        }
        let entry = serde_json::to_string(&command).map_err(|error| spawn(error.into()))?;
        content.update(&entry);
        let tag = hex::encode(&content.finalize()[..8]);
        let recipe = GenericBuildableImage::new(format!("reqmtls-peer-{name}"), tag)
            .with_dockerfile_string(format!(
                "FROM scratch\nCOPY {FILES} /\nENTRYPOINT {entry}\n"
            ));
        let image = files
            .into_iter()
            .fold(recipe, |recipe, (place, file)| {
                recipe.with_file(file, format!("{FILES}{place}"))
            })
            .build_image_with(BuildImageOptions::new().with_skip_if_exists(true))
            .await?;
        let container = image
            .with_wait_for(WaitFor::message_on_stdout("\"listening\""))
            .with_exposed_port(PORT.tcp())
            .with_cmd(["--listen", &format!("0.0.0.0:{PORT}"), "--held"])
            .with_label("reqmtls.peer", name)
            .with_user("65534:65534")
            .with_readonly_rootfs(true)
            .with_cap_drop("ALL")
            .with_security_opt("no-new-privileges")
            .with_host_config_modifier(|host| {
                // The engine removes the container when the peer ends, also after a crash of ours.
                host.auto_remove = Some(true);
                host.pids_limit = Some(256);
                host.publish_all_ports = Some(false);
                let loopback = PortBinding {
                    host_ip: Some("127.0.0.1".to_owned()),
                    host_port: None,
                };
                host.port_bindings = Some(HashMap::from([(
                    format!("{PORT}/tcp"),
                    Some(vec![loopback]),
                )]));
            })
            .start()
            .await?;
        let port = container.get_host_port_ipv4(PORT.tcp()).await?;
        Ok(Self {
            container,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) async fn stop(self) {
        // Let go, the peer ends and the engine may remove the container first: that is no fault.
        drop(timeout(PATIENCE, self.container.rm()).await);
    }
}

/// Takes in a file's content, or the names and contents of all files below a folder.
fn digest(path: &Path, content: &mut Sha256) -> io::Result<()> {
    if !path.is_dir() {
        content.update(fs::read(path)?);
        return Ok(());
    }
    let entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path()));
    let mut paths: Vec<_> = entries.collect::<io::Result<_>>()?;
    paths.sort();
    for path in paths {
        content.update(path.file_name().unwrap_or_default().as_encoded_bytes());
        digest(&path, content)?;
    }
    Ok(())
}
