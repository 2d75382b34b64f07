//! Running commands: on this machine, and inside a host.

use std::fs::File;
use std::io::{Seek, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Host;

/// No command in a host may take longer; a test that hangs would say nothing.
const BOUND: Duration = Duration::from_secs(300);

/// What a command left behind.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    /// Exit status; 128 and the signal's number where a signal ended it.
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// The output if the exit status is `status`; panics with everything it printed otherwise.
    #[track_caller]
    pub(crate) fn expect(self, status: i32) -> Self {
        let Self {
            status: got,
            stdout,
            stderr,
        } = &self;
        assert!(
            *got == status,
            "exit status {got}, expected {status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}"
        );
        self
    }

    /// Standard output and standard error, in this order.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// Runs a command of this machine with `input` on its standard input.
pub(super) fn outer(command: &[&str], input: &[u8]) -> Output {
    let begun = Instant::now();
    // A file, not a pipe: nobody has to write while somebody reads.
    let stdin = if input.is_empty() {
        Stdio::null()
    } else {
        Stdio::from(file_with(input))
    };
    let done = Command::new("timeout")
        .args(["-k", "5", &BOUND.as_secs().to_string()])
        .args(command)
        .stdin(stdin)
        .output()
        .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let output = Output {
        status: exit_status(done.status),
        stdout: String::from_utf8_lossy(&done.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&done.stderr).into_owned(),
    };
    assert!(
        begun.elapsed() < BOUND,
        "still running after {BOUND:?}: {command:?}\n{}",
        output.text()
    );
    output
}

fn exit_status(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status
        .code()
        .or(status.signal().map(|signal| 128 + signal))
        .unwrap_or(-1)
}

fn file_with(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes)
        .and_then(|()| file.rewind())
        .expect("the temporary file takes the input");
    file
}

impl Host {
    /// Runs a command as root in the host, without a shell.
    pub(crate) fn run(&self, command: &[&str]) -> Output {
        self.exec(&[], command, b"")
    }

    /// Runs a command in the host, with more `docker exec` options and with bytes on its standard input.
    pub(super) fn exec(&self, options: &[&str], command: &[&str], input: &[u8]) -> Output {
        let line = [&["docker", "exec", "-i"], options, &[self.name()], command].concat();
        outer(&line, input)
    }

    /// Runs a shell script (`sh -eu`) as root and returns its output, trimmed at the end. Panics if it fails.
    #[track_caller]
    pub(crate) fn sh(&self, script: &str) -> String {
        checked(script, &self.try_sh(script))
    }

    /// Runs a shell script (`sh -eu`) as root.
    pub(crate) fn try_sh(&self, script: &str) -> Output {
        self.run(&["sh", "-eu", "-c", script])
    }

    /// Runs a shell script as `user`, in that user's home. Panics if it fails.
    #[track_caller]
    pub(crate) fn sh_as(&self, user: &str, script: &str) -> String {
        checked(script, &self.try_sh_as(user, script))
    }

    /// Runs a shell script as `user`, in that user's home.
    pub(crate) fn try_sh_as(&self, user: &str, script: &str) -> Output {
        let script = format!("cd; {script}");
        self.exec(
            &["-u", user, "-e", &format!("USER={user}")],
            &["sh", "-eu", "-c", &script],
            b"",
        )
    }

    /// Gets a URL with curl in the host. Its name is resolved to the host itself, never through DNS, and its
    /// certificate is not checked. The status is 0 if nothing answered.
    pub(crate) fn get(&self, url: &str) -> (u16, String) {
        let authority = url
            .split("//")
            .nth(1)
            .and_then(|rest| rest.split('/').next())
            .unwrap_or_default();
        let name = authority.split(':').next().unwrap_or_default();
        let (tls, plain) = (
            format!("{name}:443:127.0.0.1"),
            format!("{name}:80:127.0.0.1"),
        );
        let output = self.run(&[
            "curl",
            "-sk",
            "-m",
            "20",
            "--noproxy",
            "*",
            "--resolve",
            &tls,
            "--resolve",
            &plain,
            "-w",
            "\n%{http_code}",
            url,
        ]);
        let (body, status) = output.stdout.rsplit_once('\n').unwrap_or_default();
        (status.parse().unwrap_or(0), body.to_owned())
    }
}

#[track_caller]
fn checked(script: &str, output: &Output) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = output;
    assert!(
        *status == 0,
        "exit status {status} of script\n{script}\n--- stdout\n{stdout}\n--- stderr\n{stderr}"
    );
    stdout.trim_end().to_owned()
}
