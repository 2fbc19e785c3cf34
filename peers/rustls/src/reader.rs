//! Reading length-prefixed bytes.

/// A cursor over bytes, which never panics: every read may fail.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes read so far.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let taken = self.bytes[self.at..].get(..length)?;
        self.at += length;
        Some(taken)
    }

    /// Everything that is left, and at most `length` of it.
    pub(crate) fn take_up_to(&mut self, length: usize) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        let taken = &rest[..length.min(rest.len())];
        self.at += taken.len();
        taken
    }

    /// A big-endian number of `width` octets, at most four.
    pub(crate) fn number(&mut self, width: usize) -> Option<usize> {
        let octets = self.take(width)?;
        Some(
            octets
                .iter()
                .fold(0, |number, &octet| number << 8 | usize::from(octet)),
        )
    }

    /// A vector whose length stands before it in `width` octets.
    pub(crate) fn vector(&mut self, width: usize) -> Option<&'a [u8]> {
        let length = self.number(width)?;
        self.take(length)
    }
}
