//! Who is logged in by SSH, and where sshd listens.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;

use nix::ifaddrs::getifaddrs;

use super::sockets::{ESTABLISHED, LISTEN, inodes, sockets};
use crate::model::SshSession;

/// What is asked where nothing else is said, and where systemd may listen for sshd.
const PORT: u16 = 22;
/// How sshd calls its processes as long as nobody has logged in, sshd.c of OpenSSH.
const NOT_YET: [&str; 4] = ["[net]", "[priv]", "[preauth]", "[accepted]"];
/// Address and port of both ends, of the session in which this program was started, ssh(1).
const CONNECTION: &str = "SSH_CONNECTION";

#[derive(Default)]
pub(super) struct Ssh {
    /// Ports on which it listens for others than this host itself.
    pub ports: BTreeSet<u16>,
    /// Who is logged in.
    pub sessions: Vec<SshSession>,
}

/// Whether this process runs in a session of SSH: sshd is above it, proc_pid_status(5), or has said so, ssh(1). sudo hides the
/// variable, and tmux the parent.
pub(crate) fn is_over_ssh() -> bool {
    if std::env::var_os(CONNECTION).is_some() {
        return true;
    }
    let mut process = std::process::id();
    // No chain of processes is that long.
    for _ in 0..64 {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let field = |name: &str| {
            let mut lines = status.lines();
            lines
                .find_map(|line| line.strip_prefix(name))
                .map(str::trim)
        };
        if field("Name:").is_some_and(|name| name.starts_with("sshd")) {
            return true;
        }
        match field("PPid:").and_then(|parent| parent.parse().ok()) {
            Some(parent) if parent > 1 => process = parent,
            _ => return false,
        }
    }
    false
}

/// Looks at the sockets of this host. A connection on which nobody has logged in yet is no session: on a server that
/// everybody can reach there is always one.
pub(super) fn look() -> Ssh {
    let titles = titles();
    let sockets = sockets("tcp");
    let listening = sockets.iter().filter(|(_, socket)| socket.state == LISTEN);
    let listening: Vec<_> = listening.collect();
    let is_taken = |port: u16| listening.iter().any(|(_, socket)| socket.local == port);
    let connected = sockets.iter().filter(|(inode, socket)| {
        let titles = titles.get(inode).map_or(&[][..], Vec::as_slice);
        socket.state == ESTABLISHED && is_taken(socket.local) && is_logged_in(titles)
    });
    let mut sessions: BTreeSet<(IpAddr, IpAddr, u16)> = connected
        .map(|(_, socket)| (socket.peer, socket.address, socket.local))
        .collect();
    sessions.extend(
        std::env::var(CONNECTION)
            .ok()
            .and_then(|text| of_variable(&text)),
    );
    let mut ports: BTreeSet<u16> = listening
        .iter()
        .filter(|(inode, socket)| {
            !socket.address.is_loopback() && (titles.contains_key(inode) || socket.local == PORT)
        })
        .map(|(_, socket)| socket.local)
        .collect();
    ports.extend(sessions.iter().map(|(_, _, port)| *port));
    let interfaces = interfaces();
    let sessions = sessions
        .into_iter()
        .map(|(peer, address, port)| (peer.to_canonical(), address.to_canonical(), port))
        .filter(|(peer, address, _)| !peer.is_loopback() && peer != address)
        .map(|(peer, address, port)| SshSession {
            peer,
            port,
            interface: interfaces.get(&address).cloned(),
        });
    Ssh {
        ports,
        sessions: sessions.collect(),
    }
}

/// How the processes of sshd call themselves, by the sockets that they have.
fn titles() -> BTreeMap<u64, Vec<String>> {
    let mut titles: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let number = process.file_name();
        let number = number.to_str().and_then(|name| name.parse::<u32>().ok());
        let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
        let Some(number) = number.filter(|_| name.starts_with("sshd")) else {
            continue;
        };
        let title = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let title = String::from_utf8_lossy(&title).replace('\0', " ");
        for inode in inodes(number) {
            titles
                .entry(inode)
                .or_default()
                .push(title.trim().to_owned());
        }
    }
    titles
}

/// Whether processes with these titles serve somebody who has logged in; none are not sshd's.
fn is_logged_in(titles: &[String]) -> bool {
    let is_waiting = |title: &String| NOT_YET.iter().any(|end| title.ends_with(end));
    titles.iter().any(|title| !is_waiting(title))
}

/// `203.0.113.9 51234 192.0.2.10 22`.
fn of_variable(text: &str) -> Option<(IpAddr, IpAddr, u16)> {
    let mut words = text.split(' ');
    let peer = words.next()?.parse().ok()?;
    let address = words.nth(1)?.parse().ok()?;
    Some((peer, address, words.next()?.parse().ok()?))
}

/// Interfaces by their addresses.
fn interfaces() -> BTreeMap<IpAddr, String> {
    let all = getifaddrs().into_iter().flatten();
    let of = |one: nix::ifaddrs::InterfaceAddress| {
        let address = one.address?;
        let four = address.as_sockaddr_in().map(|of| IpAddr::from(of.ip()));
        let six = address.as_sockaddr_in6().map(|of| IpAddr::from(of.ip()));
        Some((four.or(six)?, one.interface_name))
    };
    all.filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_has_logged_in_is_a_session() {
        for (titles, expected) in [
            (&["sshd: ubuntu [priv]", "sshd: ubuntu@pts/0"][..], true),
            (&["sshd-session: root@notty"], true),
            (&["sshd: root [priv]", "sshd: root [net]"], false),
            (&["sshd: unknown [priv]", "sshd: a@b [net]"], false),
            (&["sshd-session: [accepted]"], false),
            (&[], false),
        ] {
            let titles: Vec<String> = titles.iter().map(|title| (*title).to_owned()).collect();
            assert_eq!(is_logged_in(&titles), expected, "{titles:?}");
        }
    }

    #[test]
    fn the_session_of_the_variable() {
        let found = of_variable("203.0.113.9 51234 192.0.2.10 2222");
        let expected = ("203.0.113.9", "192.0.2.10", 2222);
        let expected = (
            expected.0.parse().unwrap(),
            expected.1.parse().unwrap(),
            expected.2,
        );
        assert_eq!(found, Some(expected));
        assert_eq!(of_variable("x"), None);
    }
}
