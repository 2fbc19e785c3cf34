//! `tls_flags` in messages whose unknown extensions the library ignores: read from their octets.

use aws_lc_sys as ffi;
use reqmtls_contract::flag_is_set;

/// Whether what a message that a client received carries of `tls_flags` is malformed: a CertificateRequest or a
/// NewSessionTicket of TLS 1.3 (draft-ietf-tls-tlsflags-16 §2). What cannot be read is for the library to refuse.
pub(crate) fn are_malformed(message: &[u8], extension: u16, flag: u16) -> bool {
    extensions(message)
        .and_then(|extensions| find(extensions, extension))
        .is_some_and(|data| flag_is_set(data, flag).is_err())
}

fn extensions(message: &[u8]) -> Option<&[u8]> {
    let (kind, mut reader) = message
        .split_first()
        .map(|(kind, it)| (*kind, Reader(it)))?;
    let mut body = Reader(reader.vector(3)?);
    match i32::from(kind) {
        ffi::SSL3_MT_CERTIFICATE_REQUEST => {
            body.vector(1)?;
        }
        ffi::SSL3_MT_NEW_SESSION_TICKET => {
            // ticket_lifetime and ticket_age_add, ticket_nonce, ticket.
            body.take(8)?;
            body.vector(1)?;
            body.vector(2)?;
        }
        _ => return None,
    }
    body.vector(2)
}

fn find(extensions: &[u8], number: u16) -> Option<&[u8]> {
    let mut reader = Reader(extensions);
    loop {
        let (octets, data) = (reader.take(2)?, reader.vector(2)?);
        if octets == number.to_be_bytes() {
            return Some(data);
        }
    }
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
        let add = |sum, octet: &u8| sum << 8 | usize::from(*octet);
        let length = length.iter().fold(0, add);
        self.take(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: [u8; 17] = [
        13, 0, 0, 13, 1, 7, 0, 9, 0, 13, 0, 0, 0, 62, 0, 1, /* no octets of flags */ 0,
    ];
    const TICKET: [u8; 26] = [
        4, 0, 0, 22, 0, 0, 0, 1, 0, 0, 0, 2, 1, 0, 0, 1, 9, 0, 7, 0, 62, 0, 3, 2, 1,
        /* trailing */ 0,
    ];

    #[test]
    fn finds_malformed_flags_in_either_message() {
        assert!(are_malformed(&REQUEST, 62, 80));
        assert!(are_malformed(&TICKET, 62, 80));
        assert!(!are_malformed(&REQUEST, 63, 80));
        let mut well_formed = TICKET;
        well_formed[25] = 1;
        assert!(!are_malformed(&well_formed, 62, 80));
    }

    #[test]
    fn leaves_what_it_cannot_read_to_the_library() {
        for message in [&REQUEST[..], &TICKET] {
            for length in 0..message.len() {
                assert!(!are_malformed(&message[..length], 62, 80), "{length}");
            }
        }
        let mut other = TICKET;
        other[0] = 11;
        assert!(!are_malformed(&other, 62, 80));
    }
}
