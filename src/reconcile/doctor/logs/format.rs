//! Lines of nginx's logs: `log_format` of ngx_http_log_module, and what `ngx_log_error` writes.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use crate::source::nginx::router::{Piece, pieces};

/// The format that nginx knows by itself; <https://nginx.org/en/docs/http/ngx_http_log_module.html>.
const COMBINED: &str = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\"";

/// What a line says of a request, as far as it says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// When.
    pub time: Option<Timestamp>,
    /// The host that was asked for, without a port.
    pub host: Option<String>,
    /// Names of the server that took it.
    pub server: Option<String>,
    /// Whether it came by TLS.
    pub https: Option<bool>,
    /// Path and query as the client sent them.
    pub target: Option<String>,
    /// Where it was passed on to: `host:port` or `unix:path`, several if several were tried.
    pub upstreams: Vec<String>,
}

/// How the lines of an access log are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Format(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(String),
}

impl Format {
    /// The one that a log has without a word for it.
    pub(super) fn combined() -> Self {
        Self::of(&[COMBINED])
    }

    /// The one that the words of a `log_format` behind its name describe.
    pub(super) fn of(words: &[&str]) -> Self {
        let words = words.iter().filter(|word| !word.starts_with("escape="));
        let text: String = words.copied().collect();
        let parts = pieces(&text).into_iter();
        let parts = parts.map(|piece| match piece {
            Piece::Literal(text) => Part::Text(text.to_owned()),
            Piece::Variable(name) => Part::Value(name.to_owned()),
            Piece::Group(number) => Part::Value(number.to_string()),
        });
        Self(parts.collect())
    }

    /// Whether it says which host, which server or which upstream a request was for.
    pub(super) fn tells_servers_apart(&self) -> bool {
        let tells = |part: &Part| {
            let Part::Value(name) = part else {
                return false;
            };
            matches!(
                name.as_str(),
                "host" | "http_host" | "server_name" | "upstream_addr"
            )
        };
        self.0.iter().any(tells)
    }

    /// What a line says; `None` for one that is of another format.
    pub(super) fn read(&self, line: &str) -> Option<Said> {
        let mut said = Said::default();
        let mut rest = line;
        let mut parts = self.0.iter().peekable();
        while let Some(part) = parts.next() {
            let name = match part {
                Part::Text(text) => {
                    rest = rest.strip_prefix(text.as_str())?;
                    continue;
                }
                Part::Value(name) => name,
            };
            let value = match parts.peek() {
                Some(Part::Text(text)) => rest.get(..rest.find(text.as_str())?)?,
                // Where one ends and the other begins cannot be known.
                Some(Part::Value(_)) => return None,
                None => rest,
            };
            rest = rest.get(value.len()..)?;
            said.set(name, value);
        }
        Some(said)
    }
}

impl Said {
    fn set(&mut self, name: &str, value: &str) {
        if value.is_empty() || value == "-" {
            return;
        }
        match name {
            "time_local" => self.time = time_local(value),
            "time_iso8601" => self.time = value.parse().ok(),
            "msec" => self.time = msec(value),
            "host" | "http_host" => self.host = Some(without_port(value)),
            "server_name" => self.server = Some(value.to_owned()),
            "scheme" => self.https = Some(value == "https"),
            "https" => self.https = Some(value == "on"),
            "request" => self.target = self.target.take().or(target(value)),
            "request_uri" => self.target = Some(value.to_owned()),
            "uri" => self.target = self.target.take().or(Some(value.to_owned())),
            "upstream_addr" => {
                let tried = value.split([',', ' ']).filter(|one| !one.is_empty());
                let tried = tried.filter(|one| *one != ":");
                self.upstreams = tried.map(str::to_owned).collect();
            }
            _ => {}
        }
    }

    /// What a line of an error log says; `None` for one that begins without a time. Its time is the host's own.
    pub(super) fn of_error(line: &str, zone: &TimeZone) -> Option<Self> {
        let time = line.get(..19)?;
        let time = DateTime::strptime("%Y/%m/%d %H:%M:%S", time).ok()?;
        let time = zone.to_timestamp(time).ok()?;
        let field = |name: &str| {
            let (_, behind) = line.split_once(&format!(", {name}: "))?;
            match behind.strip_prefix('"') {
                Some(quoted) => quoted.split('"').next(),
                None => behind.split(',').next(),
            }
        };
        let upstream = field("upstream").map(|url| {
            let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
            match rest.strip_prefix("unix:") {
                Some(path) => format!("unix:{}", path.split(':').next().unwrap_or_default()),
                None => rest.split('/').next().unwrap_or_default().to_owned(),
            }
        });
        Some(Self {
            time: Some(time),
            host: field("host").map(without_port),
            server: field("server")
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
            https: None,
            target: field("request").and_then(target),
            upstreams: upstream.into_iter().collect(),
        })
    }

