//! A process that has nothing to give away: what it loses between fork(2) and execve(2).

use std::ffi::CStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::errno::Errno;
use nix::libc;
use nix::mount::{MsFlags, mount};
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid, setsid};
use seccompiler::BpfProgram;

use super::calls;

/// Bounds of one program, beyond time and output.
const MEMORY: u64 = 1 << 30;
const FILE: u64 = 16 << 20;
const CPU: u64 = 20;
const PROCESSES: u64 = 32;
/// It comes after all that serves.
const NICE: libc::c_int = 19;
/// Capabilities have numbers up to 40 today, capabilities(7).
const CAPABILITIES: libc::c_ulong = 63;
/// Network administration, of its own namespace: nft(8) checks rules in the kernel.
const NET_ADMIN: u32 = 12;

/// What sets one program apart from others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::host::candidate) struct Needs {
    /// It takes itself for root.
    pub looks_like_root: bool,
    /// It may set up its own network namespace.
    pub network: bool,
}

/// Has `command` give up all before it runs. `id` is its user and its group.
pub(super) fn strip(command: &mut Command, id: u32, needs: Needs) -> io::Result<()> {
    let allowed = calls::allowed()?;
    let looks = match needs.looks_like_root {
        true => Some(calls::looks_like_root()?),
        false => None,
    };
    let child = Child {
        id,
        needs,
        allowed,
        looks,
    };
    // SAFETY: between fork and exec only system calls are made, on memory that was there before:
    // no lock is taken and nothing is allocated.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(move || child.give_up())
    };
    Ok(())
}

struct Child {
    id: u32,
    needs: Needs,
    allowed: BpfProgram,
    looks: Option<BpfProgram>,
}

impl Child {
    fn give_up(&self) -> io::Result<()> {
        setsid()?;
        // Of its own process namespace: no other process is in it, and no way to one.
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        mount(Some(c"proc"), c"/proc", Some(c"proc"), flags, None::<&CStr>)?;
        // Ports below 1024, in its own network namespace, for everybody.
        write(c"/proc/sys/net/ipv4/ip_unprivileged_port_start", b"0")?;
        // Where memory is short, it goes first.
        write(c"/proc/self/oom_score_adj", b"1000")?;
        close_on_exec()?;
        be_nice()?;
        for (resource, bound) in [
            (Resource::RLIMIT_AS, MEMORY),
            (Resource::RLIMIT_FSIZE, FILE),
            (Resource::RLIMIT_CPU, CPU),
            (Resource::RLIMIT_NPROC, PROCESSES),
            (Resource::RLIMIT_CORE, 0),
            (Resource::RLIMIT_MSGQUEUE, 0),
            (Resource::RLIMIT_MEMLOCK, 64 << 10),
        ] {
            setrlimit(resource, bound, bound)?;
        }
        for capability in 0..=CAPABILITIES {
            if !(self.needs.network && capability == libc::c_ulong::from(NET_ADMIN)) {
                // Numbers that the kernel does not have are no loss.
                let _ = prctl(libc::PR_CAPBSET_DROP, capability, 0);
            }
        }
        if self.needs.network {
            prctl(libc::PR_SET_KEEPCAPS, 1, 0)?;
        }
        let (user, group) = (Uid::from_raw(self.id), Gid::from_raw(self.id));
        setgroups(&[])?;
        setresgid(group, group, group)?;
        setresuid(user, user, user)?;
        if self.needs.network {
            keep_network()?;
        }
        prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0)?;
        // Its starter's end is its own.
        prctl(
            libc::PR_SET_PDEATHSIG,
            libc::SIGKILL.unsigned_abs().into(),
            0,
        )?;
        if let Some(looks) = &self.looks {
            apply(looks)?;
        }
        apply(&self.allowed)
    }
}

fn apply(filter: &BpfProgram) -> io::Result<()> {
    seccompiler::apply_filter(filter).map_err(|_| io::Error::last_os_error())
}

fn write(path: &CStr, text: &[u8]) -> io::Result<()> {
    use nix::fcntl::{OFlag, open};
    use nix::sys::stat::Mode;
    let file = open(path, OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    nix::unistd::write(&file, text)?;
    Ok(())
}

/// Nothing that this program has open is left to it, but standard input and outputs.
#[allow(unsafe_code)]
fn close_on_exec() -> io::Result<()> {
    // SAFETY: numbers only.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            3_u32,
            u32::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    Errno::result(result)?;
    Ok(())
}

#[allow(unsafe_code)]
fn be_nice() -> io::Result<()> {
    // SAFETY: numbers only.
    let result = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICE) };
    Errno::result(result)?;
    Ok(())
}

#[allow(unsafe_code)]
fn prctl(option: libc::c_int, first: libc::c_ulong, second: libc::c_ulong) -> io::Result<()> {
    let none: libc::c_ulong = 0;
    // SAFETY: numbers only.
    let result = unsafe { libc::prctl(option, first, second, none, none) };
    Errno::result(result)?;
    Ok(())
}

/// Keeps one capability over execve(2), capabilities(7): permitted, inheritable, ambient.
#[allow(unsafe_code)]
fn keep_network() -> io::Result<()> {
    #[repr(C)]
    struct Header {
        version: u32,
        process: libc::c_int,
    }
    // Version 3 has two words of each set.
    let header = Header {
        version: 0x2008_0522,
        process: 0,
    };
    let only = 1_u32 << NET_ADMIN;
    let data: [u32; 6] = [only, only, only, 0, 0, 0];
    // SAFETY: both are as long as the kernel reads them, capget(2).
    let result = unsafe { libc::syscall(libc::SYS_capset, &raw const header, data.as_ptr()) };
    Errno::result(result)?;
    let raise = libc::PR_CAP_AMBIENT_RAISE as libc::c_ulong;
    prctl(libc::PR_CAP_AMBIENT, raise, NET_ADMIN.into())
}
