//! Ports that a unit's own command names: an option such as `--port 8050`, `docker run --publish`, or `PORT=`
//! in its environment. What a program does with them is its own affair, so they are likely, not certain.

use std::net::IpAddr;

use source_text::word_list;

use crate::source::compose::Published;
use crate::source::unit::docker_call::RunCall;
use crate::source::unit::exec::{self, base};
use crate::source::unit::listen::{self, Socket};
use crate::source::unit::settings::Value;
use crate::source::unit::{Name, Settings};

/// A port with the address that is said with it, and its protocol.
type Said = (u16, Option<IpAddr>, &'static str);

/// Variables by which programs are told where to listen.
const VARIABLES: [&str; 14] = word_list(
    "PORT APP_PORT API_PORT HTTP_PORT HTTPS_PORT LISTEN_PORT METRICS_PORT SERVER_PORT WEB_PORT ADDR \
    BIND BIND_ADDRESS LISTEN LISTEN_ADDRESS",
);
/// Words in the names of options that say where to listen.
const OPTIONS: [&str; 4] = ["port", "listen", "bind", "addr"];
/// Words in the names of options about somebody else's port.
const OF_OTHERS: [&str; 7] = [
    "remote", "upstream", "target", "peer", "proxy", "support", "server",
];
/// Programs whose options are about a port of somebody else.
const CLIENTS: [&str; 20] = word_list(
    "curl wget ssh autossh scp sftp rsync nc ncat telnet psql pg_dump pg_isready mysql mysqldump \
    mysqladmin mariadb redis-cli mongosh mongodump",
);
/// Servers with short options for where they listen.
const SHORT: [(&str, &str); 8] = [
    ("httpd", "-p"),
    ("busybox", "-p"),
    ("memcached", "-p"),
    ("http-server", "-p"),
    ("serve", "-p"),
    ("gunicorn", "-b"),
    ("hypercorn", "-b"),
    ("serve", "-l"),
];
/// Words behind which a program takes the place where it listens without an option.
const BARE: [&str; 2] = ["http.server", "runserver"];
/// The ports that a service names where it starts.
pub(crate) fn ports(name: &Name, settings: &Settings) -> Vec<Socket> {
    let mut found = Vec::new();
    for value in settings.list("Service", "Environment") {
        for word in commands(name, &value).into_iter().flatten() {
            if let Some((variable, said)) = word.split_once('=')
                && VARIABLES.contains(&variable)
            {
                add(&value, bound(said), &mut found);
            }
        }
    }
    for value in settings.list("Service", "ExecStart") {
        for command in commands(name, &value) {
            for command in exec::runs(&command) {
                if let Some((program, arguments)) = command.split_first() {
                    add(&value, of_command(base(program), arguments), &mut found);
                }
            }
        }
    }
    found
}

fn commands(name: &Name, value: &Value) -> Vec<Vec<String>> {
    let expanded = name.expand(&value.text);
    let commands = expanded.and_then(|text| exec::commands(&text).ok());
    commands.unwrap_or_default()
}

fn add(value: &Value, said: impl IntoIterator<Item = Said>, found: &mut Vec<Socket>) {
    let named = |(port, address, protocol)| Socket {
        value: value.clone(),
        port,
        address,
        protocol,
    };
    found.extend(said.into_iter().map(named));
}

fn of_command(program: &str, arguments: &[String]) -> Vec<Said> {
    match program {
        "docker" | "podman" => of_docker(arguments),
        client if CLIENTS.contains(&client) => Vec::new(),
        _ => of_server(program, arguments),
    }
}

fn of_server(program: &str, arguments: &[String]) -> Vec<Said> {
    let mut found = Vec::new();
    let mut host = None;
    for (at, word) in arguments.iter().enumerate() {
        let next = || arguments.get(at + 1).map(String::as_str);
        let (option, value) = match word.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (word.as_str(), next()),
        };
        let Some(value) = value else {
            break;
        };
        if option == "--host" {
            host = value.parse::<IpAddr>().ok();
        } else if BARE.contains(&option) {
            // The port follows the options.
            found.extend(arguments.last().and_then(|last| bound(last)));
        } else if is_listening(option) || SHORT.contains(&(program, option)) {
            found.extend(bound(value));
        }
    }
    for (_, address, _) in &mut found {
        *address = address.or(host);
    }
    found
}

/// Whether an option such as `--port` or `--web.listen-address` says where its program listens.
fn is_listening(option: &str) -> bool {
    let name = option.trim_start_matches('-').to_ascii_lowercase();
    let is_long = option.starts_with("--") || option.starts_with('-') && name.contains("port");
    is_long
        && OPTIONS.iter().any(|word| name.contains(word))
        && !OF_OTHERS.iter().any(|word| name.contains(word))
}

