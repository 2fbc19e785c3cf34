//! What a ClientHello says, read from its raw bytes.

use crate::flags::{Flags, FlagsError};
use crate::reader::Reader;

pub(crate) const CLIENT_HELLO: u8 = 1;
pub(crate) const PRE_SHARED_KEY: u16 = 41;
const SUPPORTED_VERSIONS: u16 = 43;
const TLS13: [u8; 2] = [3, 4];

/// The flags of a ClientHello; `None` if it has no `tls_flags` extension.
///
/// `extension` is the number of that extension, [`crate::TLS_FLAGS`] if there is no reason for another.
/// `message` is the whole handshake message, beginning with its type and
/// length (RFC 9846 §4 (RFC 8446 §4)), without record headers.
///
/// ```
/// use rustls_tlsflags::{Flags, TLS_FLAGS, flags_in_client_hello};
///
/// let mut hello = vec![1, 0, 0, 49, 3, 3]; // header, legacy_version
/// hello.extend([7; 32]); // random
/// hello.extend([0, 0, 2, 0x13, 0x01, 1, 0]); // session id, suites, compression
/// hello.extend([0, 6, 0, 62, 0, 2, 1, 0b100]); // extensions: tls_flags
/// assert_eq!(flags_in_client_hello(&hello, TLS_FLAGS), Ok(Some(Flags::from_iter([2]))));
/// ```
pub fn flags_in_client_hello(message: &[u8], extension: u16) -> Result<Option<Flags>, FlagsError> {
    raw_flags_in_client_hello(message, extension)?
        .map(Flags::decode)
        .transpose()
}

/// The `extension_data` of `tls_flags` in a ClientHello, as it stands there.
///
/// The same as [`flags_in_client_hello`], but the value is not judged; two
/// `tls_flags` extensions, or one behind `pre_shared_key`, are an error all the
/// same.
pub fn raw_flags_in_client_hello(
    message: &[u8],
    extension: u16,
) -> Result<Option<&[u8]>, FlagsError> {
    let mut found = None;
    let mut behind_psk = false;
    for Extension { number, data } in extensions(message)? {
        match number {
            number if number == extension => {
                if found.replace(data).is_some() {
                    return Err(FlagsError::Duplicate);
                }
                if behind_psk {
                    return Err(FlagsError::BehindPreSharedKey);
                }
            }
            PRE_SHARED_KEY => behind_psk = true,
            _ => {}
        }
    }
    Ok(found)
}

/// Whether a ClientHello offers TLS 1.3 (RFC 8446 §4.2.1).
///
/// Bytes that cannot be read offer nothing.
pub(crate) fn offers_tls13(message: &[u8]) -> bool {
    extensions(message).is_ok_and(|extensions| {
        extensions
            .iter()
            .filter(|extension| extension.number == SUPPORTED_VERSIONS)
            .any(|extension| {
                let versions = Reader::new(extension.data).vector(1).unwrap_or_default();
                versions.chunks_exact(2).any(|version| version == TLS13)
            })
    })
}

struct Extension<'a> {
    number: u16,
    data: &'a [u8],
}

