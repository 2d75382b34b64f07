//! Where a location passes a request on, and what URL arrives there.

use std::fmt;
use std::net::IpAddr;

use source_text::word_list;

use super::Router;
use super::config::Config;
use super::run::Run;
use super::uri::{Escape, escape};
use super::values::varies;
use super::way::Stop;
use crate::files::Located;

/// Directives that pass requests on. A path that only lacks the last slash of their location is redirected.
pub(crate) const PASSES: [&str; 6] =
    word_list("proxy_pass fastcgi_pass uwsgi_pass scgi_pass grpc_pass memcached_pass");

/// Where `proxy_pass` leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Whether it is asked by https.
    pub https: bool,
    /// Host and port, or the name of an `upstream`, as written.
    pub authority: String,
    /// Path and query that it receives.
    pub uri: String,
    /// The servers behind: several for an `upstream` block.
    pub targets: Vec<Target>,
}

/// A server behind a `proxy_pass`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Its name or address; a path for a socket in the file system.
    pub host: String,
    /// Its port; `None` for a socket in the file system.
    pub port: Option<u16>,
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.uri)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => write!(f, "unix:{}", self.host),
        }
    }
}

impl Target {
    fn is_looked_up(&self) -> bool {
        let address = self.host.trim_matches(['[', ']']).parse::<IpAddr>();
        self.port.is_some() && address.is_err()
    }

    /// The port, if it is one of this host.
    pub fn local_port(&self) -> Option<u16> {
        let host = self.host.trim_matches(['[', ']']);
        let loopback = host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback());
        self.port
            .filter(|_| loopback || host.eq_ignore_ascii_case("localhost"))
    }
}

/// A URL of `proxy_pass` in its parts.
struct Written<'u> {
    https: bool,
    authority: &'u str,
    /// The URI part; empty where there is none.
    uri: &'u str,
}

fn written(url: &str) -> Option<Written<'_>> {
    let scheme = |name: &str| {
        let head = url.get(..name.len())?;
        head.eq_ignore_ascii_case(name)
            .then(|| url.get(name.len()..))?
    };
    let (https, rest) = match scheme("https://") {
        Some(rest) => (true, rest),
        None => (false, scheme("http://")?),
    };
    if let Some(socket) = rest.strip_prefix("unix:") {
        let end = socket.find(':').unwrap_or(socket.len());
        let uri = socket.get(end + 1..).unwrap_or_default();
        return Some(Written {
            https,
            authority: rest.get(..end + 5)?,
            uri,
        });
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, uri) = (rest.get(..end)?, rest.get(end..)?);
    (!authority.is_empty()).then_some(Written {
        https,
        authority,
        uri,
    })
}

/// The path and query of a URL of `proxy_pass`; empty where it has none, `None` where it is no such URL.
pub fn uri_part(url: &str) -> Option<&str> {
    written(url).map(|to| to.uri)
}

impl<'a> Run<'_, 'a> {
    /// What `proxy_pass` does, `ngx_http_proxy_create_request` in src/http/modules/ngx_http_proxy_module.c.
    /// `location` is the path of the location, which the URI part replaces.
    /// `None`: the variables make no URL, for which nginx answers 500.
    pub(super) fn proxy(
        &mut self,
        pass: Located<'a>,
        location: Option<&'a str>,
    ) -> Result<Option<Upstream>, Stop> {
        let text = pass.word(0);
        let varies = varies(text);
        let url = match varies {
            true => String::from_utf8_lossy(&self.value(text)?).into_owned(),
            false => text.to_owned(),
        };
        let unclear = || Stop::Unknown(format!("what {} means", pass.text()));
        let to = written(&url);
        let group = to.as_ref().and_then(|to| {
            self.config
                .upstreams
                .get(&to.authority.to_ascii_lowercase())
        });
        // Each server is cloned, and looked up by those who ask.
        let servers = group.map_or(1, Vec::len);
        self.work.spend(servers.saturating_mul(8))?;
        let parts = to.and_then(|to| Some((self.config.targets(to.https, to.authority)?, to)));
        let (targets, to) = match parts {
            Some(parts) => parts,
            None if varies => return Ok(None),
            None => return Err(unclear()),
        };
        if !varies && (to.uri.starts_with('?') || (!to.uri.is_empty() && location.is_none())) {
            return Err(unclear());
        }
        if let [target] = targets.as_slice()
            && varies
            && target.is_looked_up()
        {
            self.note(format!(
                "{} is looked up by a resolver for each request, since proxy_pass has a variable",
                target.host
            ));
        }
        let uri = match (to.uri.is_empty(), varies) {
            (true, _) if self.valid_unparsed => self.unparsed.clone(),
            (false, true) if to.uri.starts_with('?') => [b"/", to.uri.as_bytes()].concat(),
            (false, true) => to.uri.as_bytes().to_vec(),
            _ => self.replaced(to.uri, location),
        };
        if uri.is_empty() {
            return Err(unclear());
        }
        Ok(Some(Upstream {
            https: to.https,
            authority: to.authority.to_owned(),
            uri: String::from_utf8_lossy(&uri).into_owned(),
            targets,
        }))
    }

    fn replaced(&self, uri: &str, location: Option<&str>) -> Vec<u8> {
        let (prefix, taken) = match self.valid_location && !uri.is_empty() {
            true => (uri, location.map_or(0, str::len)),
            false => ("", 0),
        };
        let rest = self.uri.get(taken..).unwrap_or_default();
        let mut out = prefix.as_bytes().to_vec();
        match self.quoted || self.internal {
            true => out.extend(escape(rest, Escape::Uri)),
            false => out.extend_from_slice(rest),
        }
        if !self.args.is_empty() {
            out.push(b'?');
            out.extend_from_slice(&self.args);
        }
        out
    }
}

