//! Engines that users of this host run for themselves: on sockets below their own folder in /run, user@.service(5).

use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::{Uid, User};
use tokio::net::UnixStream;

use super::Host;
use crate::model::{Engine, UserEngine};

/// Where each user has a folder, named by the user's id.
pub(super) const FOLDERS: &str = "/run/user";
/// Where Docker and Podman listen in it.
const SOCKETS: [&str; 2] = ["docker.sock", "podman/podman.sock"];
/// Sockets of this host; proc_net_unix(5).
const LISTED: &str = "/proc/net/unix";
/// What flags of one have that accepts connections, `__SO_ACCEPTCON` of include/linux/net.h.
const ACCEPTS: u32 = 1 << 16;
/// How long a socket may take to accept a connection.
const MOMENT: Duration = Duration::from_secs(1);

impl Host {
    /// Engines of users on which something listens, apart from the one that is managed. Nothing is said to them. Those that
    /// this user may not see are left out.
    pub(crate) async fn user_engines(&self) -> Vec<UserEngine> {
        let mut found = Vec::new();
        if !self.is_live() {
            return found;
        }
        let managed = self.engine_socket();
        let mut sockets = sockets(Path::new(FOLDERS));
        sockets.retain(|(_, socket)| *socket != managed);
        if sockets.is_empty() {
            return found;
        }
        let listed = fs::read_to_string(LISTED).unwrap_or_default();
        for (uid, socket) in sockets {
            if is_listed(&listed, &socket) || accepts(&socket).await {
                let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
                found.push(UserEngine {
                    uid,
                    user: user.map_or_else(|| uid.to_string(), |user| user.name),
                    kind: Engine::behind(&socket),
                    socket,
                });
            }
        }
        found
    }
}

/// Sockets at the places of engines, with the ids of their users.
fn sockets(folders: &Path) -> Vec<(u32, PathBuf)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folders).into_iter().flatten().flatten() {
        let Some(uid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        for socket in SOCKETS.map(|socket| entry.path().join(socket)) {
            let is_socket =
                fs::symlink_metadata(&socket).map(|found| found.file_type().is_socket());
            if is_socket.unwrap_or(false) {
                found.push((uid, socket));
            }
        }
    }
    found.sort();
    found
}

/// Whether the kernel lists a socket as one that accepts connections:
/// `Num RefCount Protocol Flags Type St Inode Path`.
fn is_listed(listed: &str, socket: &Path) -> bool {
    listed.lines().any(|line| {
        let mut fields = line.split_whitespace().skip(3);
        let flags = fields
            .next()
            .and_then(|flags| u32::from_str_radix(flags, 16).ok());
        let path = fields.nth(3).map(Path::new);
        path == Some(socket) && flags.is_some_and(|flags| flags & ACCEPTS != 0)
    })
}

/// Whether a socket accepts a connection, which ends at once. The kernel lists those of other network namespaces elsewhere: a
/// user's Docker has one of its own. A socket of systemd is listed, so that nothing is started by this.
async fn accepts(socket: &Path) -> bool {
    match tokio::time::timeout(MOMENT, UnixStream::connect(socket)).await {
        Ok(Ok(_)) | Err(_) => true,
        // Too many wait already.
        Ok(Err(error)) => error.kind() == io::ErrorKind::WouldBlock,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn only_sockets_at_the_places_of_engines_count() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["1000/podman", "1001", "1002", "lost"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let places = [
            "1000/podman/podman.sock",
            "1001/docker.sock",
            "lost/docker.sock",
        ];
        let kept = places.map(|place| UnixListener::bind(root.path().join(place)).unwrap());
        fs::write(root.path().join("1002/docker.sock"), "a file").unwrap();
        let expected = [(1000, places[0]), (1001, places[1])];
        let expected = expected.map(|(uid, place)| (uid, root.path().join(place)));
        assert_eq!(sockets(root.path()), expected);
        assert_eq!(sockets(Path::new("/none/such")), []);
        drop(kept);
    }

    #[test]
    fn the_kernels_list_is_read() {
        let listed = "Num       RefCount Protocol Flags    Type St Inode Path\n\
            ffff8880: 00000002 00000000 00010000 0001 01 21042 /run/user/1000/podman/podman.sock\n\
            ffff8881: 00000003 00000000 00000000 0001 03 21043 /run/user/1001/docker.sock\n\
            ffff8882: 00000003 00000000 00000000 0001 03 21044\n";
        for (path, expected) in [
            ("/run/user/1000/podman/podman.sock", true),
            ("/run/user/1001/docker.sock", false),
            ("/run/user/1002/docker.sock", false),
        ] {
            assert_eq!(is_listed(listed, Path::new(path)), expected, "{path}");
        }
    }

    #[tokio::test]
    async fn a_socket_where_nobody_listens_does_not_count() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("docker.sock");
        let listener = UnixListener::bind(&path).unwrap();
        assert!(accepts(&path).await);
        drop(listener);
        assert!(!accepts(&path).await);
    }
}
