//! Real programs as ends: what clients do when the reference asks them for a certificate, and what servers do when it
//! probes them.

mod case;
mod chapter;
pub mod manifest;
mod page;
mod place;
mod process;
mod result;
mod run;
mod server;
mod statement;
mod wire;

pub use self::case::{CASES, Case, Certificate};
pub use self::chapter::chapter;
pub use self::manifest::{Kind, Manifest, Role};
pub use self::result::{Cell, Missing, Outcome, Program, Results};
pub(crate) use self::run::Cases;
pub(crate) use self::server::Servers;
pub use self::server::{Policy, Row, Server, ServerManifest};
pub use self::statement::statements;
pub use self::wire::{Connection, Course};
