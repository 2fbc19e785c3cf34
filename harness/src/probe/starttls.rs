//! What stands before TLS in protocols that begin without it: STARTTLS.

use std::io;

use reqmtls_vocabulary::words;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The most octets of one line.
const LINE: usize = 1024;
/// The most lines of one answer.
const LINES: usize = 64;

words! {
    /// A protocol whose connections begin without TLS.
    pub enum Starttls {
        /// SMTP (RFC 3207).
        Smtp = "smtp",
        /// IMAP (RFC 9051 §6.2.1).
        Imap = "imap",
        /// PostgreSQL's SSLRequest.
        Postgres = "postgres",
    }
}

impl Starttls {
    /// Has the server begin TLS.
    ///
    /// # Errors
    ///
    /// What the server answered in place of what would be right; what the stream fails with.
    pub(super) async fn begin(self, stream: &mut TcpStream) -> io::Result<()> {
        match self {
            Self::Smtp => {
                smtp_answer(stream, "220").await?;
                stream.write_all(b"EHLO client.reqmtls.test\r\n").await?;
                smtp_answer(stream, "250").await?;
                stream.write_all(b"STARTTLS\r\n").await?;
                smtp_answer(stream, "220").await
            }
            Self::Imap => {
                expect(&line(stream).await?, |it| it.starts_with("* OK"), "* OK")?;
                stream.write_all(b"a STARTTLS\r\n").await?;
                for _ in 0..LINES {
                    let line = line(stream).await?;
                    if !line.starts_with("* ") {
                        return expect(&line, |it| it.starts_with("a OK"), "a OK");
                    }
                }
                Err(invalid(format!(
                    "got more than {LINES} lines, expected a OK"
                )))
            }
            Self::Postgres => {
                // Its length in octets, and the code of SSLRequest: 1234 and 5679.
                stream.write_all(&[0, 0, 0, 8, 4, 210, 22, 47]).await?;
                match stream.read_u8().await? {
                    b'S' => Ok(()),
                    other => Err(invalid(format!(
                        "got {:?}, expected 'S': the server does TLS",
                        char::from(other)
                    ))),
                }
            }
        }
    }

    /// What a client sends once TLS stands, so that the server answers or closes.
    #[must_use]
    pub fn request(self) -> &'static [u8] {
        match self {
            Self::Smtp => b"QUIT\r\n",
            Self::Imap => b"a LOGOUT\r\n",
            // A StartupMessage of protocol 3.0 for the user reqmtls.
            Self::Postgres => b"\x00\x00\x00\x16\x00\x03\x00\x00user\x00reqmtls\x00\x00",
        }
    }
}

/// Reads an answer of SMTP to its last line, which has a space behind its code.
async fn smtp_answer(stream: &mut TcpStream, code: &str) -> io::Result<()> {
    for _ in 0..LINES {
        let line = line(stream).await?;
        expect(&line, |it| it.starts_with(code), code)?;
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(());
        }
    }
    Err(invalid(format!(
        "got more than {LINES} lines, expected the end of an answer {code}"
    )))
}

fn expect(line: &str, is_right: impl Fn(&str) -> bool, expected: &str) -> io::Result<()> {
    if is_right(line) {
        return Ok(());
    }
    Err(invalid(format!("got {line:?}, expected {expected}")))
}

/// Reads a line octet by octet: what follows it belongs to TLS.
async fn line(stream: &mut TcpStream) -> io::Result<String> {
    let mut line = Vec::new();
    loop {
        match stream.read_u8().await? {
            b'\n' => break,
            octet if line.len() < LINE => line.push(octet),
            _ => {
                return Err(invalid(format!(
                    "got a line of more than {LINE} octets, expected its end"
                )));
            }
        }
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// What a server that says these lines, each after a line of the client's but the first, leads to.
    async fn begin(protocol: Starttls, lines: &'static [&'static [u8]]) -> Result<(), String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let server = async {
            let (mut server, _) = listener.accept().await.unwrap();
            for (number, said) in lines.iter().enumerate() {
                if number > 0 {
                    line(&mut server).await.unwrap();
                }
                server.write_all(said).await.unwrap();
            }
        };
        let (begun, ()) = tokio::join!(protocol.begin(&mut client), server);
        begun.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn smtp_begins_after_its_220() {
        let lines: &[&[u8]] = &[
            b"220 mail\r\n",
            b"250-mail\r\n250 STARTTLS\r\n",
            b"220 go\r\n",
        ];
        assert_eq!(begin(Starttls::Smtp, lines).await, Ok(()));
        let lines: &[&[u8]] = &[b"220 mail\r\n", b"250 mail\r\n", b"454 not now\r\n"];
        let error = begin(Starttls::Smtp, lines).await.unwrap_err();
        assert_eq!(error, "got \"454 not now\", expected 220");
    }

    #[tokio::test]
    async fn imap_begins_after_the_tagged_ok() {
        let lines: &[&[u8]] = &[b"* OK ready\r\n", b"* CAPABILITY\r\na OK go\r\n"];
        assert_eq!(begin(Starttls::Imap, lines).await, Ok(()));
        let lines: &[&[u8]] = &[b"* OK ready\r\n", b"a BAD no\r\n"];
        let error = begin(Starttls::Imap, lines).await.unwrap_err();
        assert_eq!(error, "got \"a BAD no\", expected a OK");
    }

    #[tokio::test]
    async fn a_line_without_end_is_an_error() {
        static LONG: [u8; 4096] = [b'x'; 4096];
        static LINES: &[&[u8]] = &[&LONG];
        let error = begin(Starttls::Smtp, LINES).await.unwrap_err();
        assert_eq!(
            error,
            "got a line of more than 1024 octets, expected its end"
        );
    }

    #[test]
    fn the_length_of_a_startup_message_is_its_own() {
        let request = Starttls::Postgres.request();
        assert_eq!(usize::from(request[3]), request.len());
    }
}
