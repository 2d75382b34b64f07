//! Requests that nginx's leaving workers still answer, from their sockets; proc_pid_net(5),
//! `/proc/net/tcp`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A TCP socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Socket {
    local: u16,
    remote: u16,
    state: u8,
}

/// States of include/net/tcp_states.h.
const ESTABLISHED: u8 = 0x01;
const SYN_SENT: u8 = 0x02;
const CLOSE_WAIT: u8 = 0x08;
const LISTEN: u8 = 0x0A;

/// How many requests the processes of `workers` have under way that concern `ports`: those that
/// are connected to one, and those that are connected to nothing yet and may come to it. A
/// connection to elsewhere, such as a websocket, does not count.
pub(super) fn under_way(workers: &BTreeSet<u32>, ports: &BTreeSet<u16>) -> usize {
    let sockets = sockets();
    let listening: BTreeSet<u16> = sockets
        .values()
        .filter(|socket| socket.state == LISTEN)
        .map(|socket| socket.local)
        .collect();
    let of = |worker: &u32| -> usize {
        let own: Vec<Socket> = inodes(*worker)
            .iter()
            .filter_map(|inode| sockets.get(inode).copied())
            .collect();
        count(&own, &listening, ports)
    };
    workers.iter().map(of).sum()
}

fn count(own: &[Socket], listening: &BTreeSet<u16>, ports: &BTreeSet<u16>) -> usize {
    let is_open = |socket: &&Socket| matches!(socket.state, ESTABLISHED | SYN_SENT | CLOSE_WAIT);
    let (clients, upstreams): (Vec<&Socket>, Vec<&Socket>) = own
        .iter()
        .filter(is_open)
        .partition(|socket| listening.contains(&socket.local));
    let to_ports = upstreams
        .iter()
        .filter(|socket| ports.contains(&socket.remote))
        .count();
    to_ports.max(clients.len().saturating_sub(upstreams.len()))
}

/// All TCP sockets by their inode.
fn sockets() -> BTreeMap<u64, Socket> {
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .flat_map(|text| text.lines().filter_map(row).collect::<Vec<_>>())
        .collect()
}

/// `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode`, numbers in
/// hexadecimal up to the state.
fn row(line: &str) -> Option<(u64, Socket)> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let port = |at: usize| {
        let (_, port) = fields.get(at)?.rsplit_once(':')?;
        u16::from_str_radix(port, 16).ok()
    };
    let socket = Socket {
        local: port(1)?,
        remote: port(2)?,
        state: u8::from_str_radix(fields.get(3)?, 16).ok()?,
    };
    Some((fields.get(9)?.parse().ok()?, socket))
}

/// Inodes of the sockets that a process has open; none once it is gone.
fn inodes(process: u32) -> Vec<u64> {
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
    use super::*;

    fn socket(local: u16, remote: u16) -> Socket {
        Socket {
            local,
            remote,
            state: ESTABLISHED,
        }
    }

    #[test]
    fn a_row_of_the_kernel() {
        let line = "   1: 0100007F:0050 0100007F:1F49 01 00000000:00000000 00:00000000 00000000    33        0 8077 1 0000 20 4 30 10 -1";
        assert_eq!(row(line), Some((8077, socket(80, 8009))));
        assert_eq!(row("  sl  local_address rem_address   st"), None);
    }

    #[test]
    fn only_what_may_come_to_the_port_counts() {
        let (listening, ports) = (BTreeSet::from([443]), BTreeSet::from([8001]));
        let count = |own: &[Socket]| count(own, &listening, &ports);
        let (client, to_it, elsewhere) = (
            socket(443, 50_000),
            socket(40_000, 8001),
            socket(40_001, 8002),
        );
        assert_eq!(count(&[]), 0);
        assert_eq!(count(&[client, to_it]), 1);
        assert_eq!(
            count(&[client, elsewhere]),
            0,
            "a websocket to another service"
        );
        assert_eq!(count(&[client]), 1, "its body is still being read");
        assert_eq!(count(&[client, elsewhere, client]), 1);
    }

    #[test]
    fn own_sockets_are_found() -> std::io::Result<()> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let inodes = inodes(std::process::id());
        let sockets = sockets();
        let own = inodes.iter().filter_map(|inode| sockets.get(inode));
        assert!(
            own.into_iter()
                .any(|socket| socket.local == port && socket.state == LISTEN)
        );
        Ok(())
    }
}
