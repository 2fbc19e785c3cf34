//! The in-tree rustls implementation as a reqmtls peer
