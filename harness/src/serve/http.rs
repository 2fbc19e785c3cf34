//! As much of HTTP/1.1 (RFC 9112) as it takes to answer one request on a connection.

use std::io;

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The most octets of a request's head.
const MOST_OCTETS: usize = 16 << 10;

/// The most fields in it.
const MOST_FIELDS: usize = 100;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// Whether the answer has no content.
    pub(crate) is_head: bool,
    /// The path, without a query.
    pub(crate) path: String,
    /// The values of `Accept`, joined.
    pub(crate) accept: String,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// The status, a number and its reason phrase.
    pub(crate) status: &'static str,
    /// Its type.
    pub(crate) content_type: &'static str,
    /// The content.
    pub(crate) content: String,
}

/// Why there is no request.
#[derive(Debug, Error)]
pub(super) enum RequestError {
    /// The client closed before there was one.
    #[error("the client closed before its request was whole")]
    Closed,
    /// It is not HTTP.
    #[error("got octets that are no HTTP/1.1 request: {0}")]
    Malformed(httparse::Error),
    /// It is too long.
    #[error("got a request head of more than {MOST_OCTETS} octets")]
    TooLong,
    /// The connection failed.
    #[error(transparent)]
    Read(#[from] io::Error),
}

impl Page {
    /// A page of plain text.
    pub(crate) fn text(status: &'static str, content: String) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            content,
        }
    }
}

impl RequestError {
    /// What is answered to a client that can read it.
    pub(super) fn page(&self) -> Option<Page> {
        let status = match self {
            Self::Malformed(httparse::Error::TooManyHeaders) | Self::TooLong => {
                "431 Request Header Fields Too Large"
            }
            Self::Malformed(_) => "400 Bad Request",
            Self::Closed | Self::Read(_) => return None,
        };
        Some(Page::text(status, format!("{self}\n")))
    }
}

/// Reads the head of a request.
pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> Result<Request, RequestError> {
    let mut head = Vec::new();
    let mut buffer = [0; 2048];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return Err(RequestError::Closed);
        }
        head.extend_from_slice(&buffer[..count]);
        if let Some(request) = parse(&head)? {
            return Ok(request);
        }
        if head.len() > MOST_OCTETS {
            return Err(RequestError::TooLong);
        }
    }
}

/// The request, if its head is whole.
fn parse(head: &[u8]) -> Result<Option<Request>, RequestError> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    if parsed
        .parse(head)
        .map_err(RequestError::Malformed)?
        .is_partial()
    {
        return Ok(None);
    }
    let target = parsed.path.unwrap_or_default();
    let accept = parsed.headers.iter();
    let accept = accept.filter(|field| field.name.eq_ignore_ascii_case("accept"));
    let values: Vec<_> = accept
        .map(|field| String::from_utf8_lossy(field.value))
        .collect();
    Ok(Some(Request {
        is_head: parsed.method == Some("HEAD"),
        path: target.split('?').next().unwrap_or_default().to_owned(),
        accept: values.join(","),
    }))
}

/// Answers; the connection ends with it.
pub(super) async fn write(
    to: &mut (impl AsyncWrite + Unpin),
    page: &Page,
    is_head: bool,
) -> io::Result<()> {
    let Page {
        status,
        content_type,
        content,
    } = page;
    let mut answer = format!(
        "HTTP/1.1 {status}\r\n\
         Content-Type: {content_type}\r\n\
         Content-Length: {}\r\n\
         Cache-Control: no-store\r\n\
         Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n\
         X-Content-Type-Options: nosniff\r\n\
         Connection: close\r\n\r\n",
        content.len()
    );
    if !is_head {
        answer.push_str(content);
    }
    to.write_all(answer.as_bytes()).await?;
    to.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_from(octets: &[u8]) -> Result<Request, RequestError> {
        read(&mut &octets[..]).await
    }

    #[tokio::test]
    async fn reads_path_and_accept() {
        let text = "GET /json?x=1 HTTP/1.1\r\nHost: localhost\r\nACCEPT: text/html\r\nAccept: */*\r\n\r\nrest";
        let request = read_from(text.as_bytes()).await.unwrap();
        assert_eq!(request.path, "/json");
        assert_eq!(request.accept, "text/html,*/*");
        assert!(!request.is_head);
    }

    #[tokio::test]
    async fn a_request_that_ends_early_is_none() {
        let error = read_from(b"GET / HTTP/1.1\r\nHost:").await.unwrap_err();
        assert!(matches!(error, RequestError::Closed), "{error}");
        assert_eq!(error.page(), None);
    }

    #[tokio::test]
    async fn what_is_no_http_is_named() {
        let error = read_from(b"who am i?\n").await.unwrap_err();
        assert_eq!(error.page().unwrap().status, "400 Bad Request");
    }

    #[tokio::test]
    async fn an_endless_head_is_cut() {
        let head = [&b"GET / HTTP/1.1\r\nA: "[..], &vec![b'a'; 1 << 20]].concat();
        let error = read_from(&head).await.unwrap_err();
        assert!(matches!(error, RequestError::TooLong), "{error}");
        let many = format!("GET / HTTP/1.1\r\n{}", "A: b\r\n".repeat(200));
        let error = read_from(many.as_bytes()).await.unwrap_err();
        assert!(error.page().unwrap().status.starts_with("431 "), "{error}");
    }

    #[tokio::test]
    async fn head_is_answered_without_content() {
        let page = Page::text("200 OK", "text\n".to_owned());
        let mut answer = Vec::new();
        write(&mut answer, &page, true).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.contains("\r\nContent-Length: 5\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
}
