//! A question to an engine whose answer is read here. bollard reads into enumerations, and fails on a word that none of them
//! has: a container of Podman that was made and not started has the health `reset`, and one may be `initialized` or
//! `stopping` (`HealthCheckReset` and `ContainerStatus` in Podman's libpod/define).

use std::path::Path;

use bollard::errors::Error;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

/// What an engine says where it refuses; `ErrorResponse` in <https://docs.docker.com/reference/api/engine/>.
#[derive(Deserialize)]
struct Refusal {
    message: String,
}

/// Asks the engine at `socket`, with a connection of its own as bollard does. Errors are what bollard makes of the same
/// answers.
pub(super) async fn get<T: DeserializeOwned>(socket: &Path, target: &str) -> Result<T, Error> {
    let stream = UnixStream::connect(socket).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(target)
        .header(header::HOST, "localhost")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())?;
    let asking = async move {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Ok((status, body))
    };
    tokio::pin!(connection, asking);
    // The connection moves the bytes of both directions; it may end before its last ones are read.
    let answer: Result<_, Error> = tokio::select! {
        biased;
        answer = &mut asking => answer,
        _ = &mut connection => asking.await,
    };
    let (status, body) = answer?;
    if status == StatusCode::OK {
        return Ok(serde_json::from_slice(&body)?);
    }
    let said = serde_json::from_slice(&body).map(|refusal: Refusal| refusal.message);
    Err(Error::DockerResponseServerError {
        status_code: status.as_u16(),
        message: said.unwrap_or_else(|_| String::from_utf8_lossy(&body).into_owned()),
    })
}

/// A name as a part of a path, RFC 3986 section 2.3.
pub(super) fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(byte));
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_name_stays_one_part_of_the_path() {
        assert_eq!(escaped("api-1_x.y"), "api-1_x.y");
        assert_eq!(escaped("a/b?c d"), "a%2Fb%3Fc%20d");
    }
}
