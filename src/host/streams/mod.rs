//! Commands whose output or input is a backup: on the host or in a container, in constant memory.

mod error;
mod feed;
pub(crate) mod files;

use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::stream::{self, Stream, StreamExt};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc::Receiver;

use super::{Host, HostError};
pub(crate) use error::StreamError;
pub(crate) use feed::{Chunk, feed, pipe};

/// Bytes that are moved at once.
const CHUNK: usize = 64 * 1024;
/// Lines of what a command said that are kept.
const LINES: usize = 8;
/// Bytes of a line that are kept.
const LINE: usize = 500;
/// Bytes of a small answer that are kept.
const ANSWER: usize = 64 * 1024;
/// How often it is looked whether a signal came.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// A piece of what a command prints.
pub(super) enum Piece {
    /// On its standard output.
    Out(Vec<u8>),
    /// On its standard error.
    Err(Vec<u8>),
}

/// What a command prints.
pub(super) type Output = Pin<Box<dyn Stream<Item = Result<Piece, StreamError>> + Send>>;

/// A command that runs.
pub(crate) struct Running {
    pub(super) what: String,
    pub(super) input: Option<Pin<Box<dyn AsyncWrite + Send>>>,
    pub(super) output: Output,
    pub(super) process: Process,
}

/// How it ends, and is ended.
pub(super) enum Process {
    /// One of the host.
    Child(Box<tokio::process::Child>),
    /// One in a container.
    Exec {
        docker: std::sync::Arc<super::docker::Docker>,
        id: String,
    },
}

/// Where a command runs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RunIn<'a> {
    /// On the host, in this folder.
    Host(&'a std::path::Path),
    /// In the container of this id.
    Container(&'a str),
}

/// How long it may take, and what ends it before.
#[derive(Clone, Copy)]
pub(crate) struct Bounds<'a> {
    /// A signal.
    pub interrupted: &'a AtomicBool,
    pub timeout: Duration,
}

impl Host {
    /// Starts a command with nothing of this process in its environment but these variables.
    pub(crate) async fn begin(
        &self,
        place: RunIn<'_>,
        command: &[String],
        variables: &[(String, String)],
        with_input: bool,
    ) -> Result<Running, StreamError> {
        let what = command.join(" ");
        match place {
            RunIn::Container(container) => {
                let docker = self.docker().await?;
                let variables: Vec<String> = variables
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                let begun = docker
                    .exec(container, command, variables, with_input)
                    .await?;
                Ok(Running {
                    what,
                    input: with_input.then_some(begun.input),
                    output: begun.output,
                    process: Process::Exec {
                        docker,
                        id: begun.id,
                    },
                })
            }
            RunIn::Host(folder) => child(what, folder, command, variables, with_input),
        }
    }
}

