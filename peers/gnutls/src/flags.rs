//! `tls_flags` in messages whose extensions the library hands to no application: read from their octets.

use reqmtls_contract::flag_is_set;

use crate::ffi;

/// Whether an end that implements `tls_flags` takes a message that came: nothing answers the flag in Certificate, and
/// what stands in CertificateRequest and NewSessionTicket is well formed (draft-ietf-tls-tlsflags-16 §2, §3). What is
/// not read here is for the library to judge.
pub(crate) fn are_right(message: u32, body: &[u8], extension: u16, flag: u16) -> bool {
    let mut reader = Reader(body);
    match message {
        ffi::GNUTLS_HANDSHAKE_CERTIFICATE_PKT => {
            // certificate_request_context, then the list of certificates with their extensions.
            let list = reader
                .vector(1)
                .and_then(|_| reader.vector(3))
                .unwrap_or_default();
            let mut list = Reader(list);
            while list.vector(3).is_some() {
                let extensions = list.vector(2).unwrap_or_default();
                if find(extensions, extension).is_some() {
                    return false;
                }
            }
            true
        }
        ffi::GNUTLS_HANDSHAKE_CERTIFICATE_REQUEST => {
            reader.vector(1);
            is_well_formed(&mut reader, extension, flag)
        }
        ffi::GNUTLS_HANDSHAKE_NEW_SESSION_TICKET => {
            // ticket_lifetime and ticket_age_add, ticket_nonce, ticket.
            reader.take(8);
            reader.vector(1);
            reader.vector(2);
            is_well_formed(&mut reader, extension, flag)
        }
        _ => true,
    }
}

/// Whether the body of Certificate has a list without certificates; before TLS 1.3, nothing stands in front of it.
pub(crate) fn is_empty_certificate(body: &[u8]) -> bool {
    let list = match body {
        [context, list @ ..] if list.len() == usize::from(*context) + 3 => {
            &list[usize::from(*context)..]
        }
        body => body,
    };
    list == [0; 3]
}

fn is_well_formed(reader: &mut Reader<'_>, extension: u16, flag: u16) -> bool {
    let extensions = reader.vector(2).unwrap_or_default();
    find(extensions, extension).is_none_or(|data| flag_is_set(data, flag).is_ok())
}

/// The data of an extension.
fn find(extensions: &[u8], number: u16) -> Option<&[u8]> {
    let mut reader = Reader(extensions);
    while let Some(octets) = reader.take(2) {
        let data = reader.vector(2)?;
        if octets == number.to_be_bytes() {
            return Some(data);
        }
    }
    None
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (octets, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(octets)
    }

    /// What follows a length of that many octets.
    fn vector(&mut self, width: usize) -> Option<&'a [u8]> {
        let length = self.take(width)?;
        let length = length
            .iter()
            .fold(0, |sum, octet| sum << 8 | usize::from(*octet));
        self.take(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MALFORMED: [u8; 5] = [0, 62, 0, 1, 0];
    const SET: [u8; 6] = [0, 62, 0, 2, 1, 1];

    fn takes(message: u32, parts: &[&[u8]]) -> bool {
        are_right(message, &parts.concat(), 62, 0)
    }

    #[test]
    fn a_request_may_carry_flags_that_are_well_formed() {
        let message = ffi::GNUTLS_HANDSHAKE_CERTIFICATE_REQUEST;
        assert!(takes(message, &[&[0, 0, 6], &SET]));
        assert!(!takes(message, &[&[0, 0, 5], &MALFORMED]));
        assert!(takes(message, &[&[0, 0, 0]]));
    }

    #[test]
    fn a_ticket_may_carry_flags_that_are_well_formed() {
        let message = ffi::GNUTLS_HANDSHAKE_NEW_SESSION_TICKET;
        let head = [0, 0, 0, 9, 1, 2, 3, 4, 1, 7, 0, 2, 8, 8];
        assert!(takes(message, &[&head, &[0, 6], &SET]));
        assert!(!takes(message, &[&head, &[0, 5], &MALFORMED]));
    }

    #[test]
    fn a_certificate_carries_none() {
        let message = ffi::GNUTLS_HANDSHAKE_CERTIFICATE_PKT;
        let list = |extensions: &[u8]| {
            let extensions_length = u8::try_from(extensions.len()).unwrap();
            let list = [&[0, 0, 1, 0x30, 0, extensions_length][..], extensions].concat();
            [&[0, 0, 0, u8::try_from(list.len()).unwrap()][..], &list].concat()
        };
        assert!(takes(message, &[&list(&[])]));
        assert!(!takes(message, &[&list(&SET)]));
        assert!(!takes(message, &[&list(&MALFORMED)]));
    }

    #[test]
    fn a_list_without_certificates_is_empty_in_either_version() {
        for body in [&[0, 0, 0][..], &[0, 0, 0, 0], &[2, 7, 7, 0, 0, 0]] {
            assert!(is_empty_certificate(body), "{body:?}");
        }
        for body in [
            &[0, 0, 4, 0, 0, 1, 9][..],
            &[0, 0, 0, 6, 0, 0, 1, 9, 0, 0],
            &[1, 7, 0, 0, 1, 9],
        ] {
            assert!(!is_empty_certificate(body), "{body:?}");
        }
    }

    #[test]
    fn what_ends_early_is_for_the_library() {
        let request = [&[0, 0, 6][..], &SET].concat();
        for length in 0..request.len() {
            let taken = are_right(
                ffi::GNUTLS_HANDSHAKE_CERTIFICATE_REQUEST,
                &request[..length],
                62,
                0,
            );
            assert!(taken, "{length}");
        }
    }
}
