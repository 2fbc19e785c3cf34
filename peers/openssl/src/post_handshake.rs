//! Authentication after the handshake, RFC 8446 §4.6.2.

use std::ffi::{c_int, c_void};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use foreign_types::ForeignTypeRef;
use openssl::error::ErrorStack;
use openssl::ssl::{Error, SslContextBuilder, SslRef};
use reqmtls_contract::{ConnectionReport, Stream};
use tokio_openssl::SslStream;

use crate::told::{self, Ear};

/// Number of the `post_handshake_auth` extension, RFC 8446 §4.2.6.
pub(crate) const POST_HANDSHAKE_AUTH: u16 = 49;

/// Makes a context's clients offer the extension.
pub(crate) fn offer(builder: &mut SslContextBuilder) {
    // SAFETY: the builder's context is alive; the function sets a number in it.
    unsafe { openssl_sys::SSL_CTX_set_post_handshake_auth(builder.as_ptr(), 1) }
}

/// Makes a context's connections count the `Finished` messages that come in: the library tells in no
/// other way that a client without a certificate has answered.
pub(crate) fn count_finished(builder: &mut SslContextBuilder) {
    // SAFETY: the builder's context is alive, and the callback has the type that the function takes
    // (SSL_CTX_set_msg_callback(3)).
    unsafe { SSL_CTX_set_msg_callback(builder.as_ptr(), Some(message)) }
}

/// Asks the client for its certificate, and waits until its answer has been accepted.
///
/// The client must have offered the extension, and owe no data until it is answered: what it sends
/// stays unread.
pub(crate) async fn authenticate(
    tls: &mut SslStream<&mut dyn Stream>,
    ear: &Ear,
) -> Result<(), Failure> {
    let before = ear.lock().finished;
    // SAFETY: the connection is alive, and no other reference to it is in use during the call.
    if unsafe { SSL_verify_client_post_handshake(tls.ssl().as_ptr()) } != 1 {
        return Err(Failure::NotAsked(ErrorStack::get()));
    }
    Pin::new(&mut *tls).do_handshake().await?;
    poll_fn(|context| {
        let mut octet = [0];
        let peeked = Pin::new(&mut *tls).poll_peek(context, &mut octet);
        if let Poll::Ready(Err(error)) = peeked {
            return Poll::Ready(Err(error.into()));
        }
        if ear.lock().finished > before {
            return Poll::Ready(Ok(()));
        }
        match peeked {
            Poll::Ready(_) => Poll::Ready(Err(Failure::Data)),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Why a client was not asked, or did not answer.
pub(crate) enum Failure {
    /// The library would not ask.
    NotAsked(ErrorStack),
    /// TLS or the transport ended the connection.
    Ended(Error),
    /// The client sent application data in place of its answer.
    Data,
}

impl Failure {
    /// Notes what ended the connection.
    pub(crate) fn note(&self, report: &mut ConnectionReport) {
        match self {
            Self::NotAsked(error) => report.refuse(error),
            Self::Ended(error) => told::note(report, error),
            Self::Data => report.break_off(
                &"got application data, expected the client's Certificate after the handshake",
            ),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Ended(error)
    }
}

// Public functions and constants of the library that the bindings lack.
const SSL3_RT_HANDSHAKE: c_int = 22;
const SSL3_MT_FINISHED: u8 = 20;

type MessageCallback = unsafe extern "C" fn(
    c_int,
    c_int,
    c_int,
    *const c_void,
    usize,
    *mut openssl_sys::SSL,
    *mut c_void,
);

unsafe extern "C" {
    fn SSL_CTX_set_msg_callback(
        context: *mut openssl_sys::SSL_CTX,
        callback: Option<MessageCallback>,
    );
    fn SSL_verify_client_post_handshake(ssl: *mut openssl_sys::SSL) -> c_int;
}

/// Called with each message before the library acts on it.
unsafe extern "C" fn message(
    written: c_int,
    _version: c_int,
    kind: c_int,
    octets: *const c_void,
    length: usize,
    ssl: *mut openssl_sys::SSL,
    _argument: *mut c_void,
) {
    if written != 0 || kind != SSL3_RT_HANDSHAKE || length == 0 {
        return;
    }
    // SAFETY: the library passes `length` octets, at least one, that live during the call.
    if unsafe { *octets.cast::<u8>() } != SSL3_MT_FINISHED {
        return;
    }
    // SAFETY: the library passes the connection that the message belongs to, alive during the call.
    if let Some(ear) = Ear::of(unsafe { SslRef::from_ptr(ssl) }) {
        ear.lock().finished += 1;
    }
}
