//! The line to an engine. Each request has a bound; an engine that went away is waited for once,
//! and one that hangs is not waited for again and again: after a first request in vain only a
//! short question tells whether it answers again.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::ping;
use crate::host::error::{DockerAbsence, HostError};
use crate::model::Engine;

/// Bound of a request with its answer.
pub(super) const REQUEST: Duration = Duration::from_secs(10);
/// Bound of the question whether an engine answers again.
const QUESTION: Duration = Duration::from_secs(1);
/// How long the answer to that counts, if it was no.
const COUNTS: Duration = Duration::from_secs(3);
/// How long an engine that went away has to come back; systemd starts it again after 2 s.
const COMES_BACK: Duration = Duration::from_secs(30);
/// How often it is looked for meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// What the last request has shown of the engine.
#[derive(Clone, Copy, Debug)]
enum Condition {
    /// It answers.
    Well,
    /// It did not answer, then.
    Mute(Instant),
    /// It went away, then.
    Lost(Instant),
}

/// A line to the engine behind a socket.
pub(super) struct Line {
    socket: PathBuf,
    kind: Engine,
    condition: Mutex<Condition>,
}

impl Line {
    pub(super) fn new(socket: &Path, kind: Engine) -> Self {
        Self {
            socket: socket.to_owned(),
            kind,
            condition: Mutex::new(Condition::Well),
        }
    }

    /// Makes a request. The library's own bound ends with the header of the answer.
    pub(super) async fn request<T>(
        &self,
        doing: impl Fn() -> String,
        future: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T, HostError> {
        self.request_within(REQUEST, doing, future).await
    }

    /// [`Line::request`] with another bound.
    pub(super) async fn request_within<T>(
        &self,
        bound: Duration,
        doing: impl Fn() -> String,
        future: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T, HostError> {
        self.ready().await?;
        match tokio::time::timeout(bound, future).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(bollard::errors::Error::RequestTimeoutError)) | Err(_) => {
                self.is_now(Condition::Mute(Instant::now()));
                Err(HostError::DockerMute {
                    engine: self.kind,
                    doing: doing(),
                    after: bound,
                })
            }
            Ok(Err(source)) => {
                let error = HostError::Docker {
                    engine: self.kind,
                    doing: doing(),
                    source: Box::new(source),
                };
                if error.is_lost() {
                    self.is_now(Condition::Lost(Instant::now()));
                }
                Err(error)
            }
        }
    }

    /// [`Line::request`] for a question, which may be asked twice: once more when the engine went
    /// away before it answered.
    pub(super) async fn look<T, F>(
        &self,
        doing: impl Fn() -> String,
        mut ask: impl FnMut() -> F,
    ) -> Result<T, HostError>
    where
        F: Future<Output = Result<T, bollard::errors::Error>>,
    {
        match self.request(&doing, ask()).await {
            Err(error) if error.is_lost() => self.request(&doing, ask()).await,
            other => other,
        }
    }

    /// Whether the engine answers; asked only where the last request was in vain.
    async fn ready(&self) -> Result<(), HostError> {
        let condition = *self.lock();
        let until = match condition {
            Condition::Well => return Ok(()),
            Condition::Mute(at) if at.elapsed() < COUNTS => {
                return Err(self.absent(DockerAbsence::Mute, None));
            }
            Condition::Mute(_) => Instant::now(),
            Condition::Lost(at) => at + COMES_BACK,
        };
        loop {
            let (why, source) =
                match tokio::time::timeout(QUESTION, ping::greet(&self.socket)).await {
                    Ok(Ok(_)) => {
                        self.is_now(Condition::Well);
                        return Ok(());
                    }
                    Ok(Err(source)) => (absence(&source), Some(source)),
                    Err(_) => (DockerAbsence::Mute, None),
                };
            if Instant::now() >= until {
                if let Condition::Mute(_) = condition {
                    self.is_now(Condition::Mute(Instant::now()));
                }
                return Err(self.absent(why, source));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Whether the engine answers a short question right now. One that does is not taken for mute any more.
    pub(super) async fn answers(&self) -> Result<(), HostError> {
        match tokio::time::timeout(QUESTION, ping::greet(&self.socket)).await {
            Ok(Ok(_)) => {
                let mut condition = self.lock();
                if let Condition::Mute(_) = *condition {
                    *condition = Condition::Well;
                }
                Ok(())
            }
            Ok(Err(source)) => Err(self.absent(absence(&source), Some(source))),
            Err(_) => Err(self.absent(DockerAbsence::Mute, None)),
        }
    }

    fn absent(&self, why: DockerAbsence, source: Option<io::Error>) -> HostError {
        HostError::DockerAbsent {
            socket: self.socket.clone(),
            why,
            source,
        }
    }

    fn is_now(&self, condition: Condition) {
        *self.lock() = condition;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Condition> {
        self.condition
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why nobody answers, by what the system said.
pub(super) fn absence(error: &io::Error) -> DockerAbsence {
    match error.kind() {
        io::ErrorKind::NotFound => DockerAbsence::NoSocket,
        io::ErrorKind::ConnectionRefused => DockerAbsence::Refused,
        io::ErrorKind::PermissionDenied => DockerAbsence::Forbidden,
        _ => DockerAbsence::Other,
    }
}
