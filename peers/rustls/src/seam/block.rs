//! The extensions of a message.

use super::edits::{Change, Edits, Message, Position};
use super::message::Kind;
use crate::hello::PRE_SHARED_KEY;
use crate::reader::Reader;

/// An extension block, perhaps cut short.
#[derive(Default)]
pub(super) struct Block<'a> {
    /// The length that the block announced, as it was read.
    announced: usize,
    pub(super) extensions: Vec<Extension<'a>>,
}

/// One extension of a block.
#[derive(Clone, Copy)]
pub(super) enum Extension<'a> {
    /// As it was read: its header, and its body as far as it is there.
    Read {
        number: u16,
        announced: usize,
        bytes: &'a [u8],
    },
    /// As an edit has it.
    Inserted { number: u16, body: &'a [u8] },
}

impl<'a> Block<'a> {
    /// Reads a block with its length, as far as it is there.
    pub(super) fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let announced = reader.number(2)?;
        let content = reader.take_up_to(announced);
        let mut extensions = Vec::new();
        let mut reader = Reader::new(content);
        while !reader.is_empty() {
            let begin = reader.position();
            let number = u16::try_from(reader.number(2)?).ok()?;
            let length = reader.number(2)?;
            let present = reader.take_up_to(length).len();
            if present < length && announced == content.len() {
                return None; // a whole block with an extension that is not
            }
            extensions.push(Extension::Read {
                number,
                announced: 4 + length,
                bytes: &content[begin..begin + 4 + present],
            });
        }
        Some(Self {
            announced,
            extensions,
        })
    }

    /// Makes the edits that are meant for the `entry`th block of `kind`.
    pub(super) fn edit(mut self, edits: &'a Edits, kind: Kind, entry: usize) -> Self {
        let mut numbers = self.extensions.iter().map(Extension::number);
        let has_psk = numbers.any(|number| number == PRE_SHARED_KEY);
        for edit in edits {
            let is_other = match edit.message {
                Message::ClientHelloWithPsk => !has_psk,
                Message::ClientHelloWithoutPsk => has_psk,
                _ => false,
            };
            if is_other || !kind.is_meant_by(edit.message, entry) {
                continue;
            }
            match &edit.change {
                Change::Remove { extension } => {
                    self.extensions
                        .retain(|present| present.number() != *extension);
                }
                Change::Insert {
                    extension,
                    body,
                    position,
                } => {
                    let before_psk = self.extensions.iter().position(|present| {
                        kind.is_client_hello()
                            && *position == Position::BeforePreSharedKey
                            && present.number() == PRE_SHARED_KEY
                    });
                    let inserted = Extension::Inserted {
                        number: *extension,
                        body,
                    };
                    let at = before_psk.unwrap_or(self.extensions.len());
                    self.extensions.insert(at, inserted);
                }
            }
        }
        self
    }

    /// Appends the block to `out` and returns by how much it has grown.
    pub(super) fn write(&self, out: &mut Vec<u8>) -> Option<isize> {
        let length = self.extensions.iter().map(Extension::length).sum::<usize>();
        out.extend(u16::try_from(length).ok()?.to_be_bytes());
        for extension in &self.extensions {
            match extension {
                Extension::Inserted { number, body } => {
                    out.extend(number.to_be_bytes());
                    out.extend(u16::try_from(body.len()).ok()?.to_be_bytes());
                    out.extend_from_slice(body);
                }
                Extension::Read {
                    announced, bytes, ..
                } => {
                    out.extend_from_slice(bytes);
                    if bytes.len() < *announced {
                        break; // cut short here: nothing after it is known to be sent yet
                    }
                }
            }
        }
        let before = isize::try_from(self.announced).ok()?;
        Some(isize::try_from(length).ok()? - before)
    }
}

impl Extension<'_> {
    fn number(&self) -> u16 {
        match *self {
            Self::Read { number, .. } | Self::Inserted { number, .. } => number,
        }
    }

    fn length(&self) -> usize {
        match self {
            Self::Read { announced, .. } => *announced,
            Self::Inserted { body, .. } => 4 + body.len(),
        }
    }
}
