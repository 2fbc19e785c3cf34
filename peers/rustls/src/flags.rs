//! A set of TLS flags, and its form on the wire.

use std::collections::BTreeSet;
use std::fmt;

use rustls::AlertDescription;

/// The number of the `tls_flags` extension in the TLS `ExtensionType` registry.
pub const TLS_FLAGS: u16 = 62;

/// The number of the `tls_flags` extension before IANA assigned one, which Cloudflare's deployment has.
pub const EARLY_TLS_FLAGS: u16 = 0xfe01;

/// The request mTLS flag (draft-jhoyla-req-mtls-flag), as numbered by Cloudflare's experiment.
///
/// IANA has not assigned a number yet, so everything in this crate that uses
/// the flag takes its number as a parameter; this one is the default.
pub const REQUEST_MTLS: u16 = 80;

/// The highest flag that the extension can carry: 255 octets of eight flags.
pub const MAX_FLAG: u16 = 255 * 8 - 1;

/// A set of TLS flags, `0..=2039` (draft-ietf-tls-tlsflags §2).
///
/// ```
/// use rustls_tlsflags::{Flags, REQUEST_MTLS};
///
/// let flags = Flags::from_iter([REQUEST_MTLS]);
/// let wire = [11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01];
/// assert_eq!(flags.encode().as_deref(), Some(&wire[..]));
/// assert_eq!(Flags::decode(&wire), Ok(flags));
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flags(BTreeSet<u16>);

impl Flags {
    /// No flag at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The request mTLS flag alone, under its default number [`REQUEST_MTLS`].
    #[must_use]
    pub fn request_mtls() -> Self {
        Self::from_iter([REQUEST_MTLS])
    }

    /// Adds `flag`; returns whether it was not there before.
    ///
    /// # Panics
    ///
    /// If `flag` is above [`MAX_FLAG`]; see [`Flags::try_insert`].
    pub fn insert(&mut self, flag: u16) -> bool {
        match self.try_insert(flag) {
            Ok(added) => added,
            Err(error) => panic!("{error}"),
        }
    }

    /// Adds `flag`; returns whether it was not there before.
    pub fn try_insert(&mut self, flag: u16) -> Result<bool, FlagsError> {
        if flag > MAX_FLAG {
            return Err(FlagsError::NotAFlag { flag });
        }
        Ok(self.0.insert(flag))
    }

    /// Takes `flag` out; returns whether it was there.
    pub fn remove(&mut self, flag: u16) -> bool {
        self.0.remove(&flag)
    }

    /// Whether `flag` is set.
    #[must_use]
    pub fn contains(&self, flag: u16) -> bool {
        self.0.contains(&flag)
    }

    /// Whether no flag is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many flags are set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The flags that are set, lowest first.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = u16> + '_ {
        self.0.iter().copied()
    }

    /// The `extension_data` that carries this set, in the fewest octets.
    ///
    /// One octet of length, then as many octets as the highest flag needs, so
    /// that the last is never zero (draft-ietf-tls-tlsflags §2). The empty set
    /// has no valid encoding: the extension is left out instead, hence `None`.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        let octets = self.0.last()? / 8 + 1;
        let mut body = vec![0; usize::from(octets) + 1];
        body[0] = u8::try_from(octets).ok()?;
        for flag in &self.0 {
            body[usize::from(flag / 8) + 1] |= 1 << (flag % 8);
        }
        Some(body)
    }

    /// Reads the `extension_data` of a `tls_flags` extension, strictly.
    ///
    /// Every value has exactly one valid encoding, and only that is accepted;
    /// [`FlagsError::alert`] names the alert that each refusal calls for.
    pub fn decode(extension_data: &[u8]) -> Result<Self, FlagsError> {
        let (&announced, octets) = extension_data
            .split_first()
            .ok_or(FlagsError::EmptyExtension)?;
        let announced = usize::from(announced);
        if octets.len() != announced {
            return Err(FlagsError::WrongLength {
                announced,
                present: octets.len(),
            });
        }
        match octets.last() {
            None => return Err(FlagsError::NoOctets),
            Some(0) if octets.iter().all(|&octet| octet == 0) => return Err(FlagsError::AllZero),
            Some(0) => return Err(FlagsError::TrailingZeroOctet { octets: announced }),
            Some(_) => {}
        }
        Ok((0u16..)
            .zip(octets)
            .flat_map(|(index, octet)| {
                (0..8u16)
                    .filter(move |bit| octet >> bit & 1 == 1)
                    .map(move |bit| index * 8 + bit)
            })
            .collect())
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(&self.0).finish()
    }
}

