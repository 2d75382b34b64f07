//! Exit code 137, and out of memory: by the limit of the container, by the host, or by somebody.

use super::{Cause, What, again};
use crate::model::Container;
use crate::reconcile::doctor::facts::Facts;

/// Who killed.
#[derive(Debug, PartialEq, Eq)]
enum By {
    /// The limit of the container.
    Limit,
    /// The kernel, because the whole host was short.
    Host,
    /// The kernel; which of the two is not known.
    Memory,
    /// Somebody.
    Somebody,
}

/// Why a container was killed; nothing for one that was not, or that runs again.
pub(super) fn find(facts: &Facts, container: &Container) -> Option<Cause> {
    let is_down = !container.is_running();
    if !is_down || (container.exit_code != 137 && !container.oom_killed) {
        return None;
    }
    let name = &container.name;
    let (by, line) = by(facts, container);
    let engine = facts.engine().command();
    let text = match by {
        By::Limit => {
            format!("container {name} was killed by the kernel: it reached its memory limit")
        }
        By::Host => {
            format!("container {name} was killed by the kernel: the whole host was short of memory")
        }
        By::Memory => format!("container {name} was killed by the kernel, out of memory"),
        By::Somebody => format!(
            "container {name} was killed by SIGKILL (exit code 137), and not for memory: {engine} kill, or a stop that took too long"
        ),
    };
    let mut cause = Cause::new(What::Killed, name, text)
        .shown([format!(
            "State.OOMKilled is {}, exit code {}",
            container.oom_killed, container.exit_code
        )])
        .shown(line);
    cause = match by {
        By::Limit => cause
            .fixed(format!("sudo {engine} stats --no-stream shows what the others take"))
            .fixed("raise mem_limit of the service in its compose file, in git; then: watchme-apply"),
        By::Host | By::Memory => cause
            .fixed(format!("free -m; sudo {engine} stats --no-stream"))
            .fixed("watchme-apply pause OTHER --for 2h --reason \"free memory\"")
            .fixed("give each service a mem_limit whose sum fits the host, in git: watchme-apply check compares it with [budget]"),
        By::Somebody => cause.fixed(format!("sudo {engine} events --since 24h --until 0s --filter container={name} shows when; does it end on SIGTERM within stop_grace_period?")),
    };
    Some(cause.fixed(again(facts, container)))
}

/// Who did it, with the line of the kernel that says so. The kernel names the control group of what it killed, mm/oom_kill.c.
fn by(facts: &Facts, container: &Container) -> (By, Option<String>) {
    let mut lines = facts.kernel.iter().rev();
    let line = lines.find(|line| !container.id.is_empty() && line.contains(&container.id));
    let by = match line {
        Some(line) if line.contains("CONSTRAINT_MEMCG") => By::Limit,
        Some(line) if line.contains("CONSTRAINT_NONE") => By::Host,
        Some(_) => By::Memory,
        // The engine says so of a limit only: it watches the events of the container's own control group.
        None if container.oom_killed => By::Limit,
        None => By::Somebody,
    };
    (by, line.cloned())
}
