//! `run.pcapng`: every connection of a run with its secrets, for Wireshark.

use std::time::{Duration, SystemTime};

use crate::event::Run;
use reqmtls_observer::KeyLog;
use reqmtls_observer::capture::{self, WriteError};

/// The recordings as one capture. A connection's name is the comment of its first packet.
///
/// # Errors
///
/// A recording that no packets can hold.
pub fn capture(run: &Run) -> Result<Vec<u8>, WriteError> {
    let mut secrets = KeyLog::default();
    let mut named = Vec::new();
    for cell in &run.cells {
        for connection in &cell.connections {
            for report in [&connection.client_report, &connection.server_report] {
                // What is no key log was told when the cell was judged.
                if let Ok(log) = KeyLog::parse(&report.key_log.join("\n")) {
                    secrets.merge(&log);
                }
            }
            let name = format!("{} {} {}", cell.case, cell.pairing(), connection.label);
            named.push((name.trim_end().to_owned(), &connection.recording));
        }
    }
    let start = run.started.duration_since(SystemTime::UNIX_EPOCH);
    let connections = named.iter().map(|(name, recording)| (&**name, *recording));
    capture::write(connections, &secrets, start.unwrap_or(Duration::ZERO))
}
