//! The sockets of this host, and who listens; proc_pid_net(5), `/proc/net/tcp` and its likes.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use crate::model::Listener;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Socket {
    pub address: IpAddr,
    pub peer: IpAddr,
    pub local: u16,
    pub remote: u16,
    pub state: u8,
}

/// States of include/net/tcp_states.h. One of UDP that waits for anybody is closed.
pub(super) const LISTEN: u8 = 0x0A;
pub(super) const ESTABLISHED: u8 = 0x01;
const CLOSE: u8 = 0x07;

/// All who listen on this host.
pub(crate) fn listeners() -> Vec<Listener> {
    let programs = programs();
    let mut listeners = Vec::new();
    for (protocol, state) in [("tcp", LISTEN), ("udp", CLOSE)] {
        let listening = sockets(protocol).into_iter();
        for (inode, socket) in listening.filter(|(_, socket)| socket.state == state) {
            listeners.push(Listener {
                port: socket.local,
                protocol,
                address: socket.address,
                program: programs.get(&inode).map(|one| one.name.clone()),
                unit: programs.get(&inode).and_then(|one| one.unit.clone()),
            });
        }
    }
    listeners.sort();
    listeners.dedup();
    listeners
}

/// All sockets of a protocol by their inode, of both kinds of addresses.
pub(super) fn sockets(protocol: &str) -> BTreeMap<u64, Socket> {
    ["", "6"]
        .iter()
        .filter_map(|kind| fs::read_to_string(format!("/proc/net/{protocol}{kind}")).ok())
        .flat_map(|text| text.lines().filter_map(row).collect::<Vec<_>>())
        .collect()
}

/// `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode`, numbers in
/// hexadecimal up to the state.
fn row(line: &str) -> Option<(u64, Socket)> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let end = |at: usize| {
        let (address, port) = fields.get(at)?.rsplit_once(':')?;
        Some((address, u16::from_str_radix(port, 16).ok()?))
    };
    let (local, remote) = (end(1)?, end(2)?);
    let socket = Socket {
        address: address(local.0)?,
        peer: address(remote.0)?,
        local: local.1,
        remote: remote.1,
        state: u8::from_str_radix(fields.get(3)?, 16).ok()?,
    };
    Some((fields.get(9)?.parse().ok()?, socket))
}

/// Words of 32 bits, each in the machine's own order.
fn address(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| {
        let word = u32::from_str_radix(hex.get(at..at + 8)?, 16).ok()?;
        Some(word.to_ne_bytes())
    };
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            let bytes: [u8; 16] = words.concat().try_into().ok()?;
            Some(Ipv6Addr::from(bytes).into())
        }
        _ => None,
    }
}

/// A program that has sockets open.
#[derive(Clone)]
struct Program {
    name: String,
    unit: Option<String>,
}

/// Programs by the inodes of the sockets that they have open, as far as this user may look.
fn programs() -> BTreeMap<u64, Program> {
    let mut programs = BTreeMap::new();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    for process in processes {
        let number = process.file_name();
        let Some(number) = number.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let open = inodes(number);
        if open.is_empty() {
            continue;
        }
        if let Ok(name) = fs::read_to_string(process.path().join("comm")) {
            let groups = fs::read_to_string(process.path().join("cgroup"));
            let program = Program {
                name: name.trim_end().to_owned(),
                unit: groups.ok().and_then(|groups| unit(&groups)),
            };
            programs.extend(open.into_iter().map(|inode| (inode, program.clone())));
        }
    }
    programs
}

/// The unit of a process by its control groups, cgroups(7): systemd's own hierarchy, or the only one of version 2. A
/// container has groups of its own below that of Docker.
fn unit(groups: &str) -> Option<String> {
    let path = groups.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        matches!(controllers, "name=systemd" | "").then_some(path)
    })?;
    let service = |part: &&str| part.ends_with(".service") || part.ends_with(".scope");
    path.split('/').rfind(service).map(str::to_owned)
}

/// Inodes of the sockets that a process has open; none once it is gone.
pub(super) fn inodes(process: u32) -> Vec<u64> {
    let Ok(open) = fs::read_dir(Path::new("/proc").join(process.to_string()).join("fd")) else {
        return Vec::new();
    };
    open.filter_map(|entry| {
        let target = fs::read_link(entry.ok()?.path()).ok()?;
        let inode = target.to_str()?.strip_prefix("socket:[")?;
        inode.strip_suffix(']')?.parse().ok()
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    #[test]
    fn addresses_are_read_as_the_kernel_writes_them() {
        let text = |hex: &str| address(hex).map(|address| address.to_string());
        #[cfg(target_endian = "little")]
        assert_eq!(text("0100007F").as_deref(), Some("127.0.0.1"));
        assert_eq!(text("00000000").as_deref(), Some("0.0.0.0"));
        #[cfg(target_endian = "little")]
        assert_eq!(
            text("00000000000000000000000001000000").as_deref(),
            Some("::1")
        );
        assert_eq!((text("0"), text("zzzzzzzz")), (None, None));
    }

    #[test]
    fn a_row_of_the_kernel() {
        let line = "   1: 0100007F:0050 0100007F:1F49 01 00000000:00000000 00:00000000 00000000    33        0 8077 1 0000 20 4 30 10 -1";
        let found =
            row(line).map(|(inode, socket)| (inode, socket.local, socket.remote, socket.state));
        assert_eq!(found, Some((8077, 80, 8009, 1)));
        assert_eq!(row("  sl  local_address rem_address   st"), None);
    }

    #[test]
    fn the_unit_of_a_process() {
        let v1 =
            "12:pids:/system.slice/a.service\n1:name=systemd:/system.slice/web.service\n0::/\n";
        assert_eq!(unit(v1).as_deref(), Some("web.service"));
        let v2 = "0::/system.slice/system-app.slice/app@1.service/sub\n";
        assert_eq!(unit(v2).as_deref(), Some("app@1.service"));
        assert_eq!(unit("0::/\n"), None);
    }

    #[test]
    fn this_very_process_is_seen() {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("[::1]:0")
            .or_else(|_| UdpSocket::bind("127.0.0.1:0"))
            .unwrap();
        let found = listeners();
        for (protocol, local) in [
            ("tcp", tcp.local_addr().unwrap()),
            ("udp", udp.local_addr().unwrap()),
        ] {
            let is = |one: &&Listener| {
                (one.protocol, one.port, one.address) == (protocol, local.port(), local.ip())
            };
            let listener = found.iter().find(is).unwrap();
            assert!(listener.program.is_some(), "{listener:?}");
        }
    }
}
