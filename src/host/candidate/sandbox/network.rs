//! The network of the sandbox: the loopback device alone, with the addresses that the host has, so that
//! what listens on them can be bound. rtnetlink(7).

use std::io;
use std::net::IpAddr;
use std::os::fd::AsRawFd;

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};

const NEW_LINK: u16 = 16;
const NEW_ADDRESS: u16 = 20;
/// Asked and answered, made where it is not there.
const FLAGS: u16 = 0x1 | 0x4 | 0x400;
/// No duplicate is looked for.
const NO_DETECTION: u8 = 0x02;
const LOOPBACK: u32 = 1;
const UP: u32 = 1;

/// The addresses of the calling thread's network namespace.
pub(in crate::host::candidate) fn addresses() -> Vec<IpAddr> {
    let Ok(all) = getifaddrs() else {
        return Vec::new();
    };
    let found = all.filter_map(|one| {
        let address = one.address?;
        match (address.as_sockaddr_in(), address.as_sockaddr_in6()) {
            (Some(v4), _) => Some(IpAddr::V4(v4.ip())),
            (_, Some(v6)) => Some(IpAddr::V6(v6.ip())),
            _ => None,
        }
    });
    let mut found: Vec<IpAddr> = found.filter(|address| !address.is_loopback()).collect();
    found.sort();
    found.dedup();
    found
}

/// Makes the loopback device of the calling thread's namespace ready.
///
/// # Errors
/// When it cannot be brought up. An address that cannot be added is one that cannot be bound.
pub(super) fn prepare(addresses: &[IpAddr]) -> io::Result<()> {
    let family = AddressFamily::Netlink;
    let protocol = SockProtocol::NetlinkRoute;
    let socket = socket(family, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol)?;
    let mut link = vec![0, 0, 0, 0];
    for word in [LOOPBACK, UP, UP] {
        link.extend(word.to_ne_bytes());
    }
    ask(&socket, NEW_LINK, &link)?;
    for address in addresses {
        let _ = ask(&socket, NEW_ADDRESS, &of(address));
    }
    Ok(())
}

/// `struct ifaddrmsg`, and the address as IFA_LOCAL and IFA_ADDRESS.
fn of(address: &IpAddr) -> Vec<u8> {
    let (family, bits, bytes) = match address {
        IpAddr::V4(v4) => (2_u8, 32_u8, v4.octets().to_vec()),
        IpAddr::V6(v6) => (10, 128, v6.octets().to_vec()),
    };
    let mut message = vec![family, bits, NO_DETECTION, 0];
    message.extend(LOOPBACK.to_ne_bytes());
    for kind in [2_u16, 1] {
        let length = u16::try_from(4 + bytes.len()).unwrap_or_default();
        message.extend(length.to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend(&bytes);
    }
    message
}

fn ask(socket: &impl AsRawFd, kind: u16, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(16 + body.len()).unwrap_or_default();
    let mut message = Vec::from(length.to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(FLAGS.to_ne_bytes());
    // Sequence number and port are nobody's: one question, one answer.
    message.extend([0; 8]);
    message.extend(body);
    let kernel = NetlinkAddr::new(0, 0);
    sendto(socket.as_raw_fd(), &message, &kernel, MsgFlags::empty())?;
    let mut answer = [0_u8; 256];
    let read = recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    // `struct nlmsgerr` behind the head of 16 bytes: 0, or an error number below it.
    let code = answer.get(16..20).filter(|_| read >= 20);
    let code = code.and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
    match code.map(i32::from_ne_bytes) {
        Some(0) | None => Ok(()),
        Some(code) => Err(io::Error::from_raw_os_error(code.saturating_abs())),
    }
}
