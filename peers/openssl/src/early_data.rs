//! Early data, RFC 8446 §4.2.10.

use std::ffi::c_int;
use std::pin::Pin;

use foreign_types::ForeignTypeRef;
use openssl::ssl::{Error, SslRef};
use reqmtls_contract::{REQUEST, Stream};
use tokio_openssl::SslStream;

/// What a server reads of early data: as much as one record can hold.
pub(crate) const MOST: u32 = 16_384;

/// Starts a server's handshake; the early data that it accepted.
pub(crate) async fn read(tls: &mut SslStream<&mut dyn Stream>) -> Result<Vec<u8>, Error> {
    let mut data = Vec::new();
    let mut buffer = [0; REQUEST.len()];
    loop {
        let read = Pin::new(&mut *tls).read_early_data(&mut buffer).await?;
        match buffer.get(..read) {
            None | Some([]) => return Ok(data),
            Some(octets) => data.extend_from_slice(octets),
        }
    }
}

/// Starts a client's handshake with the request as early data.
pub(crate) async fn write(tls: &mut SslStream<&mut dyn Stream>) -> Result<(), Error> {
    Pin::new(tls).write_early_data(REQUEST).await.map(drop)
}

/// Whether early data was accepted, if the client offered any.
pub(crate) fn accepted(ssl: &SslRef) -> Option<bool> {
    // SAFETY: the connection is alive; the function reads a number of it.
    match unsafe { SSL_get_early_data_status(ssl.as_ptr()) } {
        SSL_EARLY_DATA_REJECTED => Some(false),
        SSL_EARLY_DATA_ACCEPTED => Some(true),
        _ => None,
    }
}

// A public function and constants of the library that the bindings lack.
const SSL_EARLY_DATA_REJECTED: c_int = 1;
const SSL_EARLY_DATA_ACCEPTED: c_int = 2;

unsafe extern "C" {
    fn SSL_get_early_data_status(ssl: *const openssl_sys::SSL) -> c_int;
}
