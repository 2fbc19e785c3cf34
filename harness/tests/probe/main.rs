//! Probes of servers that are known: every policy of the reference, hostile ones, and programs that people run.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod command_line;
mod hostile;
mod policies;
mod programs;
mod servers;
