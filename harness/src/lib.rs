//! reqmtls: who asks whom for a certificate when the request mTLS flag is on the table.
//!
//! The crate is the harness's library; `main.rs` is its command line. Data flows one way: a scenario
//! expands to cases, a case on a pairing is a cell, a cell leaves a recording, the recording and the
//! key log give a transcript, the transcript a verdict, and reporters write what they are told.

pub mod cell;
pub mod certificates;
pub mod cli;
pub mod conformance;
pub mod decode;
pub mod event;
pub mod explain;
pub mod peer;
pub mod report;
pub mod run;
pub mod scenario;
pub mod setup;
pub mod snapshot;
pub mod verdict;
