//! This crate against unmodified tokio-rustls, with the same conversations: wherever `tls_flags` is not
//! concerned, the same outcome, error and alert, after the same write.

#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

mod conversations;
mod hello;
mod live;
mod parts;
mod pieces;
mod pipe;
mod random;
mod script;
mod scripts;
mod talk;
