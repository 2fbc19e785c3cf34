use serde::{Deserialize, Serialize};

use crate::Capabilities;

/// What a peer is: the answer to `describe`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The contract's version that the peer speaks.
    pub reqmtls: u32,
    /// The implementation's short name: `rustls`, `openssl`, `boringssl`.
    pub name: String,
    /// The version string as the library that is linked gives it.
    pub library: String,
    /// What the peer can do, by the names in `peers/README.md`, and whose behaviour it then shows.
    pub capabilities: Capabilities,
}
