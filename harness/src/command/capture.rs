//! Captures as commands take them: files read up to a limit, key logs, and the TLS connections in them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use clap::Args;

use super::run::number;
use crate::judge::{Numbering, Recorded};
use crate::report::{CaptureFile, counted};
use crate::scenario::MAX_FLAG;
use reqmtls_observer::capture::{self, Connection};
use reqmtls_observer::{Codepoints, DEFAULT_FLAG, ExtensionType, KeyLog, Transcript, Wire};

/// The most octets that are read of anything: it is held in memory, some of it more than once.
const LIMIT: u64 = 1 << 30;

/// The numbers by which the request mTLS flag is known.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Numbers {
    /// The number of the request mTLS flag [default: what a run's capture says, else 80]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(0..=i64::from(MAX_FLAG)))]
    flag: Option<u16>,
    /// The number of the extension `tls_flags`, decimal or with 0x in front [default: what a run's capture says, else
    /// 62 or 0xfe01, as detected]
    #[arg(long, value_name = "NUMBER", value_parser = number)]
    pub(super) extension: Option<u16>,
}

impl Numbers {
    /// The numbers for a transcript of which nothing else is known, and whence that of the extension is.
    pub(super) fn of(self, transcript: &Transcript) -> (Codepoints, Numbering) {
        let (extension, numbering) = Numbering::of(transcript, self.extension);
        let codepoints = Codepoints {
            extension: ExtensionType(extension),
            flag: self.flag(),
        };
        (codepoints, numbering)
    }

    /// The number of the flag where nothing else is known.
    pub(super) fn flag(self) -> u16 {
        self.flag.unwrap_or(DEFAULT_FLAG)
    }

    /// Puts the numbers that were given in the place of others.
    pub(super) fn apply(self, recorded: &mut Recorded) {
        if let Some(flag) = self.flag {
            recorded.knowledge.flag = flag;
        }
        if let Some(extension) = self.extension {
            recorded.knowledge.extension = extension;
            recorded.numbering = Numbering::Given;
        }
    }
}

/// What a capture holds of TCP, and the secrets for it.
pub(super) struct Capture {
    connections: Vec<Connection>,
    log: KeyLog,
    /// What could not be used, a line each.
    pub(super) omissions: Vec<String>,
}

impl Capture {
    /// Reads a capture; `key_log` is a file with more secrets than it embeds.
    pub(super) fn read(octets: &[u8], key_log: Option<&Path>, name: &str) -> anyhow::Result<Self> {
        let mut log = match key_log {
            Some(path) => read_key_log(path)?,
            None => KeyLog::default(),
        };
        let capture = capture::read(octets).with_context(|| name.to_owned())?;
        log.merge(capture.secrets);
        let omissions = capture.omissions.iter().map(ToString::to_string);
        Ok(Self {
            omissions: omissions.collect(),
            connections: capture.connections,
            log,
        })
    }

    /// How many connections there are, of whatever protocol.
    pub(super) fn len(&self) -> usize {
        self.connections.len()
    }

    /// The connections in which something of TLS can be read.
    pub(super) fn of_tls(&self) -> impl Iterator<Item = Recorded> {
        let connections = self.connections.iter();
        let recorded = connections.map(|connection| Recorded::of(connection, &self.log));
        recorded.filter(|recorded| !recorded.transcript.entries.is_empty())
    }

    /// Writes the connections of a cell as a capture of their own, with their secrets and what is known of them; how
    /// many there are.
    pub(super) fn extract(&self, cell: &str, path: &Path) -> anyhow::Result<usize> {
        let is_of_cell = |name: &str| {
            let rest = name.strip_prefix(cell);
            rest.is_some_and(|label| label.is_empty() || label.starts_with(' '))
        };
        let found = self.connections.iter().filter(|it| is_of_cell(&it.name));
        let found: Vec<_> = found.collect();
        let start = found.first().map(|first| first.start).unwrap_or_default();
        let mut file = CaptureFile::create(path, start)?;
        for connection in &found {
            let random = Wire::of(&connection.recording).client_random();
            let secrets = random.map(|random| self.log.of(random)).unwrap_or_default();
            let note = connection.note.as_deref().unwrap_or_default();
            file.add_noted(&connection.name, note, &secrets, &connection.recording)?;
        }
        file.finish()?;
        Ok(found.len())
    }

    /// What there is instead of the connections that a command needs.
    pub(super) fn lacks(&self) -> String {
        let count = counted(self.len(), "TCP connection");
        let omissions = self.omissions.join("; ");
        if omissions.is_empty() {
            format!("got {count}")
        } else {
            format!("got {count} ({omissions})")
        }
    }
}

/// Reads a file, up to a limit.
pub(super) fn read_file(path: &Path) -> anyhow::Result<Vec<u8>> {
    let read = || -> anyhow::Result<Vec<u8>> {
        let file = File::open(path)?;
        within_limit(file.metadata()?.len())?;
        read_all(file)
    };
    read().with_context(|| format!("cannot read {}", path.display()))
}

/// Reads to the end, up to a limit.
pub(super) fn read_all(from: impl Read) -> anyhow::Result<Vec<u8>> {
    let mut octets = Vec::new();
    let count = from.take(LIMIT + 1).read_to_end(&mut octets)?;
    within_limit(u64::try_from(count).unwrap_or(u64::MAX))?;
    Ok(octets)
}

fn within_limit(count: u64) -> anyhow::Result<()> {
    if count > LIMIT {
        bail!("got {count} octets or more, expected at most {LIMIT}");
    }
    Ok(())
}

/// Reads a capture from a file, or from stdin if that is `-`.
pub(super) fn read_input(path: &Path) -> anyhow::Result<Vec<u8>> {
    if path == Path::new("-") {
        read_all(io::stdin()).context("cannot read stdin")
    } else {
        read_file(path)
    }
}

fn read_key_log(path: &Path) -> anyhow::Result<KeyLog> {
    let octets = read_file(path)?;
    let named = || path.display().to_string();
    let text = str::from_utf8(&octets)
        .map_err(|_| anyhow!("got octets that are not text, expected key log lines"))
        .with_context(named)?;
    KeyLog::parse(text).with_context(named)
}
