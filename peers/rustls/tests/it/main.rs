//! Handshakes between this crate's client and server, over streams in memory.

#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

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
