//! OpenSSL as a reqmtls peer
