use serde::{Deserialize, Serialize};

/// What a peer is: the answer to `describe`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The contract's version that the peer speaks.
    pub reqmtls: u32,
    /// The implementation's short name: `rustls`, `openssl`, `boringssl`.
    pub name: String,
    /// The version string as the library that is linked gives it.
    pub library: String,
    /// What the peer can do, by the names in `peers/README.md`.
    pub capabilities: Vec<String>,
}

impl Description {
    /// Whether the peer says that it can do this.
    #[must_use]
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|name| name == capability)
    }
}
