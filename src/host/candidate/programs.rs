//! Programs that validate: run within a bound, with all that they say.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::memfd::{MFdFlags, memfd_create};

/// How often it is looked whether a program has ended.
const POLL: Duration = Duration::from_millis(2);
/// More than this nobody reads, and no program says.
const READ: u64 = 1 << 20;

/// What a program and all that it started may have in memory together. RLIMIT_AS bounds each of them alone.
const MEMORY: u64 = 256 << 20;
/// How often that is added up.
const ADD_UP: Duration = Duration::from_millis(20);

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// By itself.
    With(ExitStatus),
    /// It took longer than this.
    OverTime(Duration),
    /// It took more memory than is allowed.
    OverMemory,
}

impl Ended {
    /// Its exit status, or why it was ended: `took longer than 20 s`.
    pub(super) fn status(self) -> Result<ExitStatus, String> {
        match self {
            Ended::With(status) => Ok(status),
            Ended::OverTime(bound) => Err(format!("took longer than {} s", bound.as_secs_f64())),
            Ended::OverMemory => Err(format!("took more than {} MiB of memory", MEMORY >> 20)),
        }
    }
}

/// What a program did.
#[derive(Debug)]
pub(super) struct Ran {
    /// How it ended.
    pub ended: Ended,
    /// What it said, on standard output and standard error.
    pub said: String,
}

/// The memory of all processes below `proc` that no file backs, in bytes: `RssAnon` and `RssShmem` of
/// proc_pid_status(5).
fn memory(proc: &Path) -> u64 {
    let entries = std::fs::read_dir(proc).into_iter().flatten().flatten();
    let texts = entries
        .filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok())
        .filter_map(|entry| std::fs::read_to_string(entry.path().join("status")).ok());
    let kilobytes = texts.map(|text| {
        let lines = text.lines().filter_map(|line| {
            let anonymous = line.strip_prefix("RssAnon:");
            let value = anonymous.or_else(|| line.strip_prefix("RssShmem:"))?;
            value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
        });
        lines.sum::<u64>()
    });
    kilobytes.sum::<u64>() << 10
}

/// Runs a program. The memory of the processes that `proc` has is bounded: the mount of its own process namespace.
pub(super) fn run(command: &mut Command, bound: Duration, proc: &Path) -> io::Result<Ran> {
    // A file, not a pipe: nobody has to read while it writes.
    let mut said = File::from(memfd_create("said", MFdFlags::MFD_CLOEXEC)?);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(said.try_clone()?)
        .stderr(said.try_clone()?)
        .spawn()?;
    let until = Instant::now() + bound;
    let mut added_up = Instant::now();
    let ended = loop {
        if let Some(status) = child.try_wait()? {
            break Ended::With(status);
        }
        let over = if Instant::now() > until {
            Some(Ended::OverTime(bound))
        } else if added_up.elapsed() > ADD_UP {
            added_up = Instant::now();
            (memory(proc) > MEMORY).then_some(Ended::OverMemory)
        } else {
            None
        };
        if let Some(over) = over {
            child.kill()?;
            child.wait()?;
            break over;
        }
        std::thread::sleep(POLL);
    };
    let mut bytes = Vec::new();
    said.rewind()?;
    said.take(READ).read_to_end(&mut bytes)?;
    Ok(Ran {
        ended,
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
            Path::new("/nowhere"),
        )?;
        assert_eq!(ran.said, "out\nerr\n");
        assert_eq!(ran.ended.status().map(|status| status.code()), Ok(Some(3)));
        Ok(())
    }

    #[test]
    fn one_that_takes_too_long_is_ended() -> io::Result<()> {
        let began = Instant::now();
        let mut sleep = Command::new("sleep");
        let bound = Duration::from_millis(50);
        let ran = run(sleep.arg("60"), bound, Path::new("/nowhere"))?;
        assert_eq!(
            ran.ended.status(),
            Err("took longer than 0.05 s".to_owned())
        );
        assert!(began.elapsed() < Duration::from_secs(30));
        Ok(())
    }

    #[test]
    fn processes_that_take_too_much_memory_together_are_ended() -> io::Result<()> {
        let proc = tempfile::tempdir()?;
        for process in ["1", "2"] {
            std::fs::create_dir(proc.path().join(process))?;
            let status =
                "Name:\tx\nRssAnon:\t  131072 kB\nRssFile:\t 9999999 kB\nRssShmem:\t     4 kB\n";
            std::fs::write(proc.path().join(process).join("status"), status)?;
        }
        assert_eq!(memory(proc.path()), (2 * (131_072 + 4)) << 10);
        let mut sleep = Command::new("sleep");
        let ran = run(sleep.arg("60"), Duration::from_secs(30), proc.path())?;
        assert_eq!(
            ran.ended.status(),
            Err("took more than 256 MiB of memory".to_owned())
        );
        Ok(())
    }
}
