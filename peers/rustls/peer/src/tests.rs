//! The peer against itself, through the contract, over streams in memory.

mod ends;
mod flags;
mod misbehaviour;
mod sessions;
