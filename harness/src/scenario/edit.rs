//! What an end does to `tls_flags` in one of the messages that it sends.

use reqmtls_contract::{Edit, Hex, Message, Setup, TLS_FLAGS};
use reqmtls_vocabulary::{ExtensionType, words};

use super::draft::{MAX_FLAG, Material};

/// The highest flag that leaves room for one more octet (draft-ietf-tls-tlsflags-16 §2).
const MAX_FLAG_WITH_ROOM: u16 = MAX_FLAG - 8;

/// An edit of `tls_flags`; of no message, unless a value names one.
pub(super) struct EditPlan {
    pub(super) message: Option<Message>,
    pub(super) octets: Octets,
    pub(super) place: Place,
    pub(super) other_number: bool,
}

words! {
    /// A value of `tls_flags`, well formed or not.
    pub(super) enum Octets {
        /// The request flag.
        Request = "request",
        /// A flag that is not assigned.
        Unknown = "unknown",
        /// The request flag, and one that is not assigned.
        RequestAndUnknown = "request-and-unknown",
        /// The request flag and flag 2039: 255 octets.
        Longest = "octets-255",
        /// None: the extension is taken out.
        Removed = "removed",
        /// No octet at all.
        Empty = "no-octets",
        /// A length octet of zero, and nothing behind it.
        ZeroLength = "zero-length",
        /// One octet of zero.
        AllZero = "all-zero",
        /// The request flag, and an octet of zero behind it.
        TrailingZero = "trailing-zero",
        /// A length octet smaller than the octets behind it.
        LengthTooShort = "length-too-short",
        /// A length octet greater than the octets behind it.
        LengthTooLong = "length-too-long",
    }
}

words! {
    /// A place for the extension in its message.
    pub(super) enum Place {
        /// Where the end would put it, and nowhere else.
        Usual = "in-place",
        /// There twice, with the same value.
        Twice = "twice",
        /// Behind every other extension, `pre_shared_key` too.
        Last = "last",
    }
}

impl EditPlan {
    pub(super) fn new() -> Self {
        Self {
            message: None,
            octets: Octets::Request,
            place: Place::Usual,
            other_number: false,
        }
    }

    /// Adds the edits to an end's setup.
    pub(super) fn apply(&self, setup: &mut Setup, material: &Material) {
        let Some(message) = self.message else { return };
        let data = self.octets.extension_data(material);
        let experiment = ExtensionType::EARLY_EXPERIMENT.0;
        let extension = match self.other_number {
            false => material.extension,
            true if material.extension == experiment => TLS_FLAGS,
            true => experiment,
        };
        let edit = |data, last| Edit {
            message,
            extension,
            data,
            last,
        };
        // What the end sends by itself is taken out first.
        setup.edits.push(edit(None, false));
        let Some(data) = data else { return };
        let insert = edit(Some(data), self.place == Place::Last);
        if self.place == Place::Twice {
            setup.edits.push(insert.clone());
        }
        setup.edits.push(insert);
    }
}

impl Octets {
    fn extension_data(self, material: &Material) -> Option<Hex> {
        let request = material.request();
        Some(match self {
            Self::Removed => return None,
            Self::Request => request,
            Self::Unknown => extension_data(&[material.unknown()]),
            Self::RequestAndUnknown => extension_data(&[material.flag, material.unknown()]),
            Self::Longest => extension_data(&[material.flag, MAX_FLAG]),
            Self::Empty => Hex(vec![]),
            Self::ZeroLength => Hex(vec![0]),
            Self::AllZero => Hex(vec![1, 0]),
            Self::TrailingZero => {
                let mut longer = with_length(&with_room(material.flag), 1);
                longer.0.push(0);
                longer
            }
            Self::LengthTooShort => with_length(&request, -1),
            Self::LengthTooLong => with_length(&with_room(material.flag), 1),
        })
    }
}

/// The minimal `extension_data` of `tls_flags` that sets these flags, of which there is at least one
/// (draft-ietf-tls-tlsflags-16 §2).
pub(super) fn extension_data(flags: &[u16]) -> Hex {
    let octets = usize::from(flags.iter().max().map_or(0, |flag| flag / 8 + 1));
    let mut data = vec![0; octets + 1];
    data[0] = u8::try_from(octets).unwrap_or(u8::MAX);
    for flag in flags {
        data[usize::from(flag / 8) + 1] |= 1 << (flag % 8);
    }
    Hex(data)
}

/// The request flag, or where its octets leave no room for one more, flag 0.
fn with_room(flag: u16) -> Hex {
    extension_data(&[if flag > MAX_FLAG_WITH_ROOM { 0 } else { flag }])
}

/// The same octets, with a length octet that is off by so many.
fn with_length(data: &Hex, by: i8) -> Hex {
    let mut data = data.clone();
    if let Some(length) = data.0.first_mut() {
        *length = length.wrapping_add_signed(by);
    }
    data
}

#[cfg(test)]
mod tests {
    use reqmtls_contract::Revision;

    use super::*;

    fn octets(octets: Octets, flag: u16) -> Hex {
        let material = Material {
            flag,
            ..Material::nominal(Revision::Draft02)
        };
        octets.extension_data(&material).expect("an insertion")
    }

    #[test]
    fn values_are_what_they_are_named_after() {
        let hex = |value| octets(value, 80).to_string();
        assert_eq!(hex(Octets::Request), "0b0000000000000000000001");
        assert_eq!(hex(Octets::RequestAndUnknown), "0b0000000000000000000003");
        assert_eq!(hex(Octets::Unknown), "0b0000000000000000000002");
        assert_eq!(hex(Octets::TrailingZero), "0c000000000000000000000100");
        assert_eq!(hex(Octets::LengthTooShort), "0a0000000000000000000001");
        assert_eq!(hex(Octets::LengthTooLong), "0c0000000000000000000001");
        assert_eq!(hex(Octets::ZeroLength), "00");
        assert_eq!(hex(Octets::AllZero), "0100");
        assert_eq!(hex(Octets::Empty), "");
        let highest = hex(Octets::Longest);
        assert_eq!(
            (highest.len(), &highest[..2], &highest[510..]),
            (512, "ff", "80")
        );
    }

    #[test]
    fn the_lowest_flag_has_one_octet() {
        assert_eq!(extension_data(&[0]).to_string(), "0101");
    }

    #[test]
    fn values_are_malformed_in_the_same_way_whatever_the_number_of_the_flag() {
        for flag in 0..=MAX_FLAG {
            let parts = |value| {
                let data = octets(value, flag).0;
                let (length, rest) = data.split_first().expect("a length octet");
                (usize::from(*length), rest.to_vec())
            };
            let (length, rest) = parts(Octets::TrailingZero);
            assert_eq!((length, rest.last()), (rest.len(), Some(&0)), "{flag}");
            assert!(rest.iter().any(|octet| *octet != 0), "{flag}");
            let (length, rest) = parts(Octets::LengthTooLong);
            assert_eq!(length, rest.len() + 1, "{flag}");
            let (length, rest) = parts(Octets::LengthTooShort);
            assert_eq!(length + 1, rest.len(), "{flag}");
        }
    }
}
