use reqmtls_vocabulary::words;

words! {
    /// When a server asks for a certificate, and whether it goes on without one.
    pub enum Policy {
        /// Never sends CertificateRequest.
        Never = "never",
        /// Asks every client, goes on without a certificate.
        Request = "request",
        /// Asks every client, refuses one without a certificate.
        Require = "require",
        /// Asks only the clients that set the flag, goes on without a certificate.
        RequestOnFlag = "request-on-flag",
        /// Asks only the clients that set the flag, refuses those of them without a certificate.
        RequireOnFlag = "require-on-flag",
        /// Does not ask in the main handshake. Asks after it, RFC 9846 §4.7.2 (RFC 8446 §4.6.2), the clients that
        /// offered `post_handshake_auth`, once it has read the request, and goes on without a
        /// certificate.
        PostHandshake = "post-handshake",
    }
}

impl Policy {
    /// Whether a server with this policy sends CertificateRequest to a client in the main handshake.
    #[must_use]
    pub const fn requests(self, flag_set: bool) -> bool {
        match self {
            Self::Never | Self::PostHandshake => false,
            Self::Request | Self::Require => true,
            Self::RequestOnFlag | Self::RequireOnFlag => flag_set,
        }
    }

    /// Whether a server that asks refuses a client without a certificate.
    #[must_use]
    pub const fn requires(self) -> bool {
        matches!(self, Self::Require | Self::RequireOnFlag)
    }

    /// Whether it looks at the flag.
    #[must_use]
    pub const fn is_on_flag(self) -> bool {
        matches!(self, Self::RequestOnFlag | Self::RequireOnFlag)
    }
}

words! {
    /// A revision of the request mTLS flag.
    pub enum Revision {
        /// draft-jhoyla-req-mtls-flag-02, which has the same rules as -00 and -01: a hint in ClientHello.
        Draft02 = "draft-02",
        /// Its editor's copy of June 2025: the server acknowledges in CertificateRequest.
        EditorsCopy = "editors-copy",
    }
}

words! {
    /// Which sessions a server resumes.
    pub enum Sessions {
        /// Every session of the job: one session id context, or what the library has in its place, for all.
        Shared = "shared",
        /// Only those that were made with the same decision to request a certificate or not: a context for each.
        Separate = "separate",
    }
}

words! {
    /// Whose behaviour an observation shows. The further down, the further from the unmodified library.
    pub enum Provenance {
        /// The unmodified library's.
        Library = "library",
        /// That of code of ours in front of the library's public API, as an application would have it.
        Glue = "glue",
        /// That of the library with a patch of ours.
        Patch = "patch",
        /// That of the in-tree implementation.
        Reference = "reference",
    }
}

words! {
    /// A handshake message with an extension block, RFC 9846 §4.3 (RFC 8446 §4.2).
    pub enum Message {
        /// Every ClientHello of the connection.
        ClientHello = "client_hello",
        /// Only the first.
        FirstClientHello = "first_client_hello",
        /// Only the one after HelloRetryRequest.
        SecondClientHello = "second_client_hello",
        /// Not HelloRetryRequest.
        ServerHello = "server_hello",
        /// By wire format a ServerHello.
        HelloRetryRequest = "hello_retry_request",
        /// The server's.
        EncryptedExtensions = "encrypted_extensions",
        /// In the main handshake.
        CertificateRequest = "certificate_request",
        /// The first certificate of the chain; of the end that edits.
        Certificate = "certificate",
        /// After the handshake.
        NewSessionTicket = "new_session_ticket",
    }
}

words! {
    /// A protocol version.
    pub enum Version {
        /// TLS 1.2, RFC 5246.
        Tls12 = "tls1.2",
        /// TLS 1.3, RFC 9846.
        Tls13 = "tls1.3",
    }
}

words! {
    /// A group for key exchange, by its name in the TLS Supported Groups registry, lower case.
    pub enum Group {
        /// 0x001d.
        X25519 = "x25519",
        /// 0x0017.
        Secp256r1 = "secp256r1",
        /// 0x0018.
        Secp384r1 = "secp384r1",
        /// 0x11ec, a post-quantum hybrid whose key share exceeds one kilobyte.
        X25519Mlkem768 = "x25519mlkem768",
    }
}

words! {
    /// Of what kind the keys of certificates are that are not ECDSA on P-256.
    pub enum Keys {
        /// RSA of 2048 bits, `rsaEncryption`; the certificates are signed with PKCS #1 v1.5 and SHA-256.
        Rsa = "rsa",
        /// RFC 8410.
        Ed25519 = "ed25519",
    }
}

words! {
    /// A TLS 1.3 cipher suite, RFC 9846 §B.4.
    pub enum CipherSuite {
        /// 0x1301.
        Aes128GcmSha256 = "TLS_AES_128_GCM_SHA256",
        /// 0x1302.
        Aes256GcmSha384 = "TLS_AES_256_GCM_SHA384",
        /// 0x1303.
        Chacha20Poly1305Sha256 = "TLS_CHACHA20_POLY1305_SHA256",
        /// 0x1304.
        Aes128CcmSha256 = "TLS_AES_128_CCM_SHA256",
        /// 0x1305.
        Aes128Ccm8Sha256 = "TLS_AES_128_CCM_8_SHA256",
    }
}
