//! Health gates: what has to answer before a run is kept.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::stream::{self, Stream, StreamExt};

use super::{Progress, Run, StepError};
use crate::host::Host;
use crate::host::probe::Passed;
use crate::model::{Answer, Gate};

/// Between two tries.
const PAUSE: Duration = Duration::from_secs(1);
/// Between two rounds of a soak.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// Gates that are asked at once: the servers have two processors.
const AT_ONCE: usize = 4;

impl Run<'_> {
    /// Asks every gate until it holds or has no tries left, several at once.
    ///
    /// # Errors
    /// The first gate that does not hold: the others are not waited for.
    pub(crate) async fn verify_gates(&mut self, gates: &[Gate]) -> Result<(), StepError> {
        let asked = ask_all(self.host, gates, self.progress, &self.interrupted);
        let mut asked = pin!(asked);
        while let Some(answer) = asked.next().await {
            let answer = answer?;
            self.answers.retain(|known| known.gate != answer.gate);
            self.answers.push(answer);
        }
        Ok(())
    }
}

impl Run<'_> {
    /// Asks the new copies of stacks what nginx would ask them for the gates, before it does: a copy that does not answer
    /// gets no request of anybody.
    pub(super) async fn verify_copies(
        &mut self,
        ports: &[u16],
        gates: &[Gate],
    ) -> Result<(), StepError> {
        let of_copies = ports
            .iter()
            .flat_map(|port| gates.iter().filter_map(|gate| gate.of_copy(*port)));
        let gates: Vec<Gate> = of_copies.collect();
        let known = self.answers.len();
        self.verify_gates(&gates).await?;
        // What is reported was asked through nginx.
        self.answers.truncate(known);
        Ok(())
    }

    /// Asks the gates again and again for as long as `time`.
    ///
    /// # Errors
    /// As [`Run::verify_gates`], and when a signal asks to stop.
    pub(super) async fn soak(&mut self, time: Duration, gates: &[Gate]) -> Result<(), StepError> {
        let until = Instant::now() + time;
        let known = self.answers.len();
        while Instant::now() < until {
            let next = Instant::now() + ASK_AGAIN;
            while Instant::now() < next.min(until) {
                if self.interrupted.load(Ordering::Relaxed) {
                    return Err(StepError::Interrupted);
                }
                tokio::time::sleep(PAUSE.min(ASK_AGAIN / 10)).await;
            }
            self.verify_gates(gates).await?;
            self.answers.truncate(known);
        }
        Ok(())
    }
}

/// Asks every gate, also when one does not hold. Changes nothing.
pub(crate) async fn ask_gates(
    host: &Host,
    gates: &[Gate],
    progress: &mut dyn Progress,
    interrupted: &AtomicBool,
) -> Vec<Result<Answer, StepError>> {
    ask_all(host, gates, progress, interrupted).collect().await
}

/// The answers as they come.
fn ask_all<'a>(
    host: &'a Host,
    gates: &'a [Gate],
    progress: &'a mut dyn Progress,
    interrupted: &'a AtomicBool,
) -> impl Stream<Item = Result<Answer, StepError>> + 'a {
    let progress = Rc::new(RefCell::new(progress));
    let ask = move |gate| ask(host, gate, progress.clone(), interrupted);
    stream::iter(gates).map(ask).buffer_unordered(AT_ONCE)
}

async fn ask(
    host: &Host,
    gate: &Gate,
    progress: Rc<RefCell<&mut dyn Progress>>,
    interrupted: &AtomicBool,
) -> Result<Answer, StepError> {
    let mut tries = 0;
    loop {
        if interrupted.load(Ordering::Relaxed) {
            return Err(StepError::Interrupted);
        }
        progress.borrow_mut().asks(gate, tries);
        let began = Instant::now();
        let answer = host.probe(gate).await;
        let took = began.elapsed();
        tries += 1;
        match answer {
            Ok(held) => {
                let answer = Answer {
                    gate: gate.probe.to_string(),
                    tries,
                    note: note(held),
                    milliseconds: u64::try_from(took.as_millis()).ok(),
                };
                progress.borrow_mut().holds(gate, &answer);
                return Ok(answer);
            }
            Err(error) if error.is_final() || tries > gate.retries => {
                return Err(StepError::Gate {
                    gate: Box::new(gate.clone()),
                    tries,
                    error,
                });
            }
            Err(error) => {
                tracing::debug!(gate = %gate.probe, tries, %error, "has not passed yet");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn note(held: Passed) -> Option<String> {
    match held {
        Passed::Well => None,
        Passed::WithBootstrapCertificate => {
            Some("served with the self-signed bootstrap certificate".to_owned())
        }
    }
}
