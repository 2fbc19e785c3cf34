//! `run.pcapng`: every connection of a run with its secrets and what was known of it, for Wireshark and for
//! `reqmtls judge`.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqmtls_observer::capture::{WriteError, Writer};
use reqmtls_observer::{KeyLog, Recording};

use super::Reporter;
use super::file::Growing;
use crate::judge::Knowledge;
use crate::run::Event;

/// Its name.
pub const CAPTURE: &str = "run.pcapng";

/// A capture that grows beside its place, readable by its owner alone: it holds secrets.
#[derive(Debug)]
pub struct CaptureFile {
    writer: Writer<Growing>,
}

impl CaptureFile {
    /// Begins the file that will be at `path`. The first connection starts at `start`, counted from 1970.
    ///
    /// # Errors
    ///
    /// What the file system fails with, with the path.
    pub fn create(path: &Path, start: Duration) -> io::Result<Self> {
        let file = Growing::create(path, 0o600)?;
        let writer = Writer::new(file, start).map_err(plain)?;
        Ok(Self { writer })
    }

    /// Adds a connection, its secrets, and what is known of it.
    ///
    /// # Errors
    ///
    /// What writing fails with.
    pub fn add(
        &mut self,
        name: &str,
        knowledge: Option<&Knowledge>,
        secrets: &KeyLog,
        recording: &Recording,
    ) -> io::Result<()> {
        let note = match knowledge {
            Some(knowledge) => serde_json::to_string(knowledge)?,
            None => String::new(),
        };
        self.add_noted(name, &note, secrets, recording)
    }

    /// Adds a connection with a note that another capture has of it.
    pub(crate) fn add_noted(
        &mut self,
        name: &str,
        note: &str,
        secrets: &KeyLog,
        recording: &Recording,
    ) -> io::Result<()> {
        self.writer.secrets(secrets).map_err(plain)?;
        self.writer.connection(name, note, recording).map_err(plain)
    }

    /// Puts the file at its place.
    ///
    /// # Errors
    ///
    /// What writing fails with.
    pub fn finish(self) -> io::Result<()> {
        self.writer.into_inner().finish()
    }
}

/// Writes each connection as its cell ends. Its knowledge stands as JSON behind its name, in the comment of its
/// first packet.
#[derive(Debug)]
pub struct Captured {
    path: PathBuf,
    file: Option<CaptureFile>,
}

impl Captured {
    /// Writes to the file that will be at `path`, readable by its owner alone: it holds the secrets of the run.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            file: None,
        }
    }
}

impl Reporter for Captured {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match (event, &mut self.file) {
            (Event::Started(started), _) => {
                let start = Duration::try_from_secs_f64(started.time).unwrap_or_default();
                self.file = Some(CaptureFile::create(&self.path, start)?);
            }
            (Event::Cell(_, traces), Some(file)) => {
                for trace in traces {
                    // What is no key log was reported when the cell was judged.
                    let secrets = KeyLog::parse(&trace.key_log.join("\n")).unwrap_or_default();
                    let knowledge = trace.knowledge.as_ref();
                    file.add(&trace.name, knowledge, &secrets, &trace.recording)?;
                }
            }
            (Event::Ended(_), file) => {
                if let Some(file) = file.take() {
                    file.finish()?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

pub(crate) fn plain(error: WriteError) -> io::Error {
    match error {
        WriteError::Write(error) => error,
        other => io::Error::other(other),
    }
}
