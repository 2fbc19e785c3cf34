//! One handshake message: no octet of an extension is lost, lengths add up, and three readers of
//! `tls_flags` and two of ClientHello agree.
//!
//! The input is an octet for the version (odd: TLS 1.2), one for the type, and the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use reqmtls_observer::{
    Certificate, ClientHello, Extension, ExtensionType, HandshakeMessage, HandshakeType,
    ProtocolVersion,
};
use rustls_tlsflags::{
    Flags, FlagsError, TLS_FLAGS, flags_in_client_hello, raw_flags_in_client_hello,
};

fuzz_target!(|input: &[u8]| {
    let [version, kind, body @ ..] = input else {
        return;
    };
    let tls13 = version % 2 == 0;
    let version = if tls13 {
        ProtocolVersion::TLS13
    } else {
        ProtocolVersion::TLS12
    };
    let message = HandshakeMessage::read(HandshakeType(*kind), body, version);
    assert_eq!(message.kind(), HandshakeType(*kind));
    assert!(!message.name().is_empty());
    let json = serde_json::to_string(&message).expect("JSON of a message");
    let read: HandshakeMessage = serde_json::from_str(&json).expect("a message from its JSON");
    assert_eq!(read, message);
    loses_nothing(&message, body, tls13);
    for extension in message.extensions() {
        agrees_on_flags(extension);
    }
    if *kind == 1 {
        agrees_on_client_hello(&message, body);
    }
});

/// What was read takes as many octets as the body has, and extensions are its octets.
fn loses_nothing(message: &HandshakeMessage, body: &[u8], tls13: bool) {
    match message {
        HandshakeMessage::ClientHello(hello) => {
            let block = optional_block(&hello.extensions, body, client_without_block(body));
            let known = 2 + 32 + 1 + hello.session_id_len + 2 + 2 * hello.cipher_suites.len() + 1;
            // What is left are the compression methods.
            assert!((known..=known + 255).contains(&(body.len() - block)));
        }
        HandshakeMessage::ServerHello(hello) | HandshakeMessage::HelloRetryRequest(hello) => {
            let block = optional_block(&hello.extensions, body, server_without_block(body));
            assert_eq!(
                2 + 32 + 1 + hello.session_id_len + 2 + 1 + block,
                body.len()
            );
        }
        HandshakeMessage::EncryptedExtensions { extensions } => assert_eq!(block(extensions), body),
        HandshakeMessage::CertificateRequest(request) => {
            let context = u8::try_from(request.context.len()).expect("a length of one octet");
            let octets = [
                &[context],
                &request.context[..],
                &block(&request.extensions),
            ];
            assert_eq!(octets.concat(), body);
        }
        HandshakeMessage::CertificateRequest12(request) => {
            let names = request.authorities.iter().map(|name| 2 + name.len());
            let types = 1 + request.certificate_types.len();
            let schemes = 2 + 2 * request.signature_schemes.len();
            assert_eq!(types + schemes + 2 + names.sum::<usize>(), body.len());
        }
        HandshakeMessage::Certificate(certificate) => {
            assert_eq!(certificate_len(certificate, tls13), body.len());
        }
        HandshakeMessage::CompressedCertificate(compressed) => {
            let length = compressed.uncompressed_length;
            let [0, length @ ..] = u32::try_from(length).expect("four octets").to_be_bytes() else {
                panic!("{length} does not fit three octets");
            };
            let head = [&compressed.algorithm.0.to_be_bytes()[..], &length].concat();
            assert!(body.starts_with(&head));
            if let Ok(certificate) = &compressed.certificate {
                assert_eq!(
                    certificate_len(certificate, true),
                    compressed.uncompressed_length
                );
            }
        }
        HandshakeMessage::NewSessionTicket {
            extensions,
            lifetime,
        } => {
            assert!(body.starts_with(&lifetime.to_be_bytes()));
            assert!(body.ends_with(&block(extensions)));
        }
        HandshakeMessage::KeyUpdate { request_update } => assert_eq!(body, [*request_update]),
        HandshakeMessage::CertificateVerify(verify) => {
            assert!(body.starts_with(&verify.scheme.0.to_be_bytes()));
        }
        HandshakeMessage::EndOfEarlyData => assert!(body.is_empty()),
        HandshakeMessage::Malformed { reason, .. } => assert!(!reason.is_empty()),
        HandshakeMessage::Finished | HandshakeMessage::Other { .. } => {}
    }
}

/// Extensions as they stand in a message.
fn block(extensions: &[Extension]) -> Vec<u8> {
    let mut octets = Vec::new();
    for extension in extensions {
        octets.extend(extension.kind.0.to_be_bytes());
        octets.extend(length(extension.body.len()));
        octets.extend(&extension.body[..]);
    }
    [&length(octets.len())[..], &octets].concat()
}

fn length(length: usize) -> [u8; 2] {
    u16::try_from(length)
        .expect("a length of two octets")
        .to_be_bytes()
}

