//! The tls_flags extension (draft-ietf-tls-tlsflags) and the request mTLS flag on stock rustls
