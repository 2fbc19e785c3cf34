//! `tls_flags` in messages whose extensions the library hands to no application: read from their octets.

use aws_lc_sys as ffi;
use reqmtls_contract::flag_is_set;

/// Whether a client that implements `tls_flags` refuses a message: nothing answers the flag in ServerHello,
/// HelloRetryRequest and Certificate, and what stands in CertificateRequest and NewSessionTicket is well formed
/// (draft-ietf-tls-tlsflags-16 §2, §3). What cannot be read is for the library to refuse.
pub(crate) fn are_wrong(message: &[u8], tls13: bool, extension: u16, flag: u16) -> bool {
    wrong(message, tls13, extension, flag).unwrap_or(false)
}

fn wrong(message: &[u8], tls13: bool, extension: u16, flag: u16) -> Option<bool> {
    let (kind, rest) = message.split_first()?;
    let mut body = Reader(Reader(rest).vector(3)?);
    match i32::from(*kind) {
        ffi::SSL3_MT_SERVER_HELLO => {
            // legacy_version and random, the session id, suite and compression.
            body.take(34)?;
            body.vector(1)?;
            body.take(3)?;
            find(body.vector(2)?, extension).map(|_| true)
        }
        ffi::SSL3_MT_CERTIFICATE if tls13 => {
            body.vector(1)?;
            let mut list = Reader(body.vector(3)?);
            while list.vector(3).is_some() {
                if find(list.vector(2)?, extension).is_some() {
                    return Some(true);
                }
            }
            None
        }
        ffi::SSL3_MT_CERTIFICATE_REQUEST if tls13 => {
            body.vector(1)?;
            find(body.vector(2)?, extension).map(|data| flag_is_set(data, flag).is_err())
        }
        ffi::SSL3_MT_NEW_SESSION_TICKET if tls13 => {
            // ticket_lifetime and ticket_age_add, ticket_nonce, ticket.
            body.take(8)?;
            body.vector(1)?;
            body.vector(2)?;
            find(body.vector(2)?, extension).map(|data| flag_is_set(data, flag).is_err())
        }
        _ => None,
    }
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

    /// Of two certificates the second has flags.
    const CERTIFICATE: [u8; 26] = [
        11, 0, 0, 22, 0, 0, 0, 18, 0, 0, 1, 48, 0, 0, 0, 0, 1, 48, 0, 6, 0, 62, 0, 2, 1, 1,
    ];

    fn server_hello() -> Vec<u8> {
        let mut message = vec![2, 0, 0, 0, 3, 3];
        message.extend([9; 32]);
        message.extend([1, 7, 0x13, 1, 0, 0, 6, 0, 62, 0, 2, 1, 1]);
        message[3] = u8::try_from(message.len() - 4).unwrap();
        message
    }

    #[test]
    fn refuses_malformed_flags_where_a_server_may_have_some() {
        for message in [&REQUEST[..], &TICKET] {
            assert!(are_wrong(message, true, 62, 80));
            assert!(!are_wrong(message, true, 63, 80));
            assert!(!are_wrong(message, false, 62, 80));
        }
        let mut well_formed = TICKET;
        well_formed[25] = 1;
        assert!(!are_wrong(&well_formed, true, 62, 80));
    }

    #[test]
    fn refuses_well_formed_flags_where_nothing_answers_them() {
        for message in [&server_hello()[..], &CERTIFICATE] {
            assert!(are_wrong(message, true, 62, 80), "{message:?}");
            assert!(!are_wrong(message, true, 63, 80));
        }
        assert!(are_wrong(&server_hello(), false, 62, 80));
        assert!(!are_wrong(&CERTIFICATE, false, 62, 80));
    }

    #[test]
    fn leaves_what_it_cannot_read_to_the_library() {
        for message in [&REQUEST[..], &TICKET, &CERTIFICATE, &server_hello()] {
            for length in 0..message.len() {
                assert!(!are_wrong(&message[..length], true, 62, 80), "{length}");
            }
        }
    }
}
