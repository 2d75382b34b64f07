//! Programs that judge: run within a bound, with all that they say.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::memfd::{MFdFlags, memfd_create};

/// How often it is looked whether a program has ended.
const POLL: Duration = Duration::from_millis(2);
/// More than this nobody reads, and no program says.
const READ: u64 = 1 << 20;

/// How a program ended.
#[derive(Debug)]
pub(super) struct Ran {
    /// Its exit status; `None` when it was ended because it took longer than `bound`.
    pub status: Option<ExitStatus>,
    /// What it said, on standard output and standard error.
    pub said: String,
}

/// Runs a program.
///
/// # Errors
/// When it cannot be started.
pub(super) fn run(command: &mut Command, bound: Duration) -> io::Result<Ran> {
    // A file, not a pipe: nobody has to read while it writes.
    let mut said = File::from(memfd_create("said", MFdFlags::MFD_CLOEXEC)?);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(said.try_clone()?)
        .stderr(said.try_clone()?)
        .spawn()?;
    let until = Instant::now() + bound;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if Instant::now() > until {
            child.kill()?;
            child.wait()?;
            break None;
        }
        std::thread::sleep(POLL);
    };
    let mut bytes = Vec::new();
    said.rewind()?;
    said.take(READ).read_to_end(&mut bytes)?;
    Ok(Ran {
        status,
        said: String::from_utf8_lossy(&bytes).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_says_and_how_it_ends() -> io::Result<()> {
        let mut shell = Command::new("sh");
        let ran = run(
            shell.args(["-c", "echo out; echo err >&2; exit 3"]),
            Duration::from_secs(10),
        )?;
        assert_eq!(ran.said, "out\nerr\n");
        assert_eq!(ran.status.and_then(|status| status.code()), Some(3));
        Ok(())
    }

    #[test]
    fn one_that_takes_too_long_is_ended() -> io::Result<()> {
        let began = Instant::now();
        let ran = run(Command::new("sleep").arg("60"), Duration::from_millis(50))?;
        assert!(ran.status.is_none());
        assert!(began.elapsed() < Duration::from_secs(30));
        Ok(())
    }
}
