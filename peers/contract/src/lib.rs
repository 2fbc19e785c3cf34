//! The reqmtls peer contract: its types, and a server loop that Rust peers reuse
