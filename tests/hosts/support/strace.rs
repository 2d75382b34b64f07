//! The strictest look: system calls that could change a file.

use std::collections::{HashMap, HashSet};

use super::exec::Caller;
use super::{CHECKOUT, Host, Output};

/// Calls that change a file system whatever their arguments are.
const MUTATING: &str = "creat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,\
    rmdir,mknod,mknodat,chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,truncate,ftruncate,fallocate,utime,utimes,\
    futimesat,utimensat,setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr,copy_file_range";

/// Calls that change one if they open for writing.
const OPENING: &str = "open,openat,openat2";

/// Calls that change one if their first descriptor is a file.
const WRITING: &str = "write,writev,pwrite64,pwritev,pwritev2,sendfile";

/// Calls that tell which threads have mounts of their own, and whom they started.
const APART: &str = "unshare,mount,pivot_root,clone,clone3,fork,vfork";

/// Where the trace lies in the host: on a tmpfs, and in no watched folder.
const TRACE: &str = "/run/trace-of-the-test";

impl Host {
    /// Runs a command as root in the checkout, as under sudo, and returns the system calls, of it and of all its
    /// children, with which it changed a file or tried to. Descriptors that are no files do not count: the
    /// terminal, pipes, sockets, event descriptors; nor do calls of threads that have left the host's mounts,
    /// see [`Apart`].
    pub(crate) fn mutating_syscalls(&self, command: &[&str]) -> Vec<String> {
        self.traced(command).1
    }

    /// `mutating_syscalls`, with the output of the command.
    #[track_caller]
    pub(super) fn traced(&self, command: &[&str]) -> (Output, Vec<String>) {
        let calls = format!("trace={MUTATING},{OPENING},{WRITING},{APART}");
        let sudo = Caller {
            variables: &["SUDO_UID=1000", "SUDO_GID=1000", "SUDO_USER=ubuntu"],
            ..Caller::default()
        };
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
            sudo,
            &[&["sh", "-c", &enter, "sh"], &strace[..], command].concat(),
            b"",
        );
        let trace = whole_calls(&self.read(TRACE));
        let mut apart = Apart::new(&trace);
        let mut calls = Vec::new();
        for line in trace.lines() {
            if !apart.hides(line) && is_mutating(line) {
                calls.push(line.to_owned());
            }
        }
        (output, calls)
    }
}

/// The trace with the two halves of each interrupted call in one line, where the second half was.
fn whole_calls(trace: &str) -> String {
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let mut whole = String::new();
    for line in trace.lines() {
        let (id, call) = line.split_once(' ').unwrap_or((line, ""));
        if let Some(first) = call.strip_suffix(" <unfinished ...>") {
            begun.insert(id, first);
            continue;
        }
        let resumed = call.trim_start().strip_prefix("<... ");
        let rest = resumed.and_then(|call| call.split_once(" resumed>"));
        match (rest, begun.remove(id)) {
            (Some((_, rest)), Some(first)) => whole += &format!("{id} {first}{rest}\n"),
            (_, None) => whole += &format!("{line}\n"),
            // A call that never ended, such as one that killed its thread.
            (None, Some(first)) => whole += &format!("{id} {first}\n{line}\n"),
        }
    }
    for (id, first) in begun {
        whole += &format!("{id} {first}\n");
    }
    whole
}

/// Threads whose calls cannot reach the host's files: those that made all mounts private and then changed their
/// root, and whoever they started. Before the change of root, only what is below a tmpfs that they mounted over
/// /tmp is theirs. That the host's files stay as they are is proved without this, by looking at them.
struct Apart<'a> {
    /// Threads and processes by who started them.
    parents: HashMap<&'a str, &'a str>,
    unshared: HashSet<&'a str>,
    private: HashSet<&'a str>,
    covered: HashSet<&'a str>,
    gone: HashSet<&'a str>,
}

impl<'a> Apart<'a> {
    fn new(trace: &'a str) -> Self {
        let starts = |line: &'a str| {
            let (id, call) = line.split_once(' ')?;
            let is_start = ["clone", "fork", "vfork"]
                .iter()
                .any(|name| call.contains(name));
            let child = call.rsplit_once(" = ")?.1.trim();
            (is_start && child.parse::<u32>().is_ok()).then_some((child, id))
        };
        Self {
            parents: trace.lines().filter_map(starts).collect(),
            unshared: HashSet::new(),
            private: HashSet::new(),
            covered: HashSet::new(),
            gone: HashSet::new(),
        }
    }

    /// Takes note of a line, and tells whether it cannot reach the host's files.
    fn hides(&mut self, line: &'a str) -> bool {
        let Some((id, call)) = line.split_once(' ') else {
            return false;
        };
        let call = call.trim_start();
        if call.ends_with("= 0") {
            if call.starts_with("unshare(") && call.contains("CLONE_NEWNS") {
                self.unshared.insert(id);
            } else if call.starts_with("mount(") && call.contains("\"/\", NULL, MS_REC|MS_PRIVATE")
            {
                self.private.extend(self.unshared.get(id));
            } else if call.starts_with("mount(\"tmpfs\", \"/tmp\", \"tmpfs\"") {
                self.covered.extend(self.private.get(id));
            } else if call.starts_with("pivot_root(") {
                self.gone.extend(self.covered.get(id));
            }
        }
        self.has_left(id)
            || (self.covered.contains(id) && (call.contains("\"/tmp/") || call.contains("</tmp/")))
    }

    fn has_left(&self, id: &str) -> bool {
        let mut line = std::iter::successors(Some(id), |id| self.parents.get(id).copied());
        line.any(|id| self.gone.contains(id))
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
