//! What people and programs read of a run. Every report is a reporter that consumes events, or is rendered from
//! what one of them collected; nothing is parsed out of text that we wrote.

mod capture;
mod file;
mod folder;
mod published;
mod stored;
mod tally;
mod terminal;

use std::io;

use crate::run::Event;

pub use self::capture::Captured;
pub use self::file::{try_write, write_whole};
pub use self::folder::{Folder, FolderError};
pub use self::published::{Notes, NotesError, PAGES, Places, Published, Rendered, Subject};
pub use self::stored::{Line, SCHEMA, Stored, StoredError, replay};
pub use self::tally::Tally;
pub use self::terminal::Terminal;

/// Consumes the events of a run, as they come.
pub trait Reporter {
    /// Takes one event.
    ///
    /// # Errors
    ///
    /// What writing fails with.
    fn event(&mut self, event: &Event) -> io::Result<()>;
}

/// The arguments of `reqmtls run` that run one cell alone.
#[must_use]
pub fn reproduction(cell: &crate::run::Cell) -> String {
    let mut arguments = cell.case.to_string();
    for side in reqmtls_vocabulary::Side::BOTH {
        let player = cell.player(side);
        // Who plays an end that breaks rules on purpose is not for choice.
        if !player.misbehaves {
            arguments.extend([" --", side.as_str(), " ", &player.peer]);
        }
    }
    arguments
}
