//! What people and programs read of a run. Every report is a reporter that consumes events, or is rendered from
//! what one of them collected; nothing is parsed out of text that we wrote.

mod annotations;
mod capture;
mod file;
mod folder;
mod interop;
mod junit;
pub(crate) mod paint;
mod published;
mod stored;
mod summary;
mod tally;
mod terminal;

use std::io;
use std::path::Path;

use reqmtls_contract::{Revision, TLS_FLAGS};
use reqmtls_observer::DEFAULT_FLAG;
use reqmtls_vocabulary::Side;

use crate::run::{Cell, Event, Started};

pub use self::annotations::Annotations;
pub(crate) use self::capture::plain;
pub use self::capture::{CAPTURE, CaptureFile, Captured};
pub(crate) use self::file::{Growing, write_secret};
pub use self::file::{try_write, write_whole};
pub use self::folder::{Folder, FolderError, WHOLE};
pub use self::interop::Interop;
pub use self::junit::Junit;
pub(crate) use self::published::counted;
pub use self::published::{
    Notes, NotesError, PAGE, PAGES, PICTURE, Places, Published, Rendered, Subject,
};
pub use self::stored::{Line, Lines, RESULT, SCHEMA, Stored, StoredError, replay, result_schema};
pub use self::summary::Summary;
pub use self::tally::Tally;
pub use self::terminal::{Detail, Terminal};

/// Consumes the events of a run, as they come.
pub trait Reporter {
    /// Takes one event.
    ///
    /// # Errors
    ///
    /// What writing fails with.
    fn event(&mut self, event: &Event) -> io::Result<()>;
}

/// The reports that are files in `folder`, and what is published of them.
#[must_use]
pub fn files(subject: Subject, folder: &Path, places: Option<Places>) -> Vec<Box<dyn Reporter>> {
    vec![
        Box::new(Published::new(subject, folder.to_owned(), places)),
        Box::new(Junit::new(&folder.join("junit.xml"))),
        Box::new(Interop::new(&folder.join("interop.json"))),
        Box::new(Summary::new(&folder.join("summary.md"))),
    ]
}

/// The options by which `reqmtls run` has the revision and the numbers of a run, each with a space in front; those that
/// it has anyway are left out.
#[must_use]
pub fn options(started: &Started) -> String {
    let mut options = String::new();
    if started.revision != Revision::Draft02 {
        options.extend([" --revision ", started.revision.as_str()]);
    }
    if started.flag != DEFAULT_FLAG {
        options.extend([" --flag ", &started.flag.to_string()]);
    }
    if started.extension != TLS_FLAGS {
        options.extend([" --extension ", &format!("{:#06x}", started.extension)]);
    }
    options
}

/// The command that runs one cell alone, with the options of the run that it was of.
#[must_use]
pub fn reproduction(options: &str, cell: &Cell) -> String {
    let mut command = format!("reqmtls run{options} {}", cell.case);
    for side in Side::BOTH {
        let player = cell.player(side);
        // Who plays an end that breaks rules on purpose is not for choice.
        if !player.misbehaves {
            command.extend([" --", side.as_str(), " ", &player.peer]);
        }
    }
    command
}
