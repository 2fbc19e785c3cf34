//! Real programs as ends: what they do when the reference asks them for a certificate.

mod case;
mod chapter;
pub mod manifest;
mod page;
mod place;
mod process;
mod result;
mod run;
mod wire;

pub use self::case::{CASES, Case, Certificate};
pub use self::chapter::chapter;
pub use self::manifest::{Kind, Manifest, ManifestError, Role};
pub use self::result::{Cell, Missing, Outcome, Program, Results};
pub(crate) use self::run::Cases;
pub use self::wire::{Connection, Course};
