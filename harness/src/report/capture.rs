//! `run.pcapng`: every connection of a run with its secrets and what was known of it, for Wireshark and for
//! `reqmtls judge`.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqmtls_observer::KeyLog;
use reqmtls_observer::capture::{WriteError, Writer};

use super::Reporter;
use super::file::Growing;
use crate::run::Event;

/// Writes each connection as its cell ends. Its knowledge stands as JSON behind its name, in the comment of its
/// first packet.
#[derive(Debug)]
pub struct Captured {
    path: PathBuf,
    writer: Option<Writer<Growing>>,
}

impl Captured {
    /// Writes to the file that will be at `path`, readable by its owner alone: it holds the secrets of the run.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            writer: None,
        }
    }
}

impl Reporter for Captured {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match (event, &mut self.writer) {
            (Event::Started(started), _) => {
                let start = Duration::try_from_secs_f64(started.time).unwrap_or_default();
                let file = Growing::create(&self.path, 0o600)?;
                self.writer = Some(Writer::new(file, start).map_err(plain)?);
            }
            (Event::Cell(_, traces), Some(writer)) => {
                for trace in traces {
                    // What is no key log was reported when the cell was judged.
                    let secrets = KeyLog::parse(&trace.key_log.join("\n")).unwrap_or_default();
                    let note = match &trace.knowledge {
                        Some(knowledge) => serde_json::to_string(knowledge)?,
                        None => String::new(),
                    };
                    writer.secrets(&secrets).map_err(plain)?;
                    writer
                        .connection(&trace.name, &note, &trace.recording)
                        .map_err(plain)?;
                }
            }
            (Event::Ended(_), writer) => {
                if let Some(writer) = writer.take() {
                    writer.into_inner().finish()?;
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
