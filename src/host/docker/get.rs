//! A question to an engine whose answer is read here. bollard reads into enumerations, and fails on a word that none of them
//! has: a container of Podman that was made and not started has the health `reset`, and one may be `initialized` or
//! `stopping` (`HealthCheckReset` and `ContainerStatus` in Podman's libpod/define).

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use bollard::auth::DockerCredentials;
use bollard::errors::Error;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::http::request::Builder;
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

/// Where a request has the login for a registry.
const LOGIN: &str = "X-Registry-Auth";

/// Asks the engine at `socket`, with a connection of its own as bollard does. Errors are what bollard makes of the same
/// answers.
pub(super) async fn get<T: DeserializeOwned>(socket: &Path, target: &str) -> Result<T, Error> {
    ask(socket, Request::get(target)).await
}

/// The same with a login for a registry. bollard writes it in the alphabet of base64 that the engine does not read
/// (`DecodeAuthConfig` in moby's registry types): one that has a `+` or a `/` would count as none.
pub(super) async fn get_with_login<T: DeserializeOwned>(
    socket: &Path,
    target: &str,
    login: Option<&DockerCredentials>,
) -> Result<T, Error> {
    let mut request = Request::get(target);
    if let Some(login) = login {
        request = request.header(LOGIN, encoded(login)?);
    }
    ask(socket, request).await
}

/// A login as the engine reads it, RFC 4648 section 5.
fn encoded(login: &DockerCredentials) -> Result<String, Error> {
    Ok(URL_SAFE.encode(serde_json::to_vec(login)?))
}

async fn ask<T: DeserializeOwned>(socket: &Path, request: Builder) -> Result<T, Error> {
    let stream = UnixStream::connect(socket).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = request
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

/// The name of an image in a path, whose slashes stay.
pub(super) fn image_path(name: &str) -> String {
    let parts: Vec<String> = name.split('/').map(escaped).collect();
    parts.join("/")
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
    use super::*;

    #[test]
    fn a_login_is_written_in_the_alphabet_that_the_engine_reads() {
        let login = DockerCredentials {
            username: Some("user".to_owned()),
            password: Some("secret~~~???".to_owned()),
            ..DockerCredentials::default()
        };
        let text = encoded(&login).unwrap();
        assert!(!text.contains(['+', '/']), "{text}");
        assert!(text.contains('-') && text.contains('_'), "{text}");
        let back: DockerCredentials =
            serde_json::from_slice(&URL_SAFE.decode(text).unwrap()).unwrap();
        assert_eq!(back, login);
    }

    #[test]
    fn an_image_keeps_its_slashes() {
        assert_eq!(
            image_path("r.example.com:5000/a/b:1"),
            "r.example.com%3A5000/a/b%3A1"
        );
    }

    #[test]
    fn a_name_stays_one_part_of_the_path() {
        assert_eq!(escaped("api-1_x.y"), "api-1_x.y");
        assert_eq!(escaped("a/b?c d"), "a%2Fb%3Fc%20d");
    }
}
