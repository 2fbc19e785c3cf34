//! The runner: an image of the harness with peers' programs, which runs cells wherever there is an engine.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::archive;
use super::engine::{Engine, RUNNER};
use super::image::{Image, Program};
use super::manifest::Manifest;
use super::{Mode, StartError};

/// The root folder in the image.
const ROOT: &str = "/reqmtls";

/// Where results go in it: a folder that is mounted.
const RESULTS: &str = "/results";

/// The file of a root folder where nothing can be built: the programs that there are, by peer.
const BUILT: &str = "built.json";

/// No registry but one of this machine has names of localhost: an engine that looks for a newer image finds none.
const REPOSITORY: &str = "localhost/reqmtls";

/// An image as it is put together.
pub struct Runner {
    command: Vec<String>,
    files: BTreeMap<String, PathBuf>,
    built: BTreeMap<String, Program>,
}

impl Runner {
    /// With nothing but the harness, and what that links: a static one links nothing. If that cannot be told, why.
    pub async fn new(harness: &Path) -> Result<Self, String> {
        let harness = Program::alone(harness.to_owned());
        let Image { command, files } = harness.image(&format!("{ROOT}/reqmtls")).await?;
        Ok(Self {
            command,
            files,
            built: BTreeMap::new(),
        })
    }

    /// Adds a file or folder of the root folder.
    pub fn add_file(&mut self, name: &str, path: PathBuf) {
        self.files.insert(format!("{ROOT}/{name}"), path);
    }

    /// Adds a peer's program. If that cannot be, why.
    pub async fn add_peer(&mut self, name: &str, program: &Program) -> Result<(), String> {
        let Image { command, files } = program.image(&format!("{ROOT}/programs/{name}")).await?;
        let mut words = command.into_iter();
        let path = words.next().unwrap_or_default().into();
        let arguments = words.collect();
        let there = Program {
            arguments,
            ..Program::alone(path)
        };
        self.built.insert(name.to_owned(), there);
        self.files.extend(files);
        Ok(())
    }

    /// Makes the image, unless there is one, says its name, and removes old ones. Its peers are processes beside the harness.
    ///
    /// # Errors
    ///
    /// What the file system or the engine fails with.
    pub async fn make(mut self, engine: &Engine) -> Result<String, StartError> {
        let unwritten = |error: io::Error| StartError::Image(format!("{BUILT}: {error}"));
        let built = tempfile::NamedTempFile::new().map_err(unwritten)?;
        fs::write(&built, json!(self.built).to_string()).map_err(unwritten)?;
        self.add_file(BUILT, built.path().to_owned());
        let mut entry = self.command;
        entry.extend(["run", "--mode", Mode::Process.as_str()].map(str::to_owned));
        let changes = vec![
            format!("LABEL {RUNNER}=true"),
            format!("ENTRYPOINT {}", json!(entry)),
            format!("WORKDIR {ROOT}"),
            format!("ENV REQMTLS_RESULTS={RESULTS}"),
            "USER 65534:65534".to_owned(),
        ];
        let image = archive::image(REPOSITORY, &self.files, changes, &engine.client).await?;
        engine.remove_old_images(RUNNER.to_owned(), &image).await;
        Ok(image)
    }
}

/// Of these peers those that there are, where the root folder is a runner's; elsewhere all.
///
/// # Errors
///
/// The file that says which is none.
pub fn present(root: &Path, peers: Vec<Manifest>) -> io::Result<Vec<Manifest>> {
    let path = root.join(BUILT);
    let named = |error: io::Error| {
        let text = format!("{}: {error}", path.display());
        io::Error::new(error.kind(), text)
    };
    let mut built: BTreeMap<String, Program> = match fs::read(&path) {
        Ok(octets) => serde_json::from_slice(&octets).map_err(|error| named(error.into()))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(peers),
        Err(error) => return Err(named(error)),
    };
    let present = |mut peer: Manifest| {
        peer.built = built.remove(&peer.name);
        // It needs no more to be built.
        peer.tools.clear();
        (peer.in_process || peer.built.is_some()).then_some(peer)
    };
    Ok(peers.into_iter().filter_map(present).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peers(folder: &Path) -> Vec<Manifest> {
        let text = "name = 'some'\npackage = 'some'\n[[tool]]\nvariable = 'NO_SUCH_VARIABLE'\nhelp = 'none'\n\
                    [[variant]]\nname = 'some-2'\n[[variant]]\nname = 'own'\nin_process = true\n";
        fs::write(folder.join("peer.toml"), text).unwrap();
        Manifest::load_folder(folder).unwrap()
    }

    #[test]
    fn where_nothing_can_be_built_the_peers_are_those_whose_programs_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert_eq!(present(root, peers(root)).unwrap().len(), 3);
        let built = json!({ "some-2": { "path": "/there", "arguments": ["-x"], "folder": null, "loads": [] } });
        fs::write(root.join(BUILT), built.to_string()).unwrap();
        let left = present(root, peers(root)).unwrap();
        let names: Vec<_> = left.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["some-2", "own"]);
        assert!(left[0].unpackaged().is_none());
        let program = super::super::build::built(root, &left[0]).unwrap();
        assert_eq!(
            (program.path, program.arguments),
            ("/there".into(), vec!["-x".to_owned()])
        );
        fs::write(root.join(BUILT), "{").unwrap();
        let error = present(root, peers(root)).unwrap_err().to_string();
        assert!(error.contains("built.json: EOF while parsing"), "{error}");
    }
}