impl Config<'_> {
    /// The servers that a pass may ask. `None` where a port is no number.
    fn targets(&self, https: bool, authority: &str) -> Option<Vec<Target>> {
        let usual = if https { 443 } else { 80 };
        let Some(group) = self.upstreams.get(&authority.to_ascii_lowercase()) else {
            return Some(vec![target(authority, usual)?]);
        };
        let servers = group.iter().filter(|place| place.name() == "server");
        let up = servers.filter(|place| !place.words().any(|word| word == "down"));
        up.map(|place| target(place.word(0), 80)).collect()
    }
}

impl Router<'_> {
    /// The servers that a pass without variables may ask: `http://app/` of a `proxy_pass`, `127.0.0.1:9000` of a
    /// `fastcgi_pass`, `grpcs://app`. None where it cannot be read.
    pub fn targets(&self, pass: &str) -> Vec<Target> {
        let (https, authority) = match (written(pass), pass.split_once("://")) {
            (Some(to), _) => (to.https, to.authority),
            (None, Some((scheme, rest))) if rest.starts_with("unix:") => {
                (scheme.ends_with('s'), rest)
            }
            (None, Some((scheme, rest))) => {
                let authority = rest.split('/').next().unwrap_or_default();
                (scheme.ends_with('s'), authority)
            }
            (None, None) => (false, pass),
        };
        self.config.targets(https, authority).unwrap_or_default()
    }
}

fn target(authority: &str, usual: u16) -> Option<Target> {
    if let Some(path) = authority.strip_prefix("unix:") {
        return Some(Target {
            host: path.to_owned(),
            port: None,
        });
    }
    // A name and password before it are no part of where it leads.
    let authority = authority.rsplit_once('@').map_or(authority, |(_, at)| at);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (authority, usual),
    };
    (!host.is_empty()).then(|| Target {
        host: host.to_owned(),
        port: Some(port),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_in_parts() {
        let parts =
            |url| written(url).map(|to| format!("{} {} {}", to.https, to.authority, to.uri));
        for (url, expected) in [
            ("http://localhost:8001", Some("false localhost:8001 ")),
            ("HTTPS://a/b?c", Some("true a /b?c")),
            ("http://a?b/c", Some("false a ?b/c")),
            (
                "http://unix:/run/x.sock:/b/",
                Some("false unix:/run/x.sock /b/"),
            ),
            ("http://[::1]:80/", Some("false [::1]:80 /")),
            ("http:///x", None),
            ("localhost", None),
        ] {
            assert_eq!(parts(url).as_deref(), expected, "{url}");
        }
        let port = |authority| target(authority, 80).and_then(|target| target.local_port());
        assert_eq!(port("127.0.0.1:8001"), Some(8001));
        assert_eq!(port("[::1]"), Some(80));
        assert_eq!(port("192.0.2.1:80"), None);
        assert_eq!(port("unix:/x"), None);
        assert_eq!(port("u:pa55word@localhost:8015"), Some(8015));
    }
}