/// `8050`, `:8050`, `localhost:8050`, or an address with a port.
fn bound(value: &str) -> Option<Said> {
    let value = value.trim_matches(['"', '\'']);
    let (address, port) = match value.strip_prefix(':') {
        Some(port) => (None, port.parse().ok()?),
        None => listen::bound(&value.replacen("localhost:", "127.0.0.1:", 1))?,
    };
    (port > 0).then_some((port, address, "tcp"))
}

/// What `docker run` and `docker create` publish.
fn of_docker(arguments: &[String]) -> Vec<Said> {
    let at = arguments
        .iter()
        .position(|word| word == "run" || word == "create");
    let Some(rest) = at.and_then(|at| arguments.get(at + 1..)) else {
        return Vec::new();
    };
    let call = RunCall::read(rest);
    call.published().iter().flat_map(published).collect()
}

fn published(published: &Published) -> Vec<Said> {
    let protocol = match published.protocol.as_str() {
        "udp" => "udp",
        "sctp" => "sctp",
        _ => "tcp",
    };
    let ports = published.host.clone().into_iter().flatten();
    ports
        .map(|port| (port, published.address, protocol))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::unit::settings::Source;

    fn of(text: &str) -> Vec<String> {
        let text = format!("[Service]\n{text}\n");
        let settings = Settings::new(vec![Arc::new(Source::new("u.service", text))]);
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
        for (command, expected) in [
            ("/usr/bin/python3 -m http.server 8050", "8050/tcp"),
            (
                "/usr/bin/python3 -m http.server --bind 127.0.0.1 8050",
                "8050/tcp",
            ),
            (
                "/usr/bin/python3 manage.py runserver 0.0.0.0:8050",
                "0.0.0.0 8050/tcp",
            ),
            (
                "/usr/bin/uvicorn app:app --host 127.0.0.1 --port 8050",
                "127.0.0.1 8050/tcp",
            ),
            (
                "/usr/bin/gunicorn -b 127.0.0.1:8050 app",
                "127.0.0.1 8050/tcp",
            ),
            (
                "/bin/busybox httpd -f -p 127.0.0.1:8050 -h /srv",
                "127.0.0.1 8050/tcp",
            ),
            (
                "/usr/bin/node_exporter --web.listen-address=:9100",
                "9100/tcp",
            ),
            ("/usr/bin/x --bind=localhost:8050", "127.0.0.1 8050/tcp"),
            ("/usr/bin/x --addr=0.0.0.0:8050", "0.0.0.0 8050/tcp"),
            ("/usr/bin/x --listen [::1]:%i", "::1 8059/tcp"),
            (
                "/bin/sh -c 'exec /usr/bin/x --port 8050 | logger'",
                "8050/tcp",
            ),
            (
                "/usr/bin/docker run --rm --name n -p 127.0.0.1:8050:80 --publish=53:53/udp -e PORT=1 x",
                "127.0.0.1 8050/tcp 53/udp",
            ),
            ("/usr/bin/docker run -dp 8050:80 x", "8050/tcp"),
        ] {
            assert_eq!(
                of(&format!("ExecStart={command}")).join(" "),
                expected,
                "{command}"
            );
        }
        assert_eq!(
            of("Environment=PORT=8050 DB_PORT=5432\nExecStart=/usr/bin/x"),
            ["8050/tcp"]
        );
    }

    #[test]
    fn ports_of_others_are_left_alone() {
        for command in [
            "/usr/bin/x --upstream-port 8001 --db http://localhost:8002 --remote-port=8003",
            "/usr/bin/x 8050",
            "/usr/bin/x --port",
            "/usr/bin/x --port 0",
            "/usr/bin/psql -h db -p 5432",
            "/usr/bin/mysql --host=db --port=3306",
            "/usr/bin/ssh -N -L 8061:localhost:80 -p 2222 user@host",
            "/usr/bin/curl --port 8068",
            "/bin/mkdir -p 8069",
            "/usr/bin/docker run --rm r/x:1 app -p 8071:8071",
            "/usr/bin/docker run --rm --network host r/x:1 --port 9000",
            "/usr/bin/docker-compose -p 8050 up",
        ] {
            assert_eq!(of(&format!("ExecStart={command}")), [""; 0], "{command}");
        }
        assert_eq!(of("ExecStop=/usr/bin/x --port 8051"), [""; 0]);
    }
}
