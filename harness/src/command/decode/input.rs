//! Where the input comes from, how it is encoded, and what it is.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use thiserror::Error;

use super::Form;
use crate::command::capture::{read_file, read_input};
use crate::report::counted;

/// The first octets of the kinds of capture file.
const CAPTURES: [[u8; 4]; 6] = [
    [0x0a, 0x0d, 0x0d, 0x0a],
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x4d, 0x3c, 0xb2, 0xa1],
    [0x34, 0xcd, 0xb2, 0xa1],
];

/// The most octets that `extension_data` of `tls_flags` can have.
const LONGEST: usize = 256;

/// Where the input comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Stdin,
    File(PathBuf),
    /// The command line itself.
    Argument(String),
}

impl Source {
    /// An argument is a file if there is one of that name, or if it can be nothing else.
    pub(super) fn of(argument: Option<&OsStr>) -> Self {
        match argument {
            None => Self::Stdin,
            Some(argument) if argument == "-" => Self::Stdin,
            Some(argument) if Path::new(argument).exists() || is_path(argument) => {
                Self::File(argument.into())
            }
            Some(argument) => Self::Argument(argument.to_string_lossy().into_owned()),
        }
    }

    pub(super) fn read(&self) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Stdin => read_input(Path::new("-")),
            Self::File(path) => read_file(path),
            Self::Argument(text) => Ok(text.clone().into_bytes()),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("stdin"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Argument(_) => f.write_str("the argument"),
        }
    }
}

/// How octets are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As they are.
    Raw(usize),
    Hexadecimal(usize),
    Base64(usize),
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, how) = match self {
            Self::Raw(count) => (count, ""),
            Self::Hexadecimal(count) => (count, " in hexadecimal"),
            Self::Base64(count) => (count, " in base64"),
        };
        write!(f, "{}{how}", counted(*count, "octet"))
    }
}

/// Why text is not octets.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum InputError {
    #[error(
        "got no octets, expected extension_data, a ClientHello or a capture; --as flags takes nothing as an empty extension_data"
    )]
    Nothing,
    #[error("character {place}: got {got:?}, expected hexadecimal digits or base64")]
    Character { place: usize, got: char },
    #[error("got {0} hexadecimal digits, expected an even number")]
    OddDigits(usize),
    #[error("got base64 that does not decode ({0}), expected whole groups of four characters")]
    Base64(base64::DecodeError),
    #[error(
        "got {count} octets that begin with {start}, expected extension_data of at most {LONGEST}, a ClientHello or a capture; --as FORM says which it is"
    )]
    Unknown { count: usize, start: String },
    #[error("got text, expected the octets of a pcap or pcapng file")]
    TextForCapture,
}

/// Octets, and what they are.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) form: Form,
    pub(super) encoding: Encoding,
    pub(super) octets: Vec<u8>,
}

impl Input {
    /// Undoes the encoding and, unless it is given, detects the form.
    pub(super) fn of(read: &[u8], form: Option<Form>) -> Result<Self, InputError> {
        let is_capture = CAPTURES.iter().any(|start| read.starts_with(start));
        let is_text = read
            .iter()
            .all(|octet| octet.is_ascii_graphic() || octet.is_ascii_whitespace());
        let (octets, encoding) = match str::from_utf8(read) {
            _ if form == Some(Form::Capture) && is_text => return Err(InputError::TextForCapture),
            Ok(text) if is_text => of_text(text)?,
            _ => (read.to_vec(), Encoding::Raw(read.len())),
        };
        if octets.is_empty() && form != Some(Form::Flags) {
            return Err(InputError::Nothing);
        }
        let form = match form {
            Some(form) => form,
            None if is_capture => Form::Capture,
            None if is_hello(&octets) => Form::ClientHello,
            None if octets.len() <= LONGEST => Form::Flags,
            None => {
                let start = octets.iter().take(4).copied().collect::<Vec<_>>();
                return Err(InputError::Unknown {
                    count: octets.len(),
                    start: hex::encode(start),
                });
            }
        };
        Ok(Self {
            form,
            encoding,
            octets,
        })
    }
}