impl FromIterator<u16> for Flags {
    /// Collects flags into a set.
    ///
    /// # Panics
    ///
    /// If a flag is above [`MAX_FLAG`]; see [`Flags::try_insert`].
    fn from_iter<I: IntoIterator<Item = u16>>(flags: I) -> Self {
        let mut set = Self::new();
        set.extend(flags);
        set
    }
}

impl Extend<u16> for Flags {
    fn extend<I: IntoIterator<Item = u16>>(&mut self, flags: I) {
        for flag in flags {
            self.insert(flag);
        }
    }
}

/// Why bytes are not a `tls_flags` extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlagsError {
    /// The number lies beyond what the extension can carry.
    #[error("flag {flag} does not exist: expected 0 to {MAX_FLAG}")]
    NotAFlag {
        /// The number given.
        flag: u16,
    },
    /// `extension_data` has no octet at all.
    #[error("tls_flags is empty: expected a length octet and at least one octet of flags")]
    EmptyExtension,
    /// The length octet is zero, below the minimum of `<1..255>`.
    #[error("tls_flags has no octet of flags: expected 1 to 255")]
    NoOctets,
    /// The length octet and what follows it disagree.
    #[error("tls_flags announces {announced} octets of flags, but {present} are present")]
    WrongLength {
        /// What the length octet says.
        announced: usize,
        /// How many octets follow it.
        present: usize,
    },
    /// Every octet is zero, so no flag is set.
    #[error("tls_flags sets no flag: expected at least one")]
    AllZero,
    /// A flag is set, but the last octet is zero.
    #[error("the last of {octets} octets of tls_flags is zero: expected the fewest octets")]
    TrailingZeroOctet {
        /// How many octets there were.
        octets: usize,
    },
    /// The message has more than one `tls_flags` extension.
    #[error("ClientHello has two tls_flags extensions: expected one at most")]
    Duplicate,
    /// `tls_flags` stands behind `pre_shared_key`, which must be last.
    #[error("tls_flags stands behind pre_shared_key: expected it in front")]
    BehindPreSharedKey,
    /// The second ClientHello does not carry the `tls_flags` of the first.
    #[error("the second ClientHello carries other tls_flags than the first")]
    Changed,
    /// The other end sends a flag that it must not send there.
    ///
    /// See [`crate::ConnectorBuilder::refuse_unsolicited`].
    #[error("the other end sent tls_flags that it must not send in that message")]
    Unsolicited,
    /// The message around the extension cannot be read.
    #[error("ClientHello cannot be read: {0}")]
    Malformed(&'static str),
}

