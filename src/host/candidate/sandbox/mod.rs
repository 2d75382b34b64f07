//! Where programs that read a candidate run. Whatever it makes them do, they have nothing to give away: no
//! user, no capability, no network, no other process, none of the host's secrets, and bounds.
//!
//! The namespace of the candidate has the whole host as it would be; the sandbox shows of it what
//! programs and configuration are made of (`view`), and the process in it gives the rest up (`process`).

mod calls;
mod network;
mod process;
mod view;

use std::ffi::OsString;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};

use super::programs::{Ran, run};
pub(super) use network::addresses;
pub(super) use process::Needs;
pub(super) use view::View;

/// Users from here on belong to nobody, <https://systemd.io/UIDS-GIDS/>: one for each run, so that
/// bounds of one do not count for another.
const NOBODY: u32 = 0x7000_0000;
/// Where programs are looked for.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How programs are run in the namespace of a candidate.
#[derive(Debug)]
pub(super) struct Sandbox {
    addresses: Vec<IpAddr>,
    bound: Duration,
}

/// A program, and what it needs.
#[derive(Clone, Debug)]
pub(super) struct Program<'a> {
    pub name: &'a Path,
    pub arguments: Vec<OsString>,
    pub variables: Vec<(&'a str, &'a str)>,
    pub needs: Needs,
}

impl Sandbox {
    /// `addresses` are those of the host; `bound` is how long a program may take.
    pub(super) fn new(addresses: Vec<IpAddr>, bound: Duration) -> Self {
        Self { addresses, bound }
    }

    /// What a program says, run likewise, that ends with 1 where it finds something; else why not. `what` is what it is called.
    pub(super) fn said(
        &self,
        view: &View,
        program: &Program<'_>,
        what: &str,
    ) -> Result<String, String> {
        let ran = self.run(view, program);
        let ran =
            ran.map_err(|error| format!("could not run {}: {error}", program.name.display()))?;
        match ran.ended.status() {
            Ok(status) if matches!(status.code(), Some(0 | 1)) => Ok(ran.said),
            Ok(status) => Err(format!("{what} ended with {status}")),
            Err(why) => Err(format!("{what} {why}")),
        }
    }

    /// Runs a program on what `view` shows, from the thread that is in the candidate's namespace.
    ///
    /// # Errors
    /// When there is no sandbox here, or the program cannot be started.
    pub(super) fn run(&self, view: &View, program: &Program<'_>) -> io::Result<Ran> {
        // Namespaces are a thread's: this one ends with the program.
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("sandbox".to_owned());
            let inside = thread.spawn_scoped(scope, || self.run_inside(view, program))?;
            inside
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("its thread panicked")))
        })
    }

    fn run_inside(&self, view: &View, program: &Program<'_>) -> io::Result<Ran> {
        let id = NOBODY + (std::process::id() & 0x3f_ffff);
        let namespaces = CloneFlags::CLONE_NEWNS
            | CloneFlags::CLONE_NEWPID
            | CloneFlags::CLONE_NEWNET
            | CloneFlags::CLONE_NEWIPC
            | CloneFlags::CLONE_NEWUTS;
        unshare(namespaces).map_err(doing("unshare"))?;
        network::prepare(&self.addresses).map_err(doing("set up its network"))?;
        view.enter(id).map_err(doing("put its files together"))?;
        let mut command = Command::new(program.name);
        command
            .args(&program.arguments)
            .env_clear()
            .env("PATH", PATH)
            // What is parsed is English.
            .env("LC_ALL", "C")
            .env("HOME", "/tmp")
            .envs(program.variables.iter().copied())
            .current_dir("/");
        process::strip(&mut command, id, program.needs)?;
        // What the program itself has mounted there, in the mount namespace of this thread.
        run(&mut command, self.bound, Path::new("/proc"))
    }
}

fn doing<E: Into<io::Error>>(what: &'static str) -> impl FnOnce(E) -> io::Error {
    move |error| {
        let error: io::Error = error.into();
        io::Error::new(error.kind(), format!("no sandbox ({what}: {error})"))
    }
}
