//! Running commands: on this machine, and inside a host.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::Host;

/// No command in a host may take longer; a test that hangs would say nothing.
const BOUND: Duration = Duration::from_secs(300);
/// How long output is waited for once a command has ended. What it left running may keep the pipes open.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// The environment of a command in a host begins with this.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Who runs a command in a host, and how.
#[derive(Clone, Copy, Default)]
pub(crate) struct Caller<'a> {
    /// A user with a group of the same name; root if it is empty.
    pub user: &'a str,
    /// The working directory; `/` if it is empty.
    pub folder: &'a str,
    /// More variables, each as `NAME=VALUE`.
    pub variables: &'a [&'a str],
}

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
    let child = Command::new("timeout")
        .args(["-k", "5", &BOUND.as_secs().to_string()])
        .args(command)
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let child = child.unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let output = output_of(child);
    assert!(
        begun.elapsed() < BOUND,
        "still running after {BOUND:?}: {command:?}\n{}",
        output.text()
    );
    output
}

/// What a command prints until it ends, as `docker exec` gives it: without what it started waiting in the background.
fn output_of(mut child: Child) -> Output {
    let (sender, chunks) = mpsc::channel::<(bool, Vec<u8>)>();
    let stdout = child.stdout.take().expect("a pipe");
    let stderr = child.stderr.take().expect("a pipe");
    let pipes: [(bool, Box<dyn Read + Send>); 2] =
        [(true, Box::new(stdout)), (false, Box::new(stderr))];
    for (is_stdout, mut pipe) in pipes {
        let sender = sender.clone();
        thread::spawn(move || {
            let mut buffer = [0; 1 << 14];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                // Nobody listens any more: the rest is of the background.
                if sender.send((is_stdout, buffer[..count].to_vec())).is_err() {
                    break;
                }
            }
        });
    }
    drop(sender);
    let status = child.wait().expect("a child");
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    while let Ok((is_stdout, chunk)) = chunks.recv_timeout(LAST_WORDS) {
        let printed = if is_stdout { &mut stdout } else { &mut stderr };
        printed.extend(chunk);
    }
    Output {
        status: exit_status(status),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
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
        self.exec(Caller::default(), command, b"")
    }

    /// Runs a command in the host, with bytes on its standard input.
    pub(super) fn exec(&self, caller: Caller<'_>, command: &[&str], input: &[u8]) -> Output {
        let line = self.inside(caller, command);
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        outer(&line, input)
    }

    /// The command of this machine that runs a command in the host. It does what `docker exec -i` does, which takes 25
    /// times as long, and much of a test is such commands.
    pub(crate) fn inside(&self, caller: Caller<'_>, command: &[&str]) -> Vec<String> {
        let Caller {
            user,
            folder,
            variables,
        } = caller;
        let process = self.process().to_string();
        let enter = [
            "nsenter", "--target", &process, "--mount", "--uts", "--ipc", "--net", "--pid",
        ];
        let home = match user {
            "" | "root" => "HOME=/root".to_owned(),
            user => format!("HOME=/home/{user}"),
        };
        let folder = if folder.is_empty() { "/" } else { folder };
        let with = ["env", "-i", "-C", folder, PATH, "HOSTNAME=host", &home];
        let become_user = ["setpriv", "--reuid", user, "--regid", user, "--init-groups"];
        let become_user = if user.is_empty() {
            &[]
        } else {
            &become_user[..]
        };
        // A session of its own: no terminal of whoever runs the tests.
        let line = [
            &enter[..],
            &["setsid"],
            become_user,
            &with,
            variables,
            command,
        ];
        line.concat().into_iter().map(str::to_owned).collect()
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
        let variables = [&*format!("USER={user}")];
        let caller = Caller {
            user,
            variables: &variables,
            ..Caller::default()
        };
        self.exec(caller, &["sh", "-eu", "-c", &script], b"")
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
