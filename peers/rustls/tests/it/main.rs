//! Handshakes between this crate's client and server, over streams in memory.

#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

mod aws_lc_rs;
mod blocking;
mod common;
mod early_data;
mod editors_copy;
mod handshakes;
mod policies;
mod refusals;
mod resumption;
mod seam;
mod streams;
mod tls12;

/// The provider that is tested. `tests/ring` has the same tests with another.
use rustls::crypto::aws_lc_rs as backend;
