//! The user who runs the program, and root.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::unistd::{Uid, User};

use super::options::Common;
use super::output::Output;

/// Root is needed, and sudo does not help.
#[derive(Debug, thiserror::Error)]
#[error("this changes the host and needs root, and sudo could not be run")]
pub(super) struct NoPrivilege {
    #[source]
    source: io::Error,
}

impl NoPrivilege {
    pub(super) fn hint(&self) -> String {
        "run it as root, or install sudo; `watchme-apply plan` and --root DIR work without root"
            .to_owned()
    }
}

/// Without root, replaces this process by itself under sudo, and says so.
pub(super) fn become_root(
    options: &Common,
    arguments: &[OsString],
    output: &mut Output,
) -> Result<(), NoPrivilege> {
    if Uid::effective().is_root() {
        return Ok(());
    }
    output.aside("needs root: running again through sudo");
    let program = std::env::current_exe().map_err(|source| NoPrivilege { source })?;
    let mut command = Command::new("sudo");
    command
        .arg("--")
        .arg(program)
        .args(arguments.iter().skip(1));
    // sudo clears the environment: what was set there is passed as an option.
    let named = arguments
        .iter()
        .any(|argument| is_option(argument, "--desired-state"));
    if let Some(folder) = options.desired_state.as_ref().filter(|_| !named) {
        command.arg("--desired-state").arg(folder);
    }
    Err(NoPrivilege {
        source: command.exec(),
    })
}

fn is_option(argument: &OsStr, name: &str) -> bool {
    let text = argument.to_string_lossy();
    text == name
        || text
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('='))
}

/// The person who runs this: the user who called sudo, or else the current user.
pub(super) fn user() -> String {
    if let Ok(user) = std::env::var("SUDO_USER")
        && Uid::effective().is_root()
    {
        return user.chars().filter(|c| !c.is_control()).collect();
    }
    let user = User::from_uid(Uid::effective()).ok().flatten();
    user.map_or_else(|| Uid::effective().to_string(), |user| user.name)
}