/// Whether an argument names a file, there or not: neither hexadecimal nor base64 has a dot or a `~`, and in base64
/// nothing that is decoded here begins with a slash.
fn is_path(argument: &OsStr) -> bool {
    let text = argument.to_string_lossy();
    text.starts_with('/') || text.contains(['.', '~'])
}

/// A handshake record, or a ClientHello's type and length with the first octet of its version; but not
/// octets that are just as many as the first of them says, which is too few for a ClientHello.
fn is_hello(octets: &[u8]) -> bool {
    let is_flags = octets
        .split_first()
        .is_some_and(|(&length, octets)| usize::from(length) == octets.len());
    !is_flags && matches!(octets, [22, 3, 0..=4, _, _, ..] | [1, 0, _, _, 3, ..])
}

/// Octets from digits: spaces, newlines, colons, commas and `0x` may stand between them.
fn of_text(text: &str) -> Result<(Vec<u8>, Encoding), InputError> {
    let is_separator =
        |character: char| character.is_ascii_whitespace() || ":,;".contains(character);
    let words = text.split(is_separator);
    let digits: String = words
        .map(|word| {
            let prefix = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
            prefix.unwrap_or(word)
        })
        .collect();
    if digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
        let octets = hex::decode(&digits).map_err(|_| InputError::OddDigits(digits.len()))?;
        let count = octets.len();
        return Ok((octets, Encoding::Hexadecimal(count)));
    }
    let is_base64 =
        |character: char| character.is_ascii_alphanumeric() || "+/-_=".contains(character);
    let strange = text
        .chars()
        .enumerate()
        .find(|(_, character)| !is_base64(*character) && !is_separator(*character));
    if let Some((place, got)) = strange {
        return Err(InputError::Character { place, got });
    }
    let url_safe = digits.contains(['-', '_']);
    let octets = base64(url_safe)
        .decode(&digits)
        .map_err(InputError::Base64)?;
    let count = octets.len();
    Ok((octets, Encoding::Base64(count)))
}

/// Both alphabets are in use, and padding is often lost.
fn base64(url_safe: bool) -> GeneralPurpose {
    let alphabet = if url_safe {
        &alphabet::URL_SAFE
    } else {
        &alphabet::STANDARD
    };
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn octets(text: &str, expected: &[u8]) {
        let (octets, _) = of_text(text).unwrap();
        assert_eq!(octets, expected, "{text}");
    }

    #[test]
    fn hexadecimal_may_be_written_in_many_ways() {
        for text in [
            "0b00fF",
            "0b 00 ff\n",
            "0B:00:FF",
            "0x0b, 0x00, 0xff",
            "0x0b00ff",
            " 0b\r\n00 ff",
        ] {
            octets(text, &[11, 0, 255]);
        }
    }

    #[test]
    fn base64_may_be_of_both_alphabets_and_without_padding() {
        for text in ["/+8=", "/+8", "_-8=", "_-8", "/+\n8="] {
            octets(text, &[0xff, 0xef]);
        }
    }

    #[test]
    fn text_that_is_neither_is_an_error_with_its_place() {
        let error = |text: &str| of_text(text).unwrap_err().to_string();
        assert_eq!(
            error("0b 0?"),
            "character 4: got '?', expected hexadecimal digits or base64"
        );
        assert_eq!(
            error("0b0"),
            "got 3 hexadecimal digits, expected an even number"
        );
        assert!(error("xyzzy").starts_with("got base64 that does not decode"));
    }

    #[test]
    fn the_form_is_detected() {
        let form = |octets: &[u8]| Input::of(octets, None).unwrap().form;
        assert_eq!(form(b"0101"), Form::Flags);
        assert_eq!(form(b"16 0301 0100 01"), Form::ClientHello);
        assert_eq!(form(b"01 000100 0303"), Form::ClientHello);
        assert_eq!(form(&[22, 3, 1, 0, 200]), Form::ClientHello);
        assert_eq!(form(&[0xd4, 0xc3, 0xb2, 0xa1]), Form::Capture);
        assert_eq!(form(&[1, 1]), Form::Flags);
        assert_eq!(form(&[&[22, 3, 1][..], &[1; 20]].concat()), Form::Flags);
    }
}
