//! Scenarios: declarative files, read with care and expanded to cases.

mod alert;
mod axis;
mod choice;
mod diagnostic;
mod expand;
mod file;
mod load;
mod merge;
mod model;
pub(crate) mod nearest;
mod reader;
mod schema;
mod select;

pub use self::{
    alert::{ALERTS, Alert},
    axis::{
        AXES, Axis, Certificate, Cipher, ClientEarlyData, ClientPretence, Encoding, End, Flag,
        FlagsIn, FlagsSent, Groups, Policy, PostHandshakeAuth, Resumption, ServerEarlyData,
        ServerPretence, Settings, TlsFlags, Versions,
    },
    choice::{Choice, Word},
    diagnostic::{Diagnostic, Diagnostics},
    load::{KNOWN_DEVIATIONS, load_dir, load_file, load_files, parse},
    model::{Case, Excluded, Expected, Outcome, Requested, Scenario},
    schema::{schema, schema_text},
    select::{Selector, SelectorError},
};

#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod tests;
