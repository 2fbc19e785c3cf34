//! Peers that break or lie, each in one way, through the real command line: they cost their own cells
//! only, and are caught and named.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod bench;
mod ends;
mod lines;
