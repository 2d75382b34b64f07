//! One run at a time.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};

use super::{State, StateError};
use crate::model::layout;
use crate::root::RootError;

/// How often a held lock is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(100);

/// The lock, held until it is dropped; the kernel lets go of it when the process dies, flock(2).
#[derive(Debug)]
pub(crate) struct Lock {
    _held: Flock<File>,
}

impl State {
    /// Takes the lock, waiting up to `patience`.
    ///
    /// # Errors
    /// [`StateError::Locked`] with the holder's process id, or what the file system said.
    pub(crate) fn lock(&self, patience: Duration) -> Result<Lock, StateError> {
        let path = self.path("lock");
        self.root.make_folder(Path::new(layout::STATE))?;
        let failed = |source: io::Error| RootError {
            doing: "lock",
            path: self.root.join(&path),
            source,
        };
        let mut file = self.root.open_or_make(&path)?;
        let until = Instant::now() + patience;
        loop {
            file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(mut held) => {
                    write_holder(&mut held).map_err(failed)?;
                    // Earlier versions let everybody read them.
                    for folder in [layout::STATE, layout::GENERATIONS, layout::NEXT] {
                        let folder = Path::new(folder);
                        if self.root.is_there(folder) {
                            self.root.set_mode(folder, 0o700)?;
                        }
                    }
                    // Records that a killed run was writing.
                    self.root.remove_temporary(Path::new(layout::STATE))?;
                    return Ok(Lock { _held: held });
                }
                Err((file, nix::errno::Errno::EWOULDBLOCK)) => file,
                Err((_, error)) => return Err(failed(error.into()).into()),
            };
            if Instant::now() >= until {
                let holder = holder(&mut file);
                return Err(StateError::Locked { holder });
            }
            std::thread::sleep(TRY_AGAIN);
        }
    }
}

/// Whether a journal that is not empty belongs to a run that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InProgress {
    /// This run holds the lock.
    Yes(String),
    /// Nobody holds it: the run was killed.
    No,
    /// This user may not look.
    Unknown,
}

impl State {
    /// Looks at the lock without taking it or writing to it.
    pub(crate) fn in_progress(&self) -> InProgress {
        let Ok(mut file) = self.root.open_to_read(&self.path("lock")) else {
            return InProgress::Unknown;
        };
        let holder = holder(&mut file);
        match Flock::lock(file, FlockArg::LockSharedNonblock) {
            Ok(_) => InProgress::No,
            Err((_, nix::errno::Errno::EWOULDBLOCK)) => InProgress::Yes(holder),
            Err(_) => InProgress::Unknown,
        }
    }
}

fn write_holder(file: &mut File) -> io::Result<()> {
    let command: Vec<String> = std::env::args().skip(1).collect();
    file.set_len(0)?;
    file.rewind()?;
    let command = [&["watchme-apply".to_owned()], command.as_slice()].concat();
    writeln!(file, "pid {} ({})", std::process::id(), command.join(" "))
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    match (read, text.trim()) {
        (Ok(_), line) if !line.is_empty() => line.chars().filter(|c| !c.is_control()).collect(),
        _ => "its process id is not known".to_owned(),
    }
}
