//! What a server that implements `tls_flags` decides by: the extensions of ClientHello.

use reqmtls_contract::{
    ConnectionState, SUPPORTED_VERSIONS, Setup, Version, flag_is_set, offers_tls13,
};
use s2n_tls_sys::{self as ffi, s2n_cert_auth_type as Ask};

use crate::config::auth_type;

/// Whether the client is asked for a certificate, by the extensions of its ClientHello; why it is refused.
pub(crate) fn decide(
    setup: &Setup,
    extensions: &[u8],
    state: &ConnectionState,
) -> Result<Ask::Type, String> {
    let mut flags = find(extensions, setup.extension_number());
    let data = flags.next();
    state.note_hello(data);
    let versions = &setup.versions;
    let speaks = versions.is_empty() || versions.contains(&Version::Tls13);
    let tls13 = speaks && find(extensions, SUPPORTED_VERSIONS).any(offers_tls13);
    let set = match (data, setup.flag) {
        (Some(data), Some(flag)) if tls13 => {
            if flags.next().is_some() {
                return Err("got tls_flags twice in ClientHello".to_owned());
            }
            flag_is_set(data, flag).map_err(|error| error.to_string())?
        }
        _ => false,
    };
    Ok(auth_type(setup, set))
}

/// The extensions of a ClientHello, as they came: the library's own search knows only those that it implements.
///
/// # Safety
///
/// The connection is alive and has a ClientHello.
pub(crate) unsafe fn extensions(tls: *mut ffi::s2n_connection) -> Vec<u8> {
    // SAFETY: what the caller promises; the library writes as many octets as it said there are.
    unsafe {
        let hello = ffi::s2n_connection_get_client_hello(tls);
        let length = u32::try_from(ffi::s2n_client_hello_get_extensions_length(hello));
        let mut octets = vec![0; length.map_or(0, |length| length as usize)];
        let length = u32::try_from(octets.len()).unwrap_or(0);
        ffi::s2n_client_hello_get_extensions(hello, octets.as_mut_ptr(), length);
        octets
    }
}

/// The data of each extension of that number. What cannot be read the library refuses by itself.
fn find(mut extensions: &[u8], number: u16) -> impl Iterator<Item = &[u8]> {
    let all = std::iter::from_fn(move || {
        let (head, rest) = extensions.split_first_chunk::<4>()?;
        let length = u16::from_be_bytes([head[2], head[3]]);
        let (data, rest) = rest.split_at_checked(length.into())?;
        extensions = rest;
        Some((u16::from_be_bytes([head[0], head[1]]), data))
    });
    all.filter(move |(it, _)| *it == number)
        .map(|(_, data)| data)
}

#[test]
fn asks_by_the_flag_and_refuses_what_is_malformed_or_comes_twice_in_tls13_alone() {
    const FLAG_0: [u8; 6] = [0, 62, 0, 2, 1, 1];
    const TLS13: [u8; 7] = [0, 43, 0, 3, 2, 3, 4];
    let setup = Setup {
        policy: Some(reqmtls_contract::Policy::RequireOnFlag),
        flag: Some(0),
        ..Setup::default()
    };
    let decide = |all: &[&[u8]]| decide(&setup, &all.concat(), &ConnectionState::default()).ok();
    assert_eq!(decide(&[&FLAG_0, &TLS13]), Some(Ask::REQUIRED));
    assert_eq!(decide(&[&TLS13]), Some(Ask::NONE));
    for wrong in [[FLAG_0, FLAG_0].concat(), vec![0, 62, 0, 2, 1, 0]] {
        assert_eq!(decide(&[&wrong]), Some(Ask::NONE));
        assert_eq!(decide(&[&wrong, &TLS13]), None);
    }
}
