//! reqmtls: who asks whom for a certificate when the request mTLS flag is on the table.
//!
//! The crate is the harness's library; `main.rs` is its command line.

pub mod peer;
