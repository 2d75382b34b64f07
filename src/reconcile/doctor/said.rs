//! What lines of logs say, as far as programs are known to say it in these words.

/// What a line tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A registry refuses to hand out an image.
    Login {
        /// The registry, where the line names it.
        registry: Option<String>,
    },
    /// There is no room.
    NoSpace,
    /// A network is not there.
    NoNetwork(Option<String>),
    /// A name does not resolve.
    NoName(String),
    /// A port is taken.
    PortTaken(Option<u16>),
}

/// What registries, Docker and compose say where a login is missing or over.
const LOGIN: [&str; 7] = [
    "pull access denied",
    "authorization token has expired",
    "no basic auth credentials",
    "authentication required",
    "unauthorized:",
    "denied: requested access to the resource is denied",
    "may require 'docker login'",
];
/// What compose and the engine say where a network is missing.
const NETWORK: [&str; 3] = [
    "declared as external, but could not be found",
    "could not be found. please create the network manually",
    "network not found",
];
/// What resolvers, and the programs that use them, say before or behind a name.
const NAME_BEFORE: [&str; 6] = [
    "getaddrinfo ENOTFOUND ",
    "getaddrinfo EAI_AGAIN ",
    "could not translate host name ",
    "bad address ",
    "Could not resolve host: ",
    "host not found in upstream ",
];
const NAME_AFTER: [&str; 2] = [": no such host", ": server misbehaving"];

/// What a line says, if it is one of these.
pub(super) fn said(line: &str) -> Option<Said> {
    let lower = line.to_lowercase();
    if lower.contains("no space left on device") {
        return Some(Said::NoSpace);
    }
    if LOGIN.iter().any(|words| lower.contains(words)) {
        let registry = registry(line);
        return Some(Said::Login { registry });
    }
    let is_network = NETWORK.iter().any(|words| lower.contains(words))
        || (lower.contains("network ") && lower.contains(" not found"));
    if is_network {
        return Some(Said::NoNetwork(network(line)));
    }
    if let Some(name) = name(line) {
        return Some(Said::NoName(name));
    }
    let is_taken = lower.contains("address already in use")
        || lower.contains("port is already allocated")
        || lower.contains("ports are not available");
    is_taken.then(|| Said::PortTaken(port(line)))
}

/// The host of an image that a line names: what is before the first slash, if it can be one.
fn registry(line: &str) -> Option<String> {
    let words = line.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ','));
    let hosts = words.filter_map(|word| {
        let bare = word
            .strip_prefix("https://")
            .or_else(|| word.strip_prefix("http://"));
        let word = bare.unwrap_or(word);
        let (host, rest) = word.split_once('/')?;
        let is_host = host.contains('.') || host.contains(':') || host == "localhost";
        let plain = host
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':'));
        (is_host && plain && !host.is_empty() && !rest.is_empty()).then(|| host.to_owned())
    });
    let mut hosts = hosts;
    hosts.find(|host| !host.starts_with('.') && !host.ends_with(':'))
}

/// The word behind `network` or `Network`, without quotes.
fn network(line: &str) -> Option<String> {
    let mut words = line.split_whitespace().skip_while(|word| {
        let word = word.trim_end_matches(':').to_lowercase();
        word != "network"
    });
    words.next()?;
    let name = plain(words.next()?)?;
    (!matches!(name.as_str(), "not" | "declared" | "with")).then_some(name)
}

fn name(line: &str) -> Option<String> {
    for before in NAME_BEFORE {
        if let Some((_, behind)) = line.split_once(before) {
            let word = behind.split_whitespace().next()?;
            return host(word);
        }
    }
    for after in NAME_AFTER {
        if let Some((before, _)) = line.split_once(after) {
            // Go: `lookup db on 127.0.0.11:53: no such host`.
            let (_, behind) = before.rsplit_once("lookup ")?;
            return host(behind.split_whitespace().next()?);
        }
    }
    None
}

/// A name without quotes and port; `None` for an address.
fn host(word: &str) -> Option<String> {
    let word = plain(word)?;
    let name = word.split(':').next().unwrap_or_default();
    let is_name = name.chars().any(|c| c.is_ascii_alphabetic());
    (is_name && !name.is_empty()).then(|| name.to_owned())
}

fn plain(word: &str) -> Option<String> {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    (!word.is_empty() && word.chars().all(is_plain)).then(|| word.to_owned())
}

/// The last number behind a colon.
fn port(line: &str) -> Option<u16> {
    let parts = line.split(':').skip(1);
    let numbers = parts.filter_map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok().filter(|port| *port > 0)
    });
    numbers.last()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_programs() {
        let login = |registry: &str| Said::Login {
            registry: Some(registry.to_owned()),
        };
        for (line, expected) in [
            (
                "failed to register layer: write /usr/lib/libLLVM.so: no space left on device",
                Some(Said::NoSpace),
            ),
            (
                "Error response from daemon: pull access denied for registry.example.com/app, repository does not exist or may require 'docker login': denied: Your authorization token has expired",
                Some(login("registry.example.com")),
            ),
            (
                "ERROR: Head \"https://registry.example.com:5000/v2/app/manifests/1\": no basic auth credentials",
                Some(login("registry.example.com:5000")),
            ),
            (
                "Network app-net declared as external, but could not be found. Please create the network manually using `docker network create app-net` and try again.",
                Some(Said::NoNetwork(Some("app-net".into()))),
            ),
            (
                "Error response from daemon: network app-net not found",
                Some(Said::NoNetwork(Some("app-net".into()))),
            ),
            (
                "Error: getaddrinfo ENOTFOUND db",
                Some(Said::NoName("db".into())),
            ),
            (
                "psycopg2.OperationalError: could not translate host name \"db\" to address: Name or service not known",
                Some(Said::NoName("db".into())),
            ),
            (
                "dial tcp: lookup db on 127.0.0.11:53: no such host",
                Some(Said::NoName("db".into())),
            ),
            (
                "wget: bad address 'db:5432'",
                Some(Said::NoName("db".into())),
            ),
            (
                "Bind for 127.0.0.1:8010 failed: port is already allocated",
                Some(Said::PortTaken(Some(8010))),
            ),
            ("connected to db", None),
            ("", None),
        ] {
            assert_eq!(said(line), expected, "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(line in "\\PC{0,80}") {
            let _ = said(&line);
        }
    }
}
