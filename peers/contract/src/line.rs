use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The most octets of one line, its end included.
pub const LINE_LIMIT: usize = 4 << 20;

/// Writes one value as a line of JSON and flushes.
pub async fn write_line(
    stream: &mut (impl AsyncWrite + Unpin),
    value: &impl Serialize,
) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    stream.flush().await
}

/// Reads one line of JSON; `None` at the end of the stream.
///
/// Reads octet by octet and so takes nothing of what follows the line: TLS may. Give it a buffered
/// stream where nothing but lines follows.
///
/// # Errors
///
/// `InvalidData` for a line that is too long, is no JSON object, or is not a `T`; `UnexpectedEof` for a
/// stream that ends within a line.
pub async fn read_line<T: DeserializeOwned>(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<Option<T>> {
    read_line_within(stream, LINE_LIMIT).await
}

/// The same, of a line with another limit.
pub(crate) async fn read_line_within<T: DeserializeOwned>(
    stream: &mut (impl AsyncRead + Unpin),
    limit: usize,
) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    loop {
        match stream.read_u8().await {
            Ok(b'\n') => break,
            Ok(_) if line.len() + 1 >= limit => {
                return Err(invalid(format!("got a line of more than {limit} octets")));
            }
            Ok(octet) => line.push(octet),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && line.is_empty() => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
    }
    // A list of the values of a struct would do for serde.
    let read = match line.trim_ascii_start().first() {
        Some(b'{') => serde_json::from_slice(&line).map_err(|error| error.to_string()),
        _ => Err("not a JSON object".to_owned()),
    };
    read.map(Some).map_err(|error| {
        let text = String::from_utf8_lossy(&line);
        let start: String = text.chars().take(80).collect();
        invalid(format!(
            "got {start:?}, expected a line of the contract: {error}"
        ))
    })
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
