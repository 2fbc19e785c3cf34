//! Extensions (RFC 8446 §4.2).

use serde::{Deserialize, Serialize};

use super::super::bytes::Octets;
use super::super::flags::{CARRIERS, TlsFlags, TlsFlagsError};
use super::super::reader::{ReadError, Reader};
use reqmtls_vocabulary::{Codepoints, ExtensionType};

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
    /// The flags, if this is `tls_flags` under the number given.
    #[must_use]
    pub fn tls_flags(
        &self,
        codepoints: impl Into<Codepoints>,
    ) -> Option<Result<TlsFlags, TlsFlagsError>> {
        (self.kind == codepoints.into().extension).then(|| TlsFlags::decode(&self.body))
    }

    /// The flags, if this is `tls_flags` under another number by which it is known than the one given: 62 as IANA
    /// has it, or 0xfe01 as the one deployment has it. What does not decode may be something else, so it is not
    /// malformed but `None`.
    #[must_use]
    pub fn tls_flags_of_another_number(
        &self,
        codepoints: impl Into<Codepoints>,
    ) -> Option<TlsFlags> {
        let is_another = self.kind != codepoints.into().extension && CARRIERS.contains(&self.kind);
        is_another.then(|| TlsFlags::decode(&self.body).ok())?
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
        assert!(extensions[0].tls_flags(80).unwrap().unwrap().contains(0));
        assert_eq!(extensions[1].tls_flags(80), None);
        assert_eq!(extensions[2].tls_flags(80), Some(Err(TlsFlagsError::Empty)));
    }

    #[test]
    fn flags_are_found_under_the_number_given_and_under_another_that_is_known() {
        let flags = |kind: u16, body: &[u8], configured: u16| {
            let kind = ExtensionType(kind);
            let (body, extension) = (body.into(), ExtensionType(configured));
            let carrier = Extension { kind, body };
            let codepoints = Codepoints {
                extension,
                flag: 80,
            };
            let another = carrier.tls_flags_of_another_number(codepoints);
            (
                carrier.tls_flags(codepoints).map(|it| it.is_ok()),
                another.is_some(),
            )
        };
        assert_eq!(flags(62, &[1, 1], 62), (Some(true), false));
        assert_eq!(flags(0xfe01, &[1, 1], 62), (None, true));
        assert_eq!(flags(62, &[1, 1], 0xfe01), (None, true));
        assert_eq!(flags(0xfe01, &[1, 1], 0xfe01), (Some(true), false));
        // A number that nobody else uses, once as it is set and once not.
        assert_eq!(flags(0xff77, &[1, 1], 0xff77), (Some(true), false));
        assert_eq!(flags(0xff77, &[1, 1], 62), (None, false));
        // Malformed: of the configured number an error, of another one nothing.
        assert_eq!(flags(62, &[1, 0], 62), (Some(false), false));
        assert_eq!(flags(0xfe01, &[1, 0], 62), (None, false));
    }
}
