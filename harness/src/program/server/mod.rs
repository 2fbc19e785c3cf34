//! Real programs as servers: each policy of each against a probe.

mod chapter;
mod manifest;
mod result;
mod run;

pub(super) use self::chapter::servers;
pub use self::manifest::{Policy, ServerManifest};
pub use self::result::{Row, Server};
pub(crate) use self::run::Servers;
