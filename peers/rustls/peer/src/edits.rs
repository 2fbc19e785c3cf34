//! Misbehaviour: what a job edits, as the seam takes it.

use reqmtls_contract::{ConnectionReport, Edit, Hex, Message, PrepareError, Setup};
use rustls_tlsflags::seam::{self, Change, Edits, Position};

use crate::config::{Loaded, invalid};

/// Most that a message in the clear may grow, in octets: its extensions stay below 2^16.
const PLAIN_GROWTH: usize = 1 << 15;

/// What CertificateRequest and Certificate hold besides names and certificates, in octets at most.
const FIXED: usize = 512;

/// `edits`, and then those of the job.
///
/// The seam leaves a message as it is where an edit does not fit. Such a job is refused here, so that
/// what is asked is what is sent.
pub(super) fn with_jobs(
    edits: Edits,
    setup: &Setup,
    loaded: &Loaded,
) -> Result<Edits, PrepareError> {
    let all = setup
        .edits
        .iter()
        .fold(edits, |edits, edit| edits.with(to_seam(edit)));
    for message in Message::ALL {
        let grown: usize = all.iter().map(|edit| growth(edit, *message)).sum();
        let length = length(*message, loaded);
        let limit = match length {
            Some(_) => seam::MAX_GROWTH,
            None => PLAIN_GROWTH,
        };
        if grown > limit {
            return Err(invalid(format!(
                "edits: {message} would grow by {grown} octets, expected {limit} at most"
            )));
        }
        let is_edited = setup.edits.iter().any(|edit| edit.message == *message);
        let length = length.unwrap_or(0);
        if is_edited && length > seam::EDITABLE {
            return Err(invalid(format!(
                "edits: {message} has up to {length} octets, expected {} at most",
                seam::EDITABLE
            )));
        }
    }
    Ok(all)
}

/// Notes edits that were asked, and not made though their message was sent.
///
/// That is so in TLS 1.2, where these messages have no extensions.
pub(super) fn note_unmade(setup: &[Edit], report: &mut ConnectionReport) {
    let unmade = setup.iter().find(|edit| {
        matches!(
            edit.message,
            Message::CertificateRequest | Message::Certificate | Message::NewSessionTicket
        )
    });
    // The label of a TLS 1.2 master secret.
    let is_tls12 = report
        .key_log
        .iter()
        .any(|line| line.starts_with("CLIENT_RANDOM "));
    if let Some(edit) = unmade
        && is_tls12
    {
        report.break_off(&format!(
            "edits: TLS 1.2 was negotiated, where {} has no extensions",
            edit.message
        ));
    }
}

/// The `extension_data` of `tls_flags` in the first ClientHello, if it is edited as the job says.
pub(super) fn flags_sent(setup: &Setup) -> Option<Hex> {
    let mut sent: Vec<_> = setup.tls_flags.iter().collect();
    let number = setup.extension_number();
    for edit in setup.edits.iter().filter(|edit| edit.extension == number) {
        if matches!(
            edit.message,
            Message::ClientHello | Message::FirstClientHello
        ) {
            match &edit.data {
                Some(data) => sent.push(data),
                None => sent.clear(),
            }
        }
    }
    sent.first().copied().cloned()
}

fn to_seam(edit: &Edit) -> seam::Edit {
    let extension = edit.extension;
    let change = match &edit.data {
        Some(data) => Change::Insert {
            extension,
            body: data.0.clone(),
            position: if edit.last {
                Position::Last
            } else {
                Position::BeforePreSharedKey
            },
        },
        None => Change::Remove { extension },
    };
    seam::Edit {
        message: seam_message(edit.message),
        change,
    }
}

fn seam_message(message: Message) -> seam::Message {
    match message {
        Message::ClientHello => seam::Message::ClientHello,
        Message::FirstClientHello => seam::Message::FirstClientHello,
        Message::SecondClientHello => seam::Message::SecondClientHello,
        Message::ServerHello => seam::Message::ServerHello,
        Message::HelloRetryRequest => seam::Message::HelloRetryRequest,
        Message::EncryptedExtensions => seam::Message::EncryptedExtensions,
        Message::CertificateRequest => seam::Message::CertificateRequest,
        Message::Certificate => seam::Message::CertificateFirstEntry,
        Message::NewSessionTicket => seam::Message::NewSessionTicket,
    }
}

/// By how many octets an edit makes a message grow.
fn growth(edit: &seam::Edit, message: Message) -> usize {
    match &edit.change {
        Change::Insert { body, .. } if edit.message == seam_message(message) => 4 + body.len(),
        _ => 0,
    }
}

/// The most octets that this end's message has, if it is one that only exists encrypted.
fn length(message: Message, loaded: &Loaded) -> Option<usize> {
    match message {
        Message::EncryptedExtensions | Message::NewSessionTicket => Some(FIXED),
        Message::CertificateRequest => {
            let names = loaded.roots.subjects();
            let names = names.iter().map(|name| 2 + name.as_ref().len());
            Some(FIXED + names.sum::<usize>())
        }
        Message::Certificate => {
            let chain = loaded.identity.iter().flat_map(|identity| &identity.cert);
            let entries = chain.map(|certificate| 5 + certificate.len());
            Some(FIXED + entries.sum::<usize>())
        }
        _ => None,
    }
}
