//! reqmtls: who asks whom for a certificate when the request mTLS flag is on the table.
pub mod judge;
pub mod scenario;
