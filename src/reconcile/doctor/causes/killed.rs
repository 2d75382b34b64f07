//! Exit code 137, and out of memory: by the limit of the container, by the host, or by somebody.

use super::{Cause, What, again};
use crate::model::Container;
use crate::reconcile::doctor::facts::Facts;

/// Who killed.
#[derive(Debug, PartialEq, Eq)]
enum By {
    /// The limit of the container.
    Limit,
    /// The limit of a control group above it: a slice, or the container or virtual machine that the host is.
    Above(String),
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
    let text = match &by {
        By::Limit => {
            format!("container {name} was killed by the kernel: it reached its memory limit")
        }
        By::Above(group) => format!(
            "container {name} was killed by the kernel: the control group {group}, which it is in, reached its memory limit"
        ),
        By::Host => {
            format!("container {name} was killed by the kernel: the whole host was short of memory")
        }
        By::Memory => format!("container {name} was killed by the kernel, out of memory"),
        By::Somebody => format!(
            "container {name} was killed by SIGKILL (exit code 137), not for lack of memory: {engine} kill, or a stop that took too long"
        ),
    };
    let mut cause = Cause::new(What::Killed, name, text)
        .shown([format!(
            "State.OOMKilled is {}, exit code {}",
            container.oom_killed, container.exit_code
        )])
        .shown(line);
    cause = match &by {
        By::Limit => cause
            .fixed(format!("sudo {engine} stats --no-stream shows what the others use"))
            .fixed("raise mem_limit of the service in its compose file, in git; then: watchme-apply"),
        By::Above(group) => cause
            .fixed("systemd-cgtop -m -1 -n 1 shows what each control group uses")
            .fixed(format!(
                "raise the limit of {group} (MemoryMax= of a slice), or give the services in it a mem_limit whose sum fits it, in git"
            )),
        By::Host | By::Memory => cause
            .fixed(format!("free -m; sudo {engine} stats --no-stream"))
            .fixed("watchme-apply pause OTHER --for 2h --reason \"free memory\"")
            .fixed("give each service a mem_limit whose sum fits the host, in git: watchme-apply check compares it with [budget]"),
        By::Somebody => cause.fixed(format!("sudo {engine} events --since 24h --until 0s --filter container={name} shows when; does it end on SIGTERM within stop_grace_period?")),
    };
    Some(cause.fixed(again(facts, container)))
}

/// Who did it, with the line of the kernel that says so. The kernel names the control group whose limit it was, and that of what it
/// killed, mm/oom_kill.c.
fn by(facts: &Facts, container: &Container) -> (By, Option<String>) {
    let mut lines = facts.kernel.iter().rev();
    let line = lines.find(|line| !container.id.is_empty() && line.contains(&container.id));
    let by = match line {
        Some(line) if line.contains("CONSTRAINT_MEMCG") => match field(line, "oom_memcg=") {
            Some(group) if !group.contains(&container.id) => By::Above(group.to_owned()),
            _ => By::Limit,
        },
        Some(line) if line.contains("CONSTRAINT_NONE") => By::Host,
        Some(_) => By::Memory,
        // Also where the limit is that of a group above, or the host's: both reach the events of the container's own control
        // group, memory.events in cgroup-v2.rst and mem_cgroup_oom_notify() of mm/memcontrol-v1.c.
        None if container.oom_killed && container.has_memory_limit => By::Limit,
        None if container.oom_killed => By::Memory,
        None => By::Somebody,
    };
    (by, line.cloned())
}

/// What is behind a name in the line of the kernel, up to the next comma.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (_, behind) = line.split_once(name)?;
    behind.split(',').next().filter(|value| !value.is_empty())
}