impl FlagsError {
    /// The fatal alert that answers this error.
    ///
    /// - Every invalid value calls for `illegal_parameter`
    ///   (draft-ietf-tls-tlsflags §2). For one that does not fit the syntax
    ///   `opaque flags<1..255>` (no octet at all, a length of zero, a length
    ///   that disagrees with what follows), RFC 9846 §6.2 (RFC 8446 §6.2) alone would call for
    ///   `decode_error`; the draft speaks of this extension, so it is followed.
    /// - A ClientHello that cannot be read calls for `decode_error`.
    /// - Two extensions of one type call for `illegal_parameter`: RFC 9846 §4.3 (RFC 8446 §4.2) gives the rule,
    ///   RFC 9846 §6.2 (RFC 8446 §6.2) the alert for a correctly formatted field that is inconsistent with others.
    /// - So does an extension behind `pre_shared_key` (RFC 9846 §4.3.11 (RFC 8446 §4.2.11)).
    /// - Flags that change after HelloRetryRequest call for
    ///   `illegal_parameter` (RFC 9846 §4.2.2 (RFC 8446 §4.1.2)), for the same reason.
    /// - Unsolicited flags call for `illegal_parameter`
    ///   (draft-ietf-tls-tlsflags §2).
    #[must_use]
    pub fn alert(&self) -> AlertDescription {
        match self {
            Self::Malformed(_) => AlertDescription::DecodeError,
            Self::EmptyExtension
            | Self::NoOctets
            | Self::WrongLength { .. }
            | Self::AllZero
            | Self::TrailingZeroOctet { .. }
            | Self::Duplicate
            | Self::BehindPreSharedKey
            | Self::Changed
            | Self::Unsolicited => AlertDescription::IllegalParameter,
            // Never the peer's fault: no bytes decode to this.
            Self::NotAFlag { .. } => AlertDescription::InternalError,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn request_mtls_takes_eleven_octets() {
        let mut wire = vec![11];
        wire.extend([0; 10]);
        wire.push(1);
        assert_eq!(Flags::request_mtls().encode(), Some(wire));
    }

    #[test]
    fn flag_zero_is_the_lowest_bit_of_the_first_octet() {
        assert_eq!(Flags::from_iter([0]).encode(), Some(vec![1, 0x01]));
        assert_eq!(Flags::from_iter([7]).encode(), Some(vec![1, 0x80]));
        assert_eq!(Flags::from_iter([8]).encode(), Some(vec![2, 0, 0x01]));
    }

    #[test]
    fn highest_flag_takes_255_octets() {
        let body = Flags::from_iter([MAX_FLAG]).encode().unwrap();
        assert_eq!((body.len(), body[0], body[255]), (256, 255, 0x80));
        assert_eq!(
            Flags::new().try_insert(MAX_FLAG + 1),
            Err(FlagsError::NotAFlag { flag: 2040 })
        );
    }

    #[test]
    fn empty_set_has_no_encoding() {
        assert_eq!(Flags::new().encode(), None);
    }

    #[test]
    fn insert_and_remove_say_whether_they_changed_the_set() {
        let mut flags = Flags::new();
        assert!(flags.insert(3));
        assert!(!flags.insert(3));
        assert!(flags.contains(3) && flags.len() == 1);
        assert!(flags.remove(3));
        assert!(!flags.remove(3));
        assert!(flags.is_empty());
    }

    #[test]
    fn each_invalid_value_names_its_alert() {
        use AlertDescription::IllegalParameter;
        for (body, error, alert) in [
            (&[][..], FlagsError::EmptyExtension, IllegalParameter),
            (&[0], FlagsError::NoOctets, IllegalParameter),
            (
                &[2, 1],
                FlagsError::WrongLength {
                    announced: 2,
                    present: 1,
                },
                IllegalParameter,
            ),
            (
                &[1, 1, 1],
                FlagsError::WrongLength {
                    announced: 1,
                    present: 2,
                },
                IllegalParameter,
            ),
            (&[2, 0, 0], FlagsError::AllZero, IllegalParameter),
            (
                &[2, 1, 0],
                FlagsError::TrailingZeroOctet { octets: 2 },
                IllegalParameter,
            ),
        ] {
            assert_eq!(Flags::decode(body), Err(error), "{body:?}");
            assert_eq!(error.alert(), alert, "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn every_set_survives_the_wire(flags in prop::collection::btree_set(0..=MAX_FLAG, 1..40)) {
            let flags: Flags = flags.into_iter().collect();
            let body = flags.encode().unwrap();
            prop_assert_ne!(*body.last().unwrap(), 0);
            prop_assert_eq!(Flags::decode(&body), Ok(flags));
        }

        #[test]
        fn every_truncation_is_refused(flags in prop::collection::btree_set(0..=MAX_FLAG, 1..10)) {
            let body = flags.into_iter().collect::<Flags>().encode().unwrap();
            for end in 0..body.len() {
                prop_assert!(Flags::decode(&body[..end]).is_err());
            }
        }

        #[test]
        fn whatever_decodes_encodes_to_the_same_bytes(body in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(flags) = Flags::decode(&body) {
                prop_assert_eq!(flags.encode(), Some(body));
            }
        }

        #[test]
        fn well_framed_bytes_decode_unless_the_last_is_zero(
            octets in prop::collection::vec(any::<u8>(), 1..=255)
        ) {
            let mut body = vec![u8::try_from(octets.len()).unwrap()];
            body.extend(&octets);
            prop_assert_eq!(Flags::decode(&body).is_ok(), *octets.last().unwrap() != 0);
        }
    }
}
