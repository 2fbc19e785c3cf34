//! Probes of servers that are known: every policy of the reference, and hostile ones.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod command_line;
mod hostile;
mod peers;
mod policies;
mod servers;
#[path = "../shared/peers.rs"]
mod shared;
