//! The one question that an apply asks: whether it may remove or stop something.

use std::fs::OpenOptions;
use std::io::{self, BufRead, IsTerminal, Write};
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::output::{Output, clean};
use super::render;
use crate::reconcile::Loss;

/// Lines of the question: more are in the plan above.
const LINES: usize = 30;

/// Whether there is somebody to ask: standard input is a terminal.
pub(super) fn somebody_is_there() -> bool {
    io::stdin().is_terminal()
}

/// Asks whether the apply may remove or stop these. Only yes is consent: not the end of input, and not a signal.
pub(super) fn may_go(output: &mut Output, loss: &Loss) -> bool {
    let mut lines = Vec::new();
    if let Some(other) = &loss.taken_from {
        lines.push(format!("the host is taken over from {}", clean(other)));
    }
    let steps = loss.changes.iter().map(render::step);
    lines.extend(steps);
    let more = lines.len().saturating_sub(LINES);
    lines.truncate(LINES);
    let mut text = "this removes or stops:\n".to_owned();
    lines
        .iter()
        .for_each(|line| text.push_str(&format!("  {line}\n")));
    if more > 0 {
        text.push_str(&format!("  and {more} more, in the plan above\n"));
    }
    agreed(output, text)
}

/// Asks whether something may be done that a text describes.
pub(super) fn may(output: &mut Output, text: &str) -> bool {
    agreed(output, format!("{}\n", clean(text)))
}

fn agreed(output: &mut Output, mut text: String) -> bool {
    text.push_str("Continue? [y/N] ");
    // If standard error is redirected, the question goes to the terminal itself.
    match io::stderr().is_terminal() {
        true => output.ask(&text),
        false => {
            let terminal = OpenOptions::new().write(true).open("/dev/tty");
            let asked = terminal.and_then(|mut terminal| terminal.write_all(text.as_bytes()));
            if asked.is_err() {
                return false;
            }
        }
    }
    is_yes(answer().as_deref())
}

/// A line of standard input. A signal ends the wait: poll(2) is not restarted.
fn answer() -> Option<String> {
    let stdin = io::stdin();
    let mut ready = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    poll(&mut ready, PollTimeout::NONE).ok()?;
    let mut line = String::new();
    stdin.lock().read_line(&mut line).ok()?;
    Some(line)
}

fn is_yes(answer: Option<&str>) -> bool {
    answer.is_some_and(|answer| matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_consent() {
        for (answer, yes) in [
            (Some("y\n"), true),
            (Some(" YES \n"), true),
            (Some("\n"), false),
            (Some("no\n"), false),
            (Some("yellow\n"), false),
            (None, false),
        ] {
            assert_eq!(is_yes(answer), yes, "{answer:?}");
        }
    }
}