fn extensions(message: &[u8]) -> Result<Vec<Extension<'_>>, FlagsError> {
    let mut reader = Reader::new(message);
    let kind = reader.number(1).ok_or(FlagsError::Malformed("no type"))?;
    if kind != usize::from(CLIENT_HELLO) {
        return Err(FlagsError::Malformed("its type is not client_hello"));
    }
    let body = reader
        .vector(3)
        .filter(|_| reader.is_empty())
        .ok_or(FlagsError::Malformed("its length does not match"))?;

    let mut reader = Reader::new(body);
    let fixed = (|| {
        reader.take(2 + 32)?;
        reader.vector(1)?;
        reader.vector(2)?;
        reader.vector(1)
    })();
    if fixed.is_none() {
        return Err(FlagsError::Malformed("it ends before its extensions"));
    }
    if reader.is_empty() {
        return Ok(Vec::new()); // TLS 1.2 allows a ClientHello without extensions
    }
    let block = reader
        .vector(2)
        .filter(|_| reader.is_empty())
        .ok_or(FlagsError::Malformed("its extensions do not fill it"))?;

    let mut reader = Reader::new(block);
    let mut extensions = Vec::new();
    while !reader.is_empty() {
        let extension = (|| {
            let number = u16::try_from(reader.number(2)?).ok()?;
            let data = reader.vector(2)?;
            Some(Extension { number, data })
        })();
        extensions.push(extension.ok_or(FlagsError::Malformed("an extension is cut short"))?);
    }
    Ok(extensions)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A ClientHello with these extensions, in this order.
    pub(crate) fn client_hello(extensions: &[(u16, &[u8])]) -> Vec<u8> {
        let mut block = Vec::new();
        for (number, data) in extensions {
            block.extend(number.to_be_bytes());
            block.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
            block.extend(*data);
        }
        let mut body = vec![3, 3];
        body.extend([0xab; 32]);
        body.extend([0, 0, 2, 0x13, 0x01, 1, 0]);
        body.extend(u16::try_from(block.len()).unwrap().to_be_bytes());
        body.extend(block);
        let mut message = vec![1];
        message.extend(&u32::try_from(body.len()).unwrap().to_be_bytes()[1..]);
        message.extend(body);
        message
    }

    #[test]
    fn absent_extension_is_no_flags() {
        assert_eq!(
            flags_in_client_hello(&client_hello(&[(10, &[0])]), 62),
            Ok(None)
        );
    }

    #[test]
    fn hello_without_any_extension_block_is_no_flags() {
        let mut hello = client_hello(&[]);
        hello.truncate(hello.len() - 2);
        hello[3] -= 2;
        assert_eq!(flags_in_client_hello(&hello, 62), Ok(None));
    }

    #[test]
    fn raw_value_is_not_judged() {
        let hello = client_hello(&[(62, &[2, 1, 0])]);
        assert_eq!(
            raw_flags_in_client_hello(&hello, 62),
            Ok(Some(&[2, 1, 0][..]))
        );
        assert_eq!(
            flags_in_client_hello(&hello, 62),
            Err(FlagsError::TrailingZeroOctet { octets: 2 })
        );
    }

    #[test]
    fn two_extensions_are_refused() {
        let hello = client_hello(&[(62, &[1, 1]), (10, &[]), (62, &[1, 1])]);
        assert_eq!(
            flags_in_client_hello(&hello, 62),
            Err(FlagsError::Duplicate)
        );
    }

    #[test]
    fn an_extension_behind_the_psk_is_refused() {
        let hello = client_hello(&[(41, &[9; 20]), (62, &[1, 1])]);
        assert_eq!(
            raw_flags_in_client_hello(&hello, 62),
            Err(FlagsError::BehindPreSharedKey)
        );
    }

    #[test]
    fn every_truncation_is_refused() {
        let hello = client_hello(&[(43, &[2, 3, 4]), (62, &[1, 1]), (41, &[9; 20])]);
        assert!(flags_in_client_hello(&hello, 62).is_ok());
        for end in 0..hello.len() {
            assert!(flags_in_client_hello(&hello[..end], 62).is_err(), "{end}");
        }
    }

    #[test]
    fn tls13_is_offered_by_supported_versions_only() {
        assert!(offers_tls13(&client_hello(&[(43, &[4, 3, 3, 3, 4])])));
        assert!(!offers_tls13(&client_hello(&[(43, &[2, 3, 3])])));
        assert!(!offers_tls13(&client_hello(&[])));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = flags_in_client_hello(&bytes, 62);
            let _ = offers_tls13(&bytes);
        }

        #[test]
        fn one_changed_byte_never_panics(at in 0usize..80, value in any::<u8>()) {
            let mut hello = client_hello(&[(43, &[2, 3, 4]), (62, &[1, 1]), (41, &[9; 20])]);
            let at = at % hello.len();
            hello[at] = value;
            let _ = flags_in_client_hello(&hello, 62);
        }
    }
}
