//! A cursor over the bytes of a handshake message.

use thiserror::Error;

/// Why bytes could not be read as the structure that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum ReadError {
    /// The bytes end before the field does.
    #[error("{field} needs {expected} bytes, {got} left")]
    Short {
        /// The field that was being read.
        field: &'static str,
        /// Bytes that the field needs.
        expected: usize,
        /// Bytes that were left.
        got: usize,
    },
    /// Bytes follow where the structure ends.
    #[error("{got} bytes follow {field}, expected none")]
    Trailing {
        /// The structure that should have been the last.
        field: &'static str,
        /// Bytes that follow it.
        got: usize,
    },
}

/// Reads big-endian numbers and length-prefixed vectors (RFC 9846 §3 (RFC 8446 §3)).
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    pub(super) fn take(
        &mut self,
        count: usize,
        field: &'static str,
    ) -> Result<&'a [u8], ReadError> {
        let Some((taken, left)) = self.left.split_at_checked(count) else {
            return Err(ReadError::Short {
                field,
                expected: count,
                got: self.left.len(),
            });
        };
        self.left = left;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u8; N], ReadError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, field)?);
        Ok(array)
    }

    pub(super) fn u8(&mut self, field: &'static str) -> Result<u8, ReadError> {
        Ok(u8::from_be_bytes(self.array(field)?))
    }

    pub(super) fn u16(&mut self, field: &'static str) -> Result<u16, ReadError> {
        Ok(u16::from_be_bytes(self.array(field)?))
    }

    pub(super) fn u24(&mut self, field: &'static str) -> Result<usize, ReadError> {
        let [high, middle, low] = self.array(field)?;
        Ok(usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low))
    }

    pub(super) fn u32(&mut self, field: &'static str) -> Result<u32, ReadError> {
        Ok(u32::from_be_bytes(self.array(field)?))
    }

    /// A vector with a length prefix of one octet.
    pub(super) fn vec8(&mut self, field: &'static str) -> Result<Reader<'a>, ReadError> {
        let length = usize::from(self.u8(field)?);
        Ok(Reader::new(self.take(length, field)?))
    }

    /// A vector with a length prefix of two octets.
    pub(super) fn vec16(&mut self, field: &'static str) -> Result<Reader<'a>, ReadError> {
        let length = usize::from(self.u16(field)?);
        Ok(Reader::new(self.take(length, field)?))
    }

    /// A vector with a length prefix of three octets.
    pub(super) fn vec24(&mut self, field: &'static str) -> Result<Reader<'a>, ReadError> {
        let length = self.u24(field)?;
        Ok(Reader::new(self.take(length, field)?))
    }

    /// Everything that is left.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.left)
    }

    /// Succeeds only where nothing is left.
    pub(super) fn end(self, field: &'static str) -> Result<(), ReadError> {
        match self.left.len() {
            0 => Ok(()),
            got => Err(ReadError::Trailing { field, got }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_and_vectors_in_network_order() {
        let mut reader = Reader::new(&[1, 2, 3, 4, 5, 6, 1, 9, 0, 1, 8, 0, 0, 1, 7, 5]);
        assert_eq!(reader.u8("a"), Ok(1));
        assert_eq!(reader.u16("b"), Ok(0x0203));
        assert_eq!(reader.u24("c"), Ok(0x0004_0506));
        assert_eq!(reader.vec8("d").map(|mut r| r.rest()), Ok(&[9][..]));
        assert_eq!(reader.vec16("e").map(|mut r| r.rest()), Ok(&[8][..]));
        assert_eq!(reader.vec24("f").map(|mut r| r.rest()), Ok(&[7][..]));
        assert_eq!(
            reader.end("all"),
            Err(ReadError::Trailing {
                field: "all",
                got: 1
            })
        );
    }

    #[test]
    fn names_the_field_that_is_cut_short() {
        let error = Reader::new(&[0, 4, 1, 2])
            .vec16("session ticket")
            .unwrap_err();
        assert_eq!(error.to_string(), "session ticket needs 4 bytes, 2 left");
    }
}
