//! Ports that a unit's own command names: an option such as `--port 8050`, `docker run --publish`, or `PORT=`
//! in its environment. What a program does with them is its own affair, so they are likely, not certain.

use std::net::IpAddr;

use crate::source::compose::Published;
use crate::source::unit::exec::{self, base};
use crate::source::unit::{Name, Settings, listen};

/// A port that a command names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The port.
    pub port: u16,
    /// The address of the host; `None` for all of them, or where nothing says it.
    pub address: Option<IpAddr>,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: &'static str,
}

/// Variables by which programs are told where to listen.
const VARIABLES: [&str; 14] = [
    "PORT",
    "APP_PORT",
    "API_PORT",
    "HTTP_PORT",
    "HTTPS_PORT",
    "LISTEN_PORT",
    "METRICS_PORT",
    "SERVER_PORT",
    "WEB_PORT",
    "ADDR",
    "BIND",
    "BIND_ADDRESS",
    "LISTEN",
    "LISTEN_ADDRESS",
];
/// Words in the names of options that say where to listen.
const OPTIONS: [&str; 3] = ["port", "listen", "bind"];
/// Words in the names of options about somebody else's port.
const OF_OTHERS: [&str; 6] = ["remote", "upstream", "target", "peer", "proxy", "support"];
/// Options of `docker run` that publish a port.
const PUBLISH: [&str; 2] = ["-p", "--publish"];

/// The ports that a service names where it starts.
pub fn ports(name: &Name, settings: &Settings) -> Vec<Named> {
    let mut found = Vec::new();
    let commands = |section: &str, key: &str| -> Vec<Vec<String>> {
        let values = settings.list(section, key).into_iter();
        let expanded = values.filter_map(|value| name.expand(&value.text));
        let commands = expanded.filter_map(|text| exec::commands(&text).ok());
        commands.flatten().collect()
    };
    for word in commands("Service", "Environment").iter().flatten() {
        if let Some((variable, value)) = word.split_once('=')
            && VARIABLES.contains(&variable)
        {
            found.extend(bound(value));
        }
    }
    for command in commands("Service", "ExecStart") {
        for command in exec::runs(&command) {
            if let Some((program, arguments)) = command.split_first() {
                of_command(base(program), arguments, &mut found);
            }
        }
    }
    found
}

fn of_command(program: &str, arguments: &[String], found: &mut Vec<Named>) {
    let is_docker = matches!(program, "docker" | "podman");
    let mut words = arguments.iter().map(String::as_str).peekable();
    while let Some(word) = words.next() {
        let (option, value) = match word.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (word, words.peek().copied()),
        };
        let Some(value) = value else {
            break;
        };
        if is_docker {
            if PUBLISH.contains(&option) {
                found.extend(published(value));
            }
        } else if is_listening(option) {
            found.extend(bound(value));
        } else if word == "http.server" {
            // Python's: the port stands behind the options.
            found.extend(arguments.last().and_then(|last| bound(last)));
        }
    }
}

/// Whether an option such as `--port`, `-p` or `--web.listen-address` says where its program listens.
fn is_listening(option: &str) -> bool {
    let name = option.trim_start_matches('-').to_ascii_lowercase();
    let long = option.starts_with("--") || name.contains("port") && option.starts_with('-');
    match long {
        true => {
            OPTIONS.iter().any(|word| name.contains(word))
                && !OF_OTHERS.iter().any(|word| name.contains(word))
        }
        false => matches!(option, "-p" | "-b" | "-l"),
    }
}

/// `8050`, `:8050`, `localhost:8050`, or an address with a port.
fn bound(value: &str) -> Option<Named> {
    let value = value.trim_matches(['"', '\'']);
    let (address, port) = match value.strip_prefix(':') {
        Some(port) => (None, port.parse().ok()?),
        None => listen::bound(&value.replacen("localhost:", "127.0.0.1:", 1))?,
    };
    (port > 0).then_some(Named {
        port,
        address,
        protocol: "tcp",
    })
}

fn published(value: &str) -> Vec<Named> {
    let Some(published) = Published::read(value) else {
        return Vec::new();
    };
    let protocol = match published.protocol.as_str() {
        "udp" => "udp",
        "sctp" => "sctp",
        _ => "tcp",
    };
    let ports = published.host.into_iter().flatten();
    ports
        .map(|port| Named {
            port,
            address: published.address,
            protocol,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::source::unit::parse;
    use crate::source::unit::settings::Source;

    fn of(text: &str) -> Vec<String> {
        let text = format!("[Service]\n{text}\n");
        let settings = Settings::new(vec![Arc::new(Source {
            path: PathBuf::from("u.service"),
            parsed: parse(&text),
            text,
        })]);
        let name = Name::parse("u@8059.service").unwrap();
        ports(&name, &settings)
            .iter()
            .map(|named| match named.address {
                Some(address) => format!("{address} {}/{}", named.port, named.protocol),
                None => format!("{}/{}", named.port, named.protocol),
            })
            .collect()
    }

    #[test]
    fn where_a_program_is_told_to_listen() {
        for (text, expected) in [
            ("ExecStart=/usr/bin/python3 -m http.server 8050", "8050/tcp"),
            (
                "ExecStart=/usr/bin/python3 -m http.server --bind 127.0.0.1 8050",
                "8050/tcp",
            ),
            (
                "ExecStart=/usr/bin/uvicorn app:app --host 0.0.0.0 --port 8050",
                "8050/tcp",
            ),
            (
                "ExecStart=/usr/bin/gunicorn -b 127.0.0.1:8050 app",
                "127.0.0.1 8050/tcp",
            ),
            (
                "ExecStart=/usr/bin/node_exporter --web.listen-address=:9100",
                "9100/tcp",
            ),
            (
                "ExecStart=/usr/bin/x --bind=localhost:8050",
                "127.0.0.1 8050/tcp",
            ),
            ("ExecStart=/usr/bin/x --listen [::1]:%i", "::1 8059/tcp"),
            (
                "ExecStart=/bin/sh -c 'exec /usr/bin/x --port 8050 | logger'",
                "8050/tcp",
            ),
            (
                "ExecStart=/usr/bin/docker run --rm -p 127.0.0.1:8050:80 --publish=53:53/udp -e PORT=1 x",
                "127.0.0.1 8050/tcp 53/udp",
            ),
            (
                "Environment=PORT=8050 DB_PORT=5432\nExecStart=/usr/bin/x",
                "8050/tcp",
            ),
            // Neither listens there.
            (
                "ExecStart=/usr/bin/x --upstream-port 8001 --db http://localhost:8002 --remote-port=8003",
                "",
            ),
            (
                "ExecStart=/usr/bin/x 8050\nExecStop=/usr/bin/x --port 8051",
                "",
            ),
            ("ExecStart=/usr/bin/x --port", ""),
            ("ExecStart=/usr/bin/x --port 0", ""),
        ] {
            assert_eq!(of(text).join(" "), expected, "{text}");
        }
    }
}
