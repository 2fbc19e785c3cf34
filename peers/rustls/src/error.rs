//! Why handshakes fail, and why they cannot begin.

use std::io;

use rustls::{AlertDescription, Error, InvalidMessage};

use crate::alert;
use crate::flags::FlagsError;
use crate::policy::ClientAuth;

/// Why a handshake failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// The stream failed or ended.
    #[error(transparent)]
    Io(io::Error),
    /// rustls ended the handshake.
    #[error(transparent)]
    Tls(Error),
    /// The client's `tls_flags` extension is invalid, or was changed after HelloRetryRequest.
    #[error(transparent)]
    Flags(#[from] FlagsError),
    /// There is no configuration for what was decided.
    #[error("no configuration was given for client authentication {client_auth:?}")]
    MissingConfig {
        /// What was decided.
        client_auth: ClientAuth,
    },
    /// The configuration for [`ClientAuth::Required`] let a client through without a certificate.
    #[error("the client has no certificate, though the configuration should require one")]
    NotAuthenticated,
}

impl AcceptError {
    /// The record with the alert that this error calls for, which rustls does not know of.
    pub(crate) fn alert(&self) -> [u8; 7] {
        alert::fatal(match self {
            Self::Flags(error) => error.alert(),
            _ => AlertDescription::InternalError,
        })
    }

    /// Finds the error that tokio-rustls or an [`crate::EditedIo`] has wrapped.
    pub(crate) fn new(error: io::Error, extension: u16) -> Self {
        if let Some(error) = flags_error(&error, extension) {
            return Self::Flags(error);
        }
        Self::from(error)
    }
}

impl From<io::Error> for AcceptError {
    /// Finds the error of rustls that tokio-rustls has wrapped.
    fn from(error: io::Error) -> Self {
        match error.downcast::<Error>() {
            Ok(error) => Self::Tls(error),
            Err(error) => Self::Io(error),
        }
    }
}

/// The error in flags that ended a connection, if that is what `error` is about.
///
/// For errors of a [`crate::TlsFlagsConnector`], and of reading from its streams. How exactly flags in an
/// encrypted message were wrong is not told: they come as [`FlagsError::Unsolicited`], and so does an extension
/// of this number that such a message has twice.
#[must_use]
pub fn flags_error(error: &io::Error, extension: u16) -> Option<FlagsError> {
    let inner = error.get_ref()?;
    if let Some(error) = inner.downcast_ref::<FlagsError>() {
        return Some(*error);
    }
    match inner.downcast_ref::<Error>() {
        Some(Error::InvalidMessage(InvalidMessage::DuplicateExtension(number)))
            if *number == extension =>
        {
            Some(FlagsError::Unsolicited)
        }
        _ => None,
    }
}

/// Why an acceptor cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptorError {
    /// A configuration that the policy can choose is missing.
    #[error("no configuration was given for client authentication {client_auth:?}")]
    MissingConfig {
        /// What the policy can decide.
        client_auth: ClientAuth,
    },
    /// No configuration at all.
    #[error("no configuration was given: expected at least one")]
    NoConfig,
    /// The flag has a meaning under TLS 1.3 only, so whether that is negotiated must not depend on what is
    /// decided by the flag.
    #[error("some configurations speak TLS 1.3 and others do not: expected all to agree")]
    MixedVersions,
    /// A configuration was built with a client's provider.
    #[error("a configuration was built with a provider for clients: expected one for servers")]
    ForeignProvider,
}

/// Why a connector cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectorError {
    /// The configuration could not be built.
    #[error(transparent)]
    Config(#[from] Error),
    /// The configuration was built with another builder than the one given, and would send no flags.
    #[error("the configuration has another provider: expected one made with the builder given")]
    ForeignProvider,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(error: Error) -> Option<FlagsError> {
        flags_error(&io::Error::new(io::ErrorKind::InvalidData, error), 62)
    }

    #[test]
    fn only_the_extension_is_about_flags() {
        let twice = |number| InvalidMessage::DuplicateExtension(number).into();
        assert_eq!(of(twice(62)), Some(FlagsError::Unsolicited));
        assert_eq!(of(twice(63)), None);
        for alert in [0xfe, 47] {
            assert_eq!(
                of(Error::AlertReceived(AlertDescription::from(alert))),
                None
            );
        }
    }
}
