//! The strictest judge: system calls that could change a file.

use super::{CHECKOUT, Host, Output};

/// Calls that change a file system whatever their arguments are.
const MUTATING: &str = "creat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,\
    rmdir,mknod,mknodat,chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,truncate,ftruncate,fallocate,utime,utimes,\
    futimesat,utimensat,setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr,copy_file_range";

/// Calls that change one if they open for writing.
const OPENING: &str = "open,openat,openat2";

/// Calls that change one if their first descriptor is a file.
const WRITING: &str = "write,writev,pwrite64,pwritev,pwritev2,sendfile";

/// Where the trace lies in the host: on a tmpfs, and in no watched folder.
const TRACE: &str = "/run/trace-of-the-test";

impl Host {
    /// Runs a command as root in the checkout, as under sudo, and returns the system calls, of it and of all its
    /// children, with which it changed a file or tried to. Descriptors that are no files do not count: the
    /// terminal, pipes, sockets, event descriptors.
    pub fn mutating_syscalls(&self, command: &[&str]) -> Vec<String> {
        self.traced(command).1
    }

    /// `mutating_syscalls`, with the output of the command.
    #[track_caller]
    pub(super) fn traced(&self, command: &[&str]) -> (Output, Vec<String>) {
        let calls = format!("trace={MUTATING},{OPENING},{WRITING}");
        let sudo = [
            "-e",
            "SUDO_UID=1000",
            "-e",
            "SUDO_GID=1000",
            "-e",
            "SUDO_USER=ubuntu",
        ];
        let enter = format!("cd {CHECKOUT} 2>/dev/null || cd /; exec \"$@\"");
        let strace = [
            "strace",
            "-f",
            "-qq",
            "-y",
            "-s",
            "200",
            "--seccomp-bpf",
            "-o",
            TRACE,
            "-e",
            &calls,
            "--",
        ];
        let output = self.exec(
            &sudo,
            &[&["sh", "-c", &enter, "sh"], &strace[..], command].concat(),
            b"",
        );
        let trace = self.read(TRACE);
        (
            output,
            trace
                .lines()
                .filter(|line| is_mutating(line))
                .map(str::to_owned)
                .collect(),
        )
    }
}

/// A line is `PID NAME(ARGS) = RESULT`; the second half of an interrupted call (`<... NAME resumed>`) has no arguments
/// of its own, and the first half has them all.
fn is_mutating(line: &str) -> bool {
    let call = line
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .trim_start();
    let Some((name, args)) = call.split_once('(') else {
        return false;
    };
    let is_one_of = |list: &str| list.split(',').any(|one| one.trim() == name);
    if is_one_of(OPENING) {
        let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_TMPFILE"];
        writes.iter().any(|flag| args.contains(flag))
            && is_file(args.split('"').nth(1).unwrap_or("?"))
    } else if is_one_of(WRITING) {
        let path = args.split_once('<').map_or("?", |(_, rest)| rest);
        path.starts_with('/') && is_file(path)
    } else {
        is_one_of(MUTATING)
    }
}

fn is_file(path: &str) -> bool {
    !["/dev/", "/proc/", "/memfd:"]
        .iter()
        .any(|other| path.starts_with(other))
}
