//! BoringSSL as a reqmtls peer
