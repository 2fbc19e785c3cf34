//! Faults put in on purpose, through the real command line: each costs the cells that it touches and no other, is
//! named, and leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod bench;
mod builds;
mod containers;
mod files;
mod peers;
mod signals;
