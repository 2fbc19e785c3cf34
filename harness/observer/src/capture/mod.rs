//! Recordings as packet captures, for Wireshark and from anywhere.
//!
//! [`write()`] makes one pcapng file of any number of recorded connections: raw IP, one TCP stream
//! for each, and the secrets in a Decryption Secrets Block, so that Wireshark shows all of it
//! decrypted without any setting. [`read()`] takes a pcap or pcapng file of any origin and puts
//! each of its TCP streams together again. What the file does not hold is reported, never made up.
//!
//! The file formats are the work of `pcap-parser`, for it alone reads and writes Decryption
//! Secrets Blocks; packet headers that of `etherparse`. What is here is the seam: TCP
//! reassembly, and the way between [`Recording`](crate::Recording) and segments.

mod file;
mod read;
mod segment;
mod stream;
#[cfg(test)]
mod tests;
mod write;

pub use file::{FileError, Problem};
pub use read::{Capture, Omission, read};
pub use stream::{Connection, Gap};
pub use write::{WriteError, Writer, write};
