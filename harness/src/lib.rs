//! reqmtls: who asks whom for a certificate when the request mTLS flag is on the table.
//!
//! The crate is the harness's library; `main.rs` is its command line. Data flows one way: a scenario expands to
//! cases, a case on a pairing is a cell, a cell leaves a recording, the recording and the key log lines of its
//! ends give a transcript, the transcript is judged, and reports consume the events.

pub mod check_peer;
pub mod command;
pub mod judge;
pub mod peer;
pub mod probe;
pub mod program;
#[cfg(test)]
mod reference;
pub mod report;
pub mod run;
pub mod scenario;
mod serve;
