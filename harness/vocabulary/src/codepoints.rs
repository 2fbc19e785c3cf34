use serde::{Deserialize, Serialize};

use crate::ExtensionType;

/// The flag number that is used until IANA assigns one.
pub const DEFAULT_FLAG: u16 = 80;

/// The numbers by which the request mTLS flag is known on the wire. The default is extension 62, as IANA has it,
/// and flag 80.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Codepoints {
    /// The number of the extension that carries flags.
    pub extension: ExtensionType,
    /// The number of the flag in it.
    pub flag: u16,
}

impl Default for Codepoints {
    fn default() -> Self {
        Self::from(DEFAULT_FLAG)
    }
}

/// A flag number, in the extension with the number that IANA assigned.
impl From<u16> for Codepoints {
    fn from(flag: u16) -> Self {
        let extension = ExtensionType::TLS_FLAGS;
        Self { extension, flag }
    }
}
