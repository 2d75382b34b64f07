//! The first word with an engine: whether one answers, and what it speaks.

use std::io;
use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::model::Engine;

const REQUEST: &[u8] = b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n";
const LONGEST: u64 = 16 * 1024;

/// What an engine says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Greeting {
    /// The newest version of its API.
    pub version: (usize, usize),
    pub kind: Engine,
}

/// What the engine at `socket` speaks; `SystemPing` in <https://docs.docker.com/reference/api/engine/>.
///
/// Not through bollard: its errors do not tell a missing socket, a forbidden one and one where
/// nothing listens apart, and it asks `/version`, for which the engine runs three programs.
pub(super) async fn greet(socket: &Path) -> io::Result<Greeting> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(REQUEST).await?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer).await?;
    let text = String::from_utf8_lossy(&answer);
    greeting(&text).ok_or_else(|| {
        let first = text.lines().next().unwrap_or("nothing").to_owned();
        io::Error::other(format!(
            "the answer is not that of a Docker engine: {first}"
        ))
    })
}

fn greeting(answer: &str) -> Option<Greeting> {
    let header = |wanted: &str| {
        answer.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then_some(value)
        })
    };
    let (major, minor) = header("api-version")?.trim().split_once('.')?;
    // podman-system-service(1) answers with the version of its own API, too.
    let kind = match header("libpod-api-version") {
        Some(_) => Engine::Podman,
        None => Engine::Docker,
    };
    Some(Greeting {
        version: (major.parse().ok()?, minor.parse().ok()?),
        kind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_ping_says() {
        let docker = "HTTP/1.0 200 OK\r\nApi-Version: 1.41\r\nOstype: linux\r\n\r\nOK";
        let podman = "HTTP/1.0 200 OK\r\nApi-Version: 1.41\r\nLibpod-Api-Version: 5.4.2\r\n\r\nOK";
        for (answer, kind) in [(docker, Engine::Docker), (podman, Engine::Podman)] {
            let version = (1, 41);
            assert_eq!(greeting(answer), Some(Greeting { version, kind }));
        }
        assert_eq!(greeting("HTTP/1.1 404 Not Found\r\n\r\n"), None);
        assert_eq!(greeting(""), None);
    }
}
