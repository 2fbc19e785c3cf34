//! Interoperability test harness for the request mTLS flag of TLS 1.3
