//! Three decoders of `tls_flags` that share no code have to agree on every value: the observer's, that of
//! the in-tree implementation, and the contract's.
#![no_main]

use libfuzzer_sys::fuzz_target;
use reqmtls_contract::flag_is_set;
use reqmtls_observer::{TlsFlags, TlsFlagsError};
use rustls_tlsflags::{Flags, FlagsError, MAX_FLAG};

fuzz_target!(|extension_data: &[u8]| {
    match (
        TlsFlags::decode(extension_data),
        Flags::decode(extension_data),
    ) {
        (Ok(observed), Ok(flags)) => {
            assert!(flags.iter().eq(observed.flags().iter().copied()));
            assert_eq!(flags.encode().as_deref(), Some(extension_data));
            for flag in (0..=MAX_FLAG).chain([MAX_FLAG + 1, u16::MAX]) {
                assert_eq!(observed.contains(flag), flags.contains(flag), "{flag}");
                assert_eq!(flag_is_set(extension_data, flag), Ok(flags.contains(flag)));
            }
        }
        (Err(observed), Err(error)) => {
            assert!(same(observed, error), "{observed:?} {error:?}");
            flag_is_set(extension_data, 0).expect_err("malformed for the two others");
        }
        (observed, flags) => panic!("{observed:?} {flags:?}"),
    }
});

/// Whether both name one reason.
fn same(observed: TlsFlagsError, error: FlagsError) -> bool {
    match (observed, error) {
        (TlsFlagsError::Empty, FlagsError::EmptyExtension)
        | (TlsFlagsError::ZeroLength, FlagsError::NoOctets)
        | (TlsFlagsError::AllZero, FlagsError::AllZero)
        | (TlsFlagsError::TrailingZero, FlagsError::TrailingZeroOctet { .. }) => true,
        (
            TlsFlagsError::LengthMismatch { declared, got },
            FlagsError::WrongLength { announced, present },
        ) => (declared, got) == (announced, present),
        _ => false,
    }
}
