//! Requests that nginx's leaving workers still answer, from their sockets; proc_pid_net(5),
//! `/proc/net/tcp`.

use std::collections::BTreeSet;

use crate::host::sockets::{LISTEN, Socket, inodes, sockets};

/// States of include/net/tcp_states.h.
const ESTABLISHED: u8 = 0x01;
const SYN_SENT: u8 = 0x02;
const CLOSE_WAIT: u8 = 0x08;

/// How many requests the processes of `workers` have under way that concern `ports`: those that
/// are connected to one, and those that are connected to nothing yet and may come to it. A
/// connection to elsewhere, such as a websocket, does not count.
pub(super) fn under_way(workers: &BTreeSet<u32>, ports: &BTreeSet<u16>) -> usize {
    let sockets = sockets("tcp");
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

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(local: u16, remote: u16) -> Socket {
        Socket {
            address: std::net::Ipv4Addr::LOCALHOST.into(),
            peer: std::net::Ipv4Addr::LOCALHOST.into(),
            local,
            remote,
            state: ESTABLISHED,
        }
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
}
