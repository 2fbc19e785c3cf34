//! Early data, RFC 8446 §4.2.10, for which the safe crate has no methods.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;

use boring::ssl::{ErrorCode, SslContextBuilder, SslRef};
use foreign_types::ForeignTypeRef;
use reqmtls_contract::Stream;
use tokio::io::{AsyncRead, ReadBuf};
use tokio_boring::SslStream;

use crate::told;

/// Makes a context's servers accept early data.
pub(crate) fn accept(builder: &mut SslContextBuilder) {
    // SAFETY: the builder's context is alive.
    unsafe { boring_sys::SSL_CTX_set_early_data_enabled(builder.as_ptr(), 1) }
}

/// Makes a client offer early data, if the session that it offers allows it.
pub(crate) fn offer(ssl: &mut SslRef) {
    // SAFETY: the connection is alive.
    unsafe { boring_sys::SSL_set_early_data_enabled(ssl.as_ptr(), 1) }
}

/// Whether what is written (client) or read (server) now is early data.
pub(crate) fn is_flowing(ssl: &SslRef) -> bool {
    // SAFETY: the connection is alive.
    unsafe { boring_sys::SSL_in_early_data(ssl.as_ptr()) == 1 }
}

/// Whether the server accepted early data, as far as the handshake has come.
pub(crate) fn is_accepted(ssl: &SslRef) -> bool {
    // SAFETY: the connection is alive.
    unsafe { boring_sys::SSL_early_data_accepted(ssl.as_ptr()) == 1 }
}

/// Makes a client go on without early data if `error` says that the server rejected it; any other
/// error comes back.
pub(crate) fn give_up(ssl: &mut SslRef, error: io::Error) -> io::Result<()> {
    let rejected = ErrorCode::from_raw(boring_sys::SSL_ERROR_EARLY_DATA_REJECTED);
    if told::library_error(&error).is_none_or(|error| error.code() != rejected) {
        return Err(error);
    }
    // SAFETY: the connection is alive, and it waits for this call, without which it would give the
    // same error for ever.
    unsafe { boring_sys::SSL_reset_early_data_reject(ssl.as_ptr()) }
    Ok(())
}

/// Takes a server that has read the early data through the rest of its handshake.
pub(crate) async fn finish_handshake(tls: &mut SslStream<&mut dyn Stream>) -> io::Result<()> {
    // A read is what drives the handshake on; there is nothing to read before the answer.
    poll_fn(|context| {
        if tls.ssl().is_init_finished() {
            return Poll::Ready(Ok(()));
        }
        let mut octet = [0];
        let mut buffer = ReadBuf::new(&mut octet);
        match Pin::new(&mut *tls).poll_read(context, &mut buffer) {
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()))
            }
            Poll::Ready(Ok(())) => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "got more than the request before the answer",
            ))),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending if tls.ssl().is_init_finished() => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
