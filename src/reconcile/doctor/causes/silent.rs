//! Services that run and whose log says nothing.

use jiff::SignedDuration;

use super::{Cause, What};
use crate::reconcile::doctor::facts::{Facts, Log};
use crate::reconcile::doctor::focus::Focus;

/// How long a service may take until its first line.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// Only of what somebody asks about by its name: many services have nothing to say.
pub(super) fn find(facts: &Facts, focus: &Focus) -> Vec<Cause> {
    let Focus::These { .. } = focus else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let containers = facts.containers();
    for one in containers.filter(|one| one.is_running() && focus.has_container(facts, one)) {
        let name = &one.name;
        let old = one
            .since
            .is_some_and(|since| facts.now.duration_since(since) > PATIENCE);
        match facts.logs.get(&one.id) {
            Some(Log::Unreadable(why)) => {
                let text = format!("the log of container {name} cannot be read");
                let cause = Cause::new(What::SilentLog, name, text).shown([why.clone()]);
                found.push(cause.fixed("have it write to json-file or journald: logging: driver in its compose file, in git; then: watchme-apply"));
            }
            Some(Log::Lines(lines)) if lines.is_empty() && old => {
                let text = format!("container {name} runs and has written nothing to its log");
                let engine = facts.engine().command();
                found.push(
                    Cause::new(What::SilentLog, name, text)
                        .fixed(format!("sudo {engine} top {name}; sudo {engine} exec {name} ls -l /var/log shows whether it writes to a file inside"))
                        .fixed("have the program write to standard output, and at once: PYTHONUNBUFFERED=1 for Python"),
                );
            }
            _ => {}
        }
    }
    found
}
