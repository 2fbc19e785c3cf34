//! The words that every part of reqmtls shares: the two sides of a connection, the numbers of the TLS registries
//! with their names, and the code points of the request mTLS flag. There is no logic here, so that the observer can
//! share it with the ends that it observes and still share no code with them.

mod codepoints;
mod registry;
mod side;
mod words;

#[doc(hidden)]
#[cfg(feature = "schema")]
pub use schemars;
#[doc(hidden)]
pub use serde;

pub use codepoints::{Codepoints, DEFAULT_FLAG};
pub use registry::{
    AlertDescription, AlertLevel, CertificateCompressionAlgorithm, CipherSuite, ContentType,
    ExtensionType, HandshakeType, NamedGroup, ProtocolVersion, SignatureScheme,
};
pub use side::Side;
