//! Extensions (RFC 8446 §4.2).

use serde::{Deserialize, Serialize};

use super::super::bytes::Octets;
use super::super::flags::{TlsFlags, TlsFlagsError};
use super::super::reader::{ReadError, Reader};
use reqmtls_vocabulary::ExtensionType;

/// One extension of a message, in its place and with its body untouched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// Its number.
    #[serde(rename = "type")]
    pub kind: ExtensionType,
    /// Its body, without the length in front.
    pub body: Octets,
}

impl Extension {
    /// The flags, if this is a `tls_flags` extension.
    #[must_use]
    pub fn tls_flags(&self) -> Option<Result<TlsFlags, TlsFlagsError>> {
        (self.kind == ExtensionType::TLS_FLAGS).then(|| TlsFlags::decode(&self.body))
    }

    /// Reads a block of extensions with its length, duplicates and all.
    pub(super) fn block(reader: &mut Reader<'_>) -> Result<Vec<Self>, ReadError> {
        let mut block = reader.vec16("extensions")?;
        let mut extensions = Vec::new();
        while !block.is_empty() {
            extensions.push(Self {
                kind: ExtensionType(block.u16("extension type")?),
                body: block.vec16("extension")?.rest().into(),
            });
        }
        Ok(extensions)
    }

    /// Reads a block of extensions that TLS 1.2 allows to be absent.
    pub(super) fn optional_block(reader: &mut Reader<'_>) -> Result<Vec<Self>, ReadError> {
        if reader.is_empty() {
            Ok(Vec::new())
        } else {
            Self::block(reader)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_duplicates() {
        let bytes = [0, 13, 0, 62, 0, 2, 1, 1, 0, 5, 0, 0, 0, 62, 0, 0];
        let mut reader = Reader::new(&bytes[..]);
        let error = Extension::block(&mut reader).unwrap_err();
        assert_eq!(error.to_string(), "extension needs 2 bytes, 1 left");
        let bytes = [0, 14, 0, 62, 0, 2, 1, 1, 0, 5, 0, 0, 0, 62, 0, 0];
        let extensions = Extension::block(&mut Reader::new(&bytes)).unwrap();
        let kinds: Vec<_> = extensions
            .iter()
            .map(|extension| extension.kind.0)
            .collect();
        assert_eq!(kinds, [62, 5, 62]);
        assert!(extensions[0].tls_flags().unwrap().unwrap().contains(0));
        assert_eq!(extensions[1].tls_flags(), None);
        assert_eq!(extensions[2].tls_flags(), Some(Err(TlsFlagsError::Empty)));
    }
}
