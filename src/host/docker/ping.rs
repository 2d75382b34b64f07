//! The first word with an engine: whether one answers, and what it speaks.

use std::io;
use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

const REQUEST: &[u8] = b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n";
const LONGEST: u64 = 16 * 1024;

/// The newest version of its API that the engine at `socket` speaks; `SystemPing` in
/// <https://docs.docker.com/reference/api/engine/>.
///
/// Not through bollard: its errors do not tell a missing socket, a forbidden one and one where
/// nobody listens apart, and it asks `/version`, for which the engine runs three programs.
pub(super) async fn version(socket: &Path) -> io::Result<(usize, usize)> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(REQUEST).await?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer).await?;
    let text = String::from_utf8_lossy(&answer);
    api_version(&text).ok_or_else(|| {
        let first = text.lines().next().unwrap_or("nothing").to_owned();
        io::Error::other(format!(
            "the answer is not that of a Docker engine: {first}"
        ))
    })
}

fn api_version(answer: &str) -> Option<(usize, usize)> {
    let value = answer.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("api-version").then_some(value)
    })?;
    let (major, minor) = value.trim().split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::api_version;

    #[test]
    fn version_of_a_ping() {
        let answer = "HTTP/1.0 200 OK\r\nApi-Version: 1.41\r\nOstype: linux\r\n\r\nOK";
        assert_eq!(api_version(answer), Some((1, 41)));
        assert_eq!(api_version("HTTP/1.1 404 Not Found\r\n\r\n"), None);
        assert_eq!(api_version(""), None);
    }
}
