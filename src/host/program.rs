//! Programs of the host that are run to the end: nft, ufw, and those of systemd that load files of /etc.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::memfd::{MFdFlags, memfd_create};

use super::HostError;

/// How often it is looked whether one has ended: most take milliseconds.
const POLL: Duration = Duration::from_millis(1);

/// What a program said.
pub(super) struct Ran {
    pub status: ExitStatus,
    /// Its standard output.
    pub printed: String,
    /// Its standard error.
    pub said: String,
}

/// Runs a program of the host, with a text on its standard input and nothing of this process in its environment.
pub(super) fn run(
    program: &Path,
    arguments: &[&str],
    input: &str,
    bound: Duration,
) -> Result<Ran, HostError> {
    let called = || format!("{} {}", program.display(), arguments.join(" "));
    let failed = |source| HostError::Program {
        program: called(),
        source,
    };
    // Files, not pipes: nobody has to read or write while it runs.
    let file = |name| memfd_create(name, MFdFlags::MFD_CLOEXEC).map(File::from);
    let files = || io::Result::Ok((file("given")?, file("printed")?, file("said")?));
    let (mut given, mut printed, mut said) = files().map_err(failed)?;
    let begin = || {
        given.write_all(input.as_bytes())?;
        given.rewind()?;
        Command::new(program)
            .args(arguments)
            .env_clear()
            .env("LC_ALL", "C")
            // ufw starts programs by name.
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .current_dir("/")
            .stdin(Stdio::from(given))
            .stdout(printed.try_clone()?)
            .stderr(said.try_clone()?)
            .spawn()
    };
    let mut child = begin().map_err(failed)?;
    let until = Instant::now() + bound;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        if Instant::now() > until {
            child.kill().and_then(|()| child.wait()).map_err(failed)?;
            return Err(HostError::Timeout {
                what: format!("run {}", called()),
                after: bound,
            });
        }
        std::thread::sleep(POLL);
    };
    let read = |file: &mut File| {
        let mut bytes = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut bytes)?;
        io::Result::Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    Ok(Ran {
        status,
        printed: read(&mut printed).map_err(failed)?,
        said: read(&mut said).map_err(failed)?,
    })
}

/// What a command prints that is run to the end while others go on. `program` is what it is called.
pub(super) async fn output(
    command: &mut tokio::process::Command,
    program: String,
    bound: Duration,
) -> Result<Output, HostError> {
    match tokio::time::timeout(bound, command.output()).await {
        Ok(output) => output.map_err(|source| HostError::Program { program, source }),
        Err(_) => Err(HostError::Timeout {
            what: format!("run {program}"),
            after: bound,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Duration = Duration::from_secs(20);

    #[test]
    fn a_program_is_not_there_answers_or_takes_too_long() {
        let error = run(Path::new("/nowhere/nft"), &["-j"], "", BOUND)
            .err()
            .unwrap();
        assert_eq!(error.to_string(), "could not run /nowhere/nft -j");
        let ran = run(Path::new("/bin/cat"), &[], "rules", BOUND).unwrap();
        assert_eq!(
            (ran.status.success(), &*ran.printed, &*ran.said),
            (true, "rules", "")
        );
        let short = Duration::from_millis(20);
        let error = run(Path::new("/bin/sleep"), &["60"], "", short)
            .err()
            .unwrap();
        let text = error.to_string();
        assert!(
            text.contains("run /bin/sleep 60") && text.contains("0.02 s"),
            "{text}"
        );
    }
}
