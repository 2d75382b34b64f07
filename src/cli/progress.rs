//! Steps in progress: on a terminal one line that changes, elsewhere plain lines.

use super::output::{Output, clean, styled};
use super::render::{self, DIM, GOOD, WARN};
use crate::apply::Progress;
use crate::effect::Change;
use crate::model::{Answer, Gate};

/// Shows steps.
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

impl Progress for Lines {
    fn begin(&mut self, change: &Change) {
        if !self.quiet && self.output.is_terminal() {
            let text = render::step(change);
            self.output
                .part(&format!("\r\u{1b}[K{} {text}", styled(DIM, "…")));
            self.open = true;
        }
    }

    fn done(&mut self, change: &Change) {
        if !self.quiet {
            self.end();
            let text = render::step(change);
            self.output
                .line(&format!("{} {text}", styled(GOOD, "done")));
        }
    }

    fn warn(&mut self, text: &str) {
        tracing::warn!("{text}");
        self.warnings.push(text.to_owned());
        if !self.quiet {
            self.end();
            self.output
                .line(&format!("{} {}", styled(WARN, "warning"), clean(text)));
        }
    }

    fn asks(&mut self, gate: &Gate, failed: u32) {
        if !self.quiet && self.output.is_terminal() {
            let text = render::checking(gate, failed);
            self.output
                .part(&format!("\r\u{1b}[K{} {text}", styled(DIM, "…")));
            self.open = true;
        }
    }

    fn holds(&mut self, gate: &Gate, answer: &Answer) {
        if !self.quiet {
            self.end();
            let text = render::passed(gate, answer);
            self.output
                .line(&format!("{} {text}", styled(GOOD, "done")));
        }
    }

    fn say(&mut self, text: &str) {
        tracing::info!("{text}");
        if !self.quiet {
            self.end();
            self.output
                .line(&format!("{} {}", styled(DIM, "note"), clean(text)));
        }
    }
}
