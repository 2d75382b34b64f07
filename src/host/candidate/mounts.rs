//! What the kernel lists: mounts, proc_pid_mountinfo(5), and sockets, proc_net(5).

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// File systems without files of their own: what is in them is made by the kernel.
const OF_THE_KERNEL: [&str; 5] = ["devtmpfs", "devpts", "mqueue", "hugetlbfs", "nsfs"];
/// One that mounts something when it is looked at, which would be seen outside; and those of users,
/// whose programs may never answer.
const LEFT_OUT: [&str; 2] = ["autofs", "fuse"];
/// Where container engines mount what their containers see. There can be many, and no
/// configuration of the host is there.
const OF_CONTAINERS: [&str; 6] = [
    "/var/lib/docker",
    "/var/lib/containerd",
    "/var/lib/containers",
    "/run/docker",
    "/run/containerd",
    "/run/netns",
];

/// Something that is mounted below the root.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// Where.
    pub point: PathBuf,
    kind: String,
}

impl Mount {
    /// Whether nobody can put a layer over it.
    pub(super) fn is_of_the_kernel(&self) -> bool {
        OF_THE_KERNEL.contains(&self.kind.as_str())
    }
}

/// The mounts that a configuration may need, the root left out, in the order in which they were
/// made.
pub(super) fn read() -> io::Result<Vec<Mount>> {
    Ok(parse(&fs::read_to_string("/proc/thread-self/mountinfo")?))
}

fn parse(text: &str) -> Vec<Mount> {
    let mut mounts: Vec<Mount> = Vec::new();
    for line in text.lines() {
        let Some((fields, rest)) = line.split_once(" - ") else {
            continue;
        };
        let (Some(point), Some(kind)) = (fields.split(' ').nth(4), rest.split(' ').next()) else {
            continue;
        };
        let point = unescaped(point);
        let leave_out = point == Path::new("/")
            || LEFT_OUT.contains(&kind.split('.').next().unwrap_or_default())
            || OF_CONTAINERS.iter().any(|folder| point.starts_with(folder));
        // Of two at one place only the upper one is seen.
        mounts.retain(|mount| mount.point != point);
        if !leave_out {
            let kind = kind.to_owned();
            mounts.push(Mount { point, kind });
        }
    }
    mounts
}

/// Blanks and backslashes are written as three octal digits.
fn unescaped(field: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let [first, after @ ..] = rest {
        let octal = after
            .get(..3)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let code = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match (first, code) {
            (b'\\', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

/// Sockets of services that have a path: name services answer there. Those of users are not
/// looked at.
pub(super) fn sockets() -> Vec<PathBuf> {
    let text = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let is_socket = |path: &Path| {
        fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
    };
    let mut sockets: Vec<PathBuf> = socket_paths(&text)
        .filter(|path| !path.starts_with("/run/user/"))
        .filter(|path| {
            ["/run/", "/var/"]
                .iter()
                .any(|start| path.starts_with(start))
        })
        .filter_map(|path| fs::canonicalize(path).ok())
        .filter(|path| is_socket(path))
        .filter(|path| !OF_CONTAINERS.iter().any(|folder| path.starts_with(folder)))
        .collect();
    sockets.sort();
    sockets.dedup();
    sockets
}

/// The eighth column, which may hold blanks; names of abstract sockets begin with `@`.
fn socket_paths(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let path = line.split_once(" /")?.1;
        // The slash is part of the path.
        line.get(line.len() - path.len() - 1..)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_of_a_host() {
        let text = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:21 / /proc rw shared:12 - proc proc rw
24 22 0:22 / /run rw shared:5 - tmpfs tmpfs rw
25 22 8:2 / /srv/with\\040blank\\134 rw - ext4 /dev/sdb1 rw
26 22 0:30 / /boot/efi rw - autofs systemd-1 rw
27 22 8:3 / /boot/efi rw - vfat /dev/sda3 rw
31 22 0:40 / /home/ubuntu/far rw - fuse.sshfs far: rw
32 22 8:4 / /home/ubuntu/disk rw - fuseblk /dev/sdc1 rw
28 22 0:31 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw
29 22 0:32 / /run rw - tmpfs tmpfs rw
30 22 0:33 / /dev/pts rw - devpts devpts rw
nonsense
";
        let mounts = parse(text);
        let points: Vec<&Path> = mounts.iter().map(|mount| mount.point.as_path()).collect();
        let expected = [
            "/proc",
            "/srv/with blank\\",
            "/boot/efi",
            "/home/ubuntu/disk",
            "/run",
            "/dev/pts",
        ];
        assert_eq!(points, expected.map(Path::new));
        let kernel: Vec<bool> = mounts.iter().map(Mount::is_of_the_kernel).collect();
        assert_eq!(kernel, [false, false, false, false, false, true]);
    }

    #[test]
    fn sockets_with_a_path() {
        let text = "\
Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 20000 /run/dbus/system_bus_socket
0000000000000000: 00000002 00000000 00010000 0001 01 20001 @abstract
0000000000000000: 00000003 00000000 00000000 0001 03 20002
0000000000000000: 00000002 00000000 00010000 0001 01 20003 /run/with blank
";
        let found: Vec<&str> = socket_paths(text).collect();
        assert_eq!(found, ["/run/dbus/system_bus_socket", "/run/with blank"]);
    }
}
