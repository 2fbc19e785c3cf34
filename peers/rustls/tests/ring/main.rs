//! The tests of `tests/it` with the provider ring.

#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

#[path = "../it/blocking.rs"]
mod blocking;
#[path = "../it/common.rs"]
mod common;
#[path = "../it/early_data.rs"]
mod early_data;
#[path = "../it/editors_copy.rs"]
mod editors_copy;
#[path = "../it/handshakes.rs"]
mod handshakes;
#[path = "../it/policies.rs"]
mod policies;
#[path = "../it/refusals.rs"]
mod refusals;
#[path = "../it/resumption.rs"]
mod resumption;
#[path = "../it/seam.rs"]
mod seam;
#[path = "../it/streams.rs"]
mod streams;
#[path = "../it/tls12.rs"]
mod tls12;

/// The provider that is tested.
use rustls::crypto::ring as backend;
