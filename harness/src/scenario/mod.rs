//! Scenarios: declarative files, read with care and expanded to cases.

mod axis;
mod case;
mod certificates;
mod coverage;
mod diagnostic;
mod draft;
mod edit;
mod effect;
mod expand;
mod expectation;
mod file;
mod known;
mod load;
mod merge;
mod misbehaviour;
mod nearest;
mod reader;
mod schema;
mod select;

pub use self::{
    axis::{AXES, Axis, Need, Settings, Value},
    case::{Case, CaseId, Excluded, Pairings, Scenario},
    certificates::{Certificates, SERVER_NAME, Valid},
    diagnostic::{Diagnostic, Diagnostics},
    draft::{Ends, MAX_FLAG, Material, Setups},
    known::{KNOWN_DEVIATIONS, Known, KnownError, Sightings},
    load::{PUBLISHED, SELF_TEST, built_in, load_dir, load_file, load_files, parse},
    nearest::nearest,
    schema::{schema, schema_text},
    select::{Selector, SelectorError},
};

#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod tests;