    /// Whether it speaks of a request.
    pub(super) fn is_of_request(&self) -> bool {
        self.target.is_some() || !self.upstreams.is_empty()
    }
}

/// `GET /path HTTP/1.1`.
fn target(request: &str) -> Option<String> {
    let mut words = request.split(' ');
    let target = words.nth(1)?;
    // A proxy is asked with a whole URL.
    let path = match target.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => target,
    };
    path.starts_with('/').then(|| path.to_owned())
}

fn without_port(host: &str) -> String {
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let name = match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) => name,
        _ => host,
    };
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// `30/Nov/2026:06:55:23 +0000`.
fn time_local(text: &str) -> Option<Timestamp> {
    let time = strtime::parse("%d/%b/%Y:%H:%M:%S %z", text).ok()?;
    time.to_timestamp().ok()
}

/// Seconds with three decimals.
fn msec(text: &str) -> Option<Timestamp> {
    let (seconds, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let milliseconds: i64 = format!("{decimals:0<3}").get(..3)?.parse().ok()?;
    let seconds: i64 = seconds.parse().ok()?;
    Timestamp::from_millisecond(seconds.checked_mul(1000)?.checked_add(milliseconds)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combined_lines_say_when_and_what() {
        let line = "192.0.2.1 - - [30/Nov/2026:06:55:23 +0900] \"GET /a/b?x=1 HTTP/1.1\" 502 157 \"-\" \"curl\"";
        let said = Format::combined().read(line).unwrap();
        assert_eq!(said.time.unwrap().to_string(), "2026-11-29T21:55:23Z");
        assert_eq!(said.target.as_deref(), Some("/a/b?x=1"));
        assert_eq!(said.host, None);
        assert_eq!(Format::combined().read("something else"), None);
        let bad = "192.0.2.1 - - [30/Nov/2026:06:55:23 +0900] \"\\x16\\x03\" 400 157 \"-\" \"-\"";
        assert_eq!(Format::combined().read(bad).unwrap().target, None);
    }

    #[test]
    fn formats_of_ones_own() {
        let json = Format::of(&[
            "escape=json",
            "{\"t\":\"$time_iso8601\",\"h\":\"${host}\",",
            "\"u\":\"$request_uri\",\"s\":\"$scheme\",\"to\":\"$upstream_addr\"}",
        ]);
        assert!(json.tells_servers_apart());
        assert!(!Format::combined().tells_servers_apart());
        let line = "{\"t\":\"2026-11-30T06:55:23+00:00\",\"h\":\"A.example.com\",\"u\":\"/x\",\"s\":\"https\",\"to\":\"127.0.0.1:8001, 127.0.0.1:8002\"}";
        let said = json.read(line).unwrap();
        assert_eq!(said.host.as_deref(), Some("a.example.com"));
        assert_eq!(said.https, Some(true));
        assert_eq!(said.upstreams, ["127.0.0.1:8001", "127.0.0.1:8002"]);
        let seconds = Format::of(&["$msec $request_uri"]);
        let said = seconds.read("1700000000.25 /y").unwrap();
        assert_eq!(said.time.unwrap().to_string(), "2023-11-14T22:13:20.25Z");
        // Where one value ends and the next begins is not known.
        assert_eq!(Format::of(&["$status$uri"]).read("200/x"), None);
    }

    #[test]
    fn errors_say_the_upstream_or_the_request() {
        let line = "2026/11/30 06:55:23 [error] 12#12: *3 connect() failed (111: Connection refused) while connecting to upstream, client: 192.0.2.1, server: a.example.com, request: \"GET /x HTTP/1.1\", upstream: \"http://127.0.0.1:8010/x\", host: \"a.example.com:8080\"";
        let said = Said::of_error(line, &TimeZone::UTC).unwrap();
        assert_eq!(said.time.unwrap().to_string(), "2026-11-30T06:55:23Z");
        assert_eq!(said.upstreams, ["127.0.0.1:8010"]);
        assert_eq!(said.host.as_deref(), Some("a.example.com"));
        assert_eq!(said.server.as_deref(), Some("a.example.com"));
        assert_eq!(said.target.as_deref(), Some("/x"));
        let socket =
            "2026/11/30 06:55:23 [error] 1#1: *1 no, upstream: \"http://unix:/run/a.sock:/x\"";
        let said = Said::of_error(socket, &TimeZone::UTC).unwrap();
        assert_eq!(said.upstreams, ["unix:/run/a.sock"]);
        let other = "2026/11/30 06:55:23 [notice] 1#1: signal process started";
        assert!(
            !Said::of_error(other, &TimeZone::UTC)
                .unwrap()
                .is_of_request()
        );
        assert_eq!(Said::of_error("no time", &TimeZone::UTC), None);
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(line in "\\PC{0,80}") {
            let _ = Format::combined().read(&line);
            let _ = Said::of_error(&line, &TimeZone::UTC);
        }
    }
}