/// Octets of the block at the end of a hello, which has none if it ends before.
fn optional_block(extensions: &[Extension], body: &[u8], without_block: bool) -> usize {
    if without_block {
        assert!(extensions.is_empty());
        return 0;
    }
    let block = block(extensions);
    assert!(body.ends_with(&block));
    block.len()
}

/// Octets of a hello behind its session id.
fn behind_session_id(body: &[u8]) -> &[u8] {
    let length = body.get(34).map_or(0, |length| usize::from(*length));
    body.get(35 + length..).unwrap_or_default()
}

/// Whether a ClientHello ends with its compression methods.
fn client_without_block(body: &[u8]) -> bool {
    let rest = behind_session_id(body);
    rest.get(..2).is_some_and(|suites| {
        let end = 2 + usize::from(suites[0]) * 256 + usize::from(suites[1]);
        rest.get(end)
            .is_some_and(|methods| rest.len() == end + 1 + usize::from(*methods))
    })
}

/// Whether a ServerHello ends with its compression method, which follows the suite.
fn server_without_block(body: &[u8]) -> bool {
    behind_session_id(body).len() == 3
}

fn certificate_len(certificate: &Certificate, tls13: bool) -> usize {
    let entries = certificate.certificates.iter().map(|entry| {
        let block = if tls13 {
            block(&entry.extensions).len()
        } else {
            0
        };
        3 + entry.der_len + block
    });
    let context = if tls13 {
        1 + certificate.context.len()
    } else {
        0
    };
    context + 3 + entries.sum::<usize>()
}

fn agrees_on_flags(extension: &Extension) {
    let Some(observed) = extension.tls_flags(80) else {
        assert_ne!(extension.kind, ExtensionType::TLS_FLAGS);
        return;
    };
    let simple = simple_flags(&extension.body);
    assert_eq!(
        observed.as_ref().ok().map(|flags| flags.flags().to_vec()),
        simple
    );
    let flags = Flags::decode(&extension.body);
    assert_eq!(
        flags.as_ref().ok().map(|flags| flags.iter().collect()),
        simple
    );
    if let Ok(flags) = flags {
        assert_eq!(flags.encode().as_deref(), Some(&extension.body[..]));
    }
}

/// draft-ietf-tls-tlsflags §2 in the fewest words.
fn simple_flags(body: &[u8]) -> Option<Vec<u16>> {
    let [length, octets @ ..] = body else {
        return None;
    };
    if usize::from(*length) != octets.len() || octets.last().is_none_or(|&last| last == 0) {
        return None;
    }
    let mut flags = Vec::new();
    for (place, octet) in (0..).zip(octets) {
        for bit in 0..8 {
            if octet & (1 << bit) != 0 {
                flags.push(8 * place + bit);
            }
        }
    }
    Some(flags)
}

/// The in-tree implementation reads the same `tls_flags` in a ClientHello as the observer.
fn agrees_on_client_hello(message: &HandshakeMessage, body: &[u8]) {
    let Ok(length) = u32::try_from(body.len()) else {
        return;
    };
    let [0, header @ ..] = length.to_be_bytes() else {
        return;
    };
    let whole = [&[1][..], &header, body].concat();
    let raw = raw_flags_in_client_hello(&whole, TLS_FLAGS);
    let HandshakeMessage::ClientHello(hello) = message else {
        // The observer reads suites one by one, the other one passes over them.
        let odd_suites = matches!(message, HandshakeMessage::Malformed { reason, .. }
            if reason.starts_with("cipher suite "));
        assert!(raw.is_err() || odd_suites, "{message:?}");
        return;
    };
    match &of_type(hello, ExtensionType::TLS_FLAGS)[..] {
        _ if is_behind_psk(hello) => assert!(
            matches!(
                raw,
                Err(FlagsError::BehindPreSharedKey | FlagsError::Duplicate)
            ),
            "{raw:?}"
        ),
        [] => assert_eq!(raw, Ok(None)),
        [one] => {
            assert_eq!(raw, Ok(Some(&one.body[..])));
            assert_eq!(
                flags_in_client_hello(&whole, TLS_FLAGS),
                Flags::decode(&one.body).map(Some)
            );
        }
        _ => assert_eq!(raw, Err(FlagsError::Duplicate)),
    }
}

/// Whether `tls_flags` stands behind `pre_shared_key`, which has to be the last (RFC 9846 §4.3.11 (RFC 8446 §4.2.11)).
fn is_behind_psk(hello: &ClientHello) -> bool {
    let mut extensions = hello.extensions.iter();
    extensions.any(|it| it.kind == ExtensionType::PRE_SHARED_KEY)
        && extensions.any(|it| it.kind == ExtensionType::TLS_FLAGS)
}

fn of_type(hello: &ClientHello, kind: ExtensionType) -> Vec<&Extension> {
    let extensions = hello.extensions.iter();
    extensions
        .filter(|extension| extension.kind == kind)
        .collect()
}
