//! The stream below an [`super::EditedIo`], asynchronous or blocking.

use std::io;
use std::task::{Context, Poll};

/// What is done with the stream below while messages may be edited.
pub(super) trait Transport {
    /// Reads into `buf`. Returns how many octets; none is the end of the stream.
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes some of `buf`. Returns how many octets.
    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>>;

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}
