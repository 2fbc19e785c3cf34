//! How long fragments may be if encrypted messages are edited.
//!
//! An encrypter makes one record of each fragment, so what it holds back of one fragment, and what edits add, has
//! to fit into the record of the next.

use super::EDITABLE;
use super::edits::{Edits, Message};

/// The record header, which rustls counts into `max_fragment_size`.
const HEADER: usize = 5;

/// The longest payload of a record (RFC 9846 §5.1 (RFC 8446 §5.1)).
pub(super) const RECORD: usize = 1 << 14;

/// Fragments for messages that may lie in two of them.
///
/// An editable message then lies in two fragments at most, and what is held back of the first fits, edited, into
/// the record of the second: 2 × 6000 + 3 × 1024 octets are fewer than 2^14.
const SHORT: usize = EDITABLE + HEADER;

/// `max_fragment_size` for a configuration that makes these edits, if it would otherwise be `configured`.
pub(super) fn fragment_size(edits: &Edits, configured: Option<usize>) -> Option<usize> {
    if !edits.touch_encrypted() {
        return configured;
    }
    // The flight begins with EncryptedExtensions and CertificateRequest: if both are editable, they lie in its
    // first fragment, and nothing is held back.
    let are_first = edits.iter().all(|edit| {
        !edit.message.is_encrypted()
            || matches!(
                edit.message,
                Message::EncryptedExtensions | Message::CertificateRequest
            )
    });
    let limit = match configured {
        Some(size) if size < 2 * EDITABLE + HEADER => SHORT,
        _ if are_first => RECORD.saturating_sub(edits.growth()).max(EDITABLE) + HEADER,
        _ => SHORT,
    };
    Some(configured.map_or(limit, |size| size.min(limit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_in_certificate_request_costs_its_octets() {
        let edits = Edits::new().insert(Message::CertificateRequest, 62, [0; 12]);
        assert_eq!(fragment_size(&edits, None), Some((1 << 14) + 5 - 16));
        assert_eq!(fragment_size(&edits, Some(16_389)), Some(16_373));
    }

    #[test]
    fn what_is_configured_is_never_exceeded() {
        let edits = Edits::new().insert(Message::CertificateRequest, 62, [0; 12]);
        assert_eq!(fragment_size(&edits, Some(32)), Some(32));
        assert_eq!(fragment_size(&edits, Some(8000)), Some(6005));
        assert_eq!(fragment_size(&edits, Some(13_000)), Some(13_000));
    }

    #[test]
    fn messages_in_the_middle_of_a_flight_take_short_fragments() {
        let edits = Edits::new().insert(Message::Certificate, 62, [0; 12]);
        assert_eq!(fragment_size(&edits, None), Some(6005));
        assert_eq!(fragment_size(&edits, Some(100)), Some(100));
    }

    #[test]
    fn edits_in_the_clear_change_nothing() {
        let edits = Edits::new().insert(Message::ClientHello, 62, [0; 12]);
        assert_eq!(fragment_size(&edits, None), None);
        assert_eq!(fragment_size(&edits, Some(8000)), Some(8000));
    }
}