fn child(
    what: String,
    folder: &std::path::Path,
    command: &[String],
    variables: &[(String, String)],
    with_input: bool,
) -> Result<Running, StreamError> {
    let failed = |source| StreamError::Start {
        what: what.clone(),
        source,
    };
    let (program, arguments) = command.split_first().ok_or_else(|| StreamError::Start {
        what: what.clone(),
        source: std::io::ErrorKind::InvalidInput.into(),
    })?;
    let mut started = tokio::process::Command::new(program)
        .args(arguments)
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", "/root")
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .current_dir(folder)
        .stdin(match with_input {
            true => Stdio::piped(),
            false => Stdio::null(),
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        // What it starts is ended with it.
        .process_group(0)
        .spawn()
        .map_err(failed)?;
    let input = started.stdin.take();
    let pieces = |read: Option<Pin<Box<dyn AsyncRead + Send>>>, of: fn(Vec<u8>) -> Piece| {
        stream::iter(read).flat_map(move |read| chunks(read).map(move |chunk| chunk.map(of)))
    };
    let out = started
        .stdout
        .take()
        .map(|out| Box::pin(out) as Pin<Box<dyn AsyncRead + Send>>);
    let err = started
        .stderr
        .take()
        .map(|err| Box::pin(err) as Pin<Box<dyn AsyncRead + Send>>);
    let output = stream::select(pieces(out, Piece::Out), pieces(err, Piece::Err));
    Ok(Running {
        what,
        input: input.map(|input| Box::pin(input) as Pin<Box<dyn AsyncWrite + Send>>),
        output: Box::pin(output),
        process: Process::Child(Box::new(started)),
    })
}

/// What a reader brings, until its end.
fn chunks(
    read: Pin<Box<dyn AsyncRead + Send>>,
) -> impl Stream<Item = Result<Vec<u8>, StreamError>> + Send {
    stream::unfold(Some(read), |read| async move {
        let mut read = read?;
        let mut chunk = vec![0; CHUNK];
        match read.read(&mut chunk).await {
            Ok(0) => None,
            Ok(count) => {
                chunk.truncate(count);
                Some((Ok(chunk), Some(read)))
            }
            Err(error) => Some((Err(StreamError::Pipe(error)), None)),
        }
    })
}

impl Running {
    /// Gives the command its input, hands on what it prints, and waits for its end.
    ///
    /// # Errors
    /// When it does not exit with 0, its input fails, what it prints cannot be handed on, or it has to be ended.
    pub(crate) async fn finish(
        mut self,
        input: Option<Receiver<Chunk>>,
        mut take: impl AsyncFnMut(Vec<u8>) -> Result<(), StreamError>,
        bounds: Bounds<'_>,
    ) -> Result<(), StreamError> {
        let mut said = Said::default();
        let writer = self.input.take();
        let output = &mut self.output;
        let moved = async {
            let fed = give(writer, input);
            let printed = async {
                while let Some(piece) = output.next().await {
                    match piece? {
                        Piece::Out(chunk) => take(chunk).await?,
                        Piece::Err(chunk) => said.add(&chunk),
                    }
                }
                Ok(())
            };
            tokio::pin!(fed, printed);
            tokio::select! {
                // One that has ended reads no more.
                printed = &mut printed => printed,
                fed = &mut fed => match fed {
                    Err(error) => Err(error),
                    Ok(()) => printed.await,
                },
            }
        };
        let signal = async {
            while !bounds.interrupted.load(Ordering::Relaxed) {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        let moved = tokio::select! {
            moved = tokio::time::timeout(bounds.timeout, moved) => match moved {
                Ok(moved) => moved,
                Err(_) => Err(StreamError::Late { what: self.what.clone(), after: bounds.timeout }),
            },
            () = signal => Err(StreamError::Interrupted),
        };
        if let Err(error) = moved {
            self.process.kill().await;
            return Err(error);
        }
        match self.process.ended().await? {
            None => Ok(()),
            Some(how) => Err(StreamError::Failed {
                what: self.what,
                how,
                said: said.lines(),
            }),
        }
    }

    /// Runs it to its end, and returns the beginning of what it printed.
    pub(crate) async fn answer(self, bounds: Bounds<'_>) -> Result<String, StreamError> {
        let mut printed = Vec::new();
        let take = async |chunk: Vec<u8>| {
            let room = ANSWER.saturating_sub(printed.len());
            printed.extend(chunk.into_iter().take(room));
            Ok(())
        };
        self.finish(None, take, bounds).await?;
        Ok(String::from_utf8_lossy(&printed).into_owned())
    }
}

/// Writes what comes to a command, and then the end of it. Where what comes is cut off, the command does not see an end.
async fn give(
    writer: Option<Pin<Box<dyn AsyncWrite + Send>>>,
    input: Option<Receiver<Chunk>>,
) -> Result<(), StreamError> {
    let (Some(mut writer), Some(mut input)) = (writer, input) else {
        return Ok(());
    };
    while let Some(chunk) = input.recv().await {
        // One that does not read to the end says why itself.
        if writer.write_all(&chunk?).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
    if writer.shutdown().await.is_err() {
        std::future::pending::<()>().await;
    }
    Ok(())
}

impl Process {
    /// How it ended; `None`: with 0.
    async fn ended(&mut self) -> Result<Option<String>, StreamError> {
        match self {
            Process::Child(child) => {
                let status = child.wait().await.map_err(StreamError::Pipe)?;
                Ok(match (status.code(), status.signal()) {
                    (Some(0), _) => None,
                    (Some(code), _) => Some(format!("exited with {code}")),
                    (None, Some(signal)) => Some(format!("was ended by signal {signal}")),
                    (None, None) => Some("ended".to_owned()),
                })
            }
            Process::Exec { docker, id } => match docker.exec_status(id).await? {
                0 => Ok(None),
                code => Ok(Some(format!("exited with {code}"))),
            },
        }
    }

    async fn kill(&mut self) {
        match self {
            Process::Child(child) => {
                // It leads a process group, whose id is its own until it was waited for.
                let group = child.id().and_then(|id| i32::try_from(id).ok());
                if let Some(group) = group {
                    let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
                }
                let _ = child.kill().await;
            }
            Process::Exec { docker, id } => docker.end_exec(id).await,
        }
    }
}

/// The last lines that a command said.
#[derive(Default)]
struct Said {
    lines: VecDeque<String>,
    part: Vec<u8>,
}

impl Said {
    fn add(&mut self, chunk: &[u8]) {
        for byte in chunk {
            match byte {
                b'\n' => self.end_line(),
                byte if self.part.len() < LINE => self.part.push(*byte),
                _ => {}
            }
        }
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&self.part).trim_end().to_owned();
        self.part.clear();
        if !line.is_empty() {
            self.lines.push_back(line);
        }
        if self.lines.len() > LINES {
            self.lines.pop_front();
        }
    }

    fn lines(mut self) -> Vec<String> {
        self.end_line();
        self.lines.into()
    }
}

impl From<HostError> for StreamError {
    fn from(error: HostError) -> Self {
        StreamError::Host(Box::new(error))
    }
}
