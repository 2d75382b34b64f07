//! What the status says of runs: what they applied, how the last one ended, and what differs since.

use super::text::Page;
use crate::cli::render::plan::origin;
use crate::cli::render::{BAD, DIM, GOOD, STRONG, WARN, count, in_sync_but, records, when};
use crate::model::RunRecord;
use crate::reconcile::Status;

impl Page {
    /// What goes back by itself.
    pub(super) fn waiting(&mut self, status: &Status) {
        let Some(waiting) = &status.waiting else {
            return;
        };
        let (generation, back_to) = (waiting.generation, waiting.back_to);
        let text = match (generation, waiting.seconds_left(self.now)) {
            (None, _) => format!(
                "an apply that will wait for confirmation has not finished; unless it is confirmed, generation {back_to} is restored"
            ),
            (Some(number), 0) => format!(
                "generation {number} was not confirmed, and will be rolled back to {back_to}: watchme-apply rollback {back_to}"
            ),
            (Some(number), left) => format!(
                "generation {number} waits for confirmation, and will be rolled back to {back_to} in {left} s: watchme-apply confirm"
            ),
        };
        self.say(WARN, &text, 0);
    }

    pub(super) fn runs(&mut self, status: &Status) {
        match &status.applied {
            Some(record) => self.applied(record),
            None if status.problem.is_none() => {
                self.say(anstyle::Style::new(), "nothing was applied yet", 0);
            }
            None => {}
        }
        match (&status.failed, &status.last) {
            (Some(run), _) => self.say(WARN, &records::failed(run), 0),
            (None, Some(run)) if status.applied.as_ref().is_some_and(|last| last != run) => {
                let text = format!("the last run: {}", records::ended(run));
                self.say(anstyle::Style::new(), &text, 0);
            }
            _ => {}
        }
        if let Some(skip) = &status.skip {
            let text = format!("unattended runs wait: {}", records::skip(skip));
            self.say(WARN, &text, 0);
        }
        if let Some(text) = &status.unfinished {
            self.say(BAD, text, 0);
        }
    }

    fn applied(&mut self, record: &RunRecord) {
        let text = format!(
            "applied {} as {}{}",
            origin(&record.origin),
            records::generation(record),
            record.back_to.map_or_else(String::new, |number| format!(
                ", back to generation {number}"
            ))
        );
        self.say(STRONG, &text, 0);
        let only = match record.only.is_empty() {
            true => String::new(),
            false => format!(", only {}", record.only.join(", ")),
        };
        let text = format!(
            "{} {}, {}{only}",
            when(record.time),
            records::by(record),
            count(record.changes.len(), "change"),
        );
        self.say(anstyle::Style::new(), &text, 2);
    }

    pub(super) fn drift(&mut self, status: &Status) {
        let out_of_sync = status.out_of_sync();
        match out_of_sync.is_empty() {
            true if status.problem.is_some() || status.applied.is_none() => {}
            true if status.drift.incomplete => {
                let text = in_sync_but(&status.drift.warnings);
                self.say(WARN, &text, 0);
            }
            true => self.say(GOOD, "in sync", 0),
            false => {
                let text = format!("out of sync: {}", count(out_of_sync.len(), "resource"));
                self.say(WARN, &text, 0);
                for item in &status.drift.items {
                    let kind = item.kind.as_str();
                    let text = format!("{kind:<9} {}: {}", item.resource, item.what);
                    self.say(anstyle::Style::new(), &text, 2);
                }
            }
        }
        for warning in status.drift.warnings.iter().chain(&status.warnings) {
            self.say(WARN, &format!("warning {warning}"), 0);
        }
        for note in &status.drift.notes {
            self.say(DIM, &format!("note {note}"), 0);
        }
    }
}
