//! Steps in progress: on a terminal one line that changes, elsewhere plain lines.

use super::output::{Output, clean, styled};
use super::render::{self, DIM, GOOD, WARN};
use crate::apply::Progress;
use crate::effect::Change;
use crate::model::{Answer, Gate};

pub(super) struct Lines {
    output: Output,
    quiet: bool,
    open: bool,
    warnings: Vec<String>,
}

impl Lines {
    pub(super) fn new(output: Output, quiet: bool) -> Self {
        Self {
            output,
            quiet,
            open: false,
            warnings: Vec::new(),
        }
    }

    /// The warnings so far.
    pub(super) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Ends a progress line that is still open.
    pub(super) fn end(&mut self) {
        if self.open {
            self.output.part("\r\u{1b}[K");
            self.open = false;
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.end();
    }
}

impl Lines {
    /// On a terminal, a line that the next one replaces.
    fn passing(&mut self, text: &str) {
        if !self.quiet && self.output.is_terminal() {
            let mark = styled(DIM, "…");
            self.output.part(&format!("\r\u{1b}[K{mark} {text}"));
            self.open = true;
        }
    }

    /// A line that stays.
    fn lasting(&mut self, word: &str, text: &str) {
        if !self.quiet {
            self.end();
            self.output.line(&format!("{word} {text}"));
        }
    }
}

impl Progress for Lines {
    fn begin(&mut self, change: &Change) {
        self.passing(&render::step(change));
    }

    fn done(&mut self, change: &Change) {
        self.lasting(&styled(GOOD, "done"), &render::step(change));
    }

    fn warn(&mut self, text: &str) {
        tracing::warn!("{text}");
        self.warnings.push(text.to_owned());
        self.lasting(&styled(WARN, "warning"), &clean(text));
    }

    fn asks(&mut self, gate: &Gate, failed: u32) {
        self.passing(&render::checking(gate, failed));
    }

    fn holds(&mut self, gate: &Gate, answer: &Answer) {
        self.lasting(&styled(GOOD, "done"), &render::passed(gate, answer));
    }

    fn say(&mut self, text: &str) {
        tracing::info!("{text}");
        let (word, text) = match text.strip_prefix("undo: ") {
            Some(step) => ("undo:", step),
            None => ("note", text),
        };
        self.lasting(&styled(DIM, word), &clean(text));
    }
}
