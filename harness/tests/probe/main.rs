//! Probes of servers that are known: every policy of the reference, hostile ones, and programs that people run.

mod command_line;
mod hostile;
mod policies;
mod programs;
mod servers;
