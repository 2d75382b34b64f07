//! One GET over HTTP/1.1, of which only the status counts.

use std::error::Error;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::ProbeError;
use crate::model::Url;

/// A longer first line is a page, not a reason.
const LONGEST: usize = 100;
pub(super) const AGENT: &str = concat!("watchme-apply/", env!("CARGO_PKG_VERSION"));

/// Asks for `url` over `stream` and compares the status. A redirect is an answer like any other.
pub(super) async fn get<S>(stream: S, url: &Url, expected: u16) -> Result<(), ProbeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = Request::get(url.target())
        .header(header::HOST, url.authority())
        .header(header::USER_AGENT, AGENT)
        .header(header::ACCEPT, "*/*")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| ProbeError::Http(error.to_string()))?;
    exchange(stream, request, async |response| {
        compare(response, expected).await
    })
    .await
}

/// Sends a request over `stream`, and reads the answer.
pub(super) async fn exchange<S, B, T>(
    stream: S,
    request: Request<B>,
    read: impl AsyncFnOnce(Response<Incoming>) -> Result<T, ProbeError>,
) -> Result<T, ProbeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + 'static,
{
    let failed = |error: hyper::Error| ProbeError::Http(super::chain(&error));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(failed)?;
    let asking = async move {
        let response = sender.send_request(request).await.map_err(failed)?;
        read(response).await
    };
    tokio::pin!(connection, asking);
    // The connection moves the bytes of both directions; it may end before its last ones are read.
    tokio::select! {
        biased;
        answer = &mut asking => return answer,
        _ = &mut connection => {}
    }
    asking.await
}

async fn compare(response: Response<Incoming>, expected: u16) -> Result<(), ProbeError> {
    let got = response.status().as_u16();
    if got == expected {
        return Ok(());
    }
    let said = first_line(response.into_body()).await;
    Err(ProbeError::Status {
        expected,
        got,
        said,
    })
}

/// The first line of a body, as far as it comes in one piece, is short, and can be shown.
pub(super) async fn first_line(mut body: Incoming) -> Option<String> {
    let bytes = body.frame().await?.ok()?.into_data().ok()?;
    reason(&bytes)
}

fn reason(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let line = text.lines().next()?.trim();
    let fits = !line.is_empty() && line.len() <= LONGEST && !line.starts_with('<');
    let shown = fits && !line.chars().any(char::is_control);
    shown.then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    /// What `get` sent, and what it made of `answer`.
    async fn exchange(url: &str, answer: &str) -> (String, Result<(), String>) {
        let (near, mut far) = duplex(4096);
        let url: Url = url.parse().unwrap();
        let server = async {
            let mut request = vec![0; 4096];
            let length = far.read(&mut request).await.unwrap();
            far.write_all(answer.as_bytes()).await.unwrap();
            drop(far);
            String::from_utf8_lossy(&request[..length]).into_owned()
        };
        let (got, sent) = tokio::join!(get(near, &url, 200), server);
        (sent, got.map_err(|error| error.to_string()))
    }

    #[tokio::test]
    async fn asks_as_somebody_outside_would() {
        let (sent, got) = exchange(
            "http://api.example.org:8015/a?b=c",
            "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nmore to come",
        )
        .await;
        assert_eq!(got, Ok(()));
        let lines: Vec<&str> = sent.lines().collect();
        assert_eq!(lines[0], "GET /a?b=c HTTP/1.1");
        assert!(lines.contains(&"host: api.example.org:8015"), "{sent}");
    }

    #[tokio::test]
    async fn another_status_is_said_with_a_short_reason() {
        for (answer, expected) in [
            (
                "HTTP/1.1 500 Oh\r\nContent-Length: 12\r\n\r\nno database\n",
                "expected 200, got 500 (no database)",
            ),
            (
                "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n",
                "expected 200, got 302",
            ),
            (
                "HTTP/1.1 502 Bad\r\nContent-Length: 6\r\n\r\n<html>",
                "expected 200, got 502",
            ),
            ("HTTP/1.1 404 No\r\n\r\n\u{1b}[2J", "expected 200, got 404"),
        ] {
            let (_, got) = exchange("http://localhost/", answer).await;
            assert_eq!(got, Err(expected.to_owned()), "{answer}");
        }
    }

    #[tokio::test]
    async fn what_is_no_http_is_said() {
        for answer in ["SSH-2.0-OpenSSH_9.2\r\n", ""] {
            let (_, got) = exchange("http://localhost/", answer).await;
            let error = got.unwrap_err();
            assert!(error.starts_with("no HTTP answer: "), "{error}");
        }
    }

    #[test]
    fn only_what_is_short_and_printable_is_a_reason() {
        assert_eq!(reason(b"a\nb").as_deref(), Some("a"));
        for wrong in [&b""[..], b"\xff", b"\x1b[2J", b"<html>", &[b'a'; 101]] {
            assert_eq!(reason(wrong), None);
        }
    }
}
