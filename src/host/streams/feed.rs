//! What a command gets on its standard input.

use std::io::Read;

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::{CHUNK, StreamError};

/// A part of a backup, or why there is no more of it.
pub(crate) type Chunk = Result<Vec<u8>, StreamError>;

/// How many chunks wait at most.
const WAITING: usize = 4;

/// Both ends of a way from one command to another.
pub(crate) fn pipe() -> (Sender<Chunk>, Receiver<Chunk>) {
    channel(WAITING)
}

/// Reads a file in a thread of its own.
pub(crate) fn feed(mut reader: impl Read + Send + 'static) -> Receiver<Chunk> {
    let (sender, receiver) = pipe();
    std::thread::spawn(move || {
        loop {
            let mut chunk = vec![0; CHUNK];
            let sent = match reader.read(&mut chunk) {
                Ok(0) => return,
                Ok(count) => {
                    chunk.truncate(count);
                    sender.blocking_send(Ok(chunk))
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let _ = sender.blocking_send(Err(StreamError::Pipe(error)));
                    return;
                }
            };
            // Nobody reads any more.
            if sent.is_err() {
                return;
            }
        }
    });
    receiver
}
