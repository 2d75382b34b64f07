//! A port that somebody else has.

use super::{Cause, What};
use crate::reconcile::doctor::facts::Facts;

/// What a line says of a port.
pub(super) fn cause(
    facts: &Facts,
    line: &str,
    port: Option<u16>,
    place: &str,
    unit: Option<&str>,
) -> Cause {
    let number = port.map_or_else(|| "its port".to_owned(), |port| format!("port {port}"));
    let holder = port.and_then(|port| facts.listens(port)).map(|listener| {
        let program = listener.program.as_deref().unwrap_or("a program");
        match &listener.unit {
            Some(unit) => format!("{program} of {unit} listens there"),
            None => format!("{program} listens there"),
        }
    });
    // Whoever had it then may be stopped by now.
    let holder = holder.or_else(|| {
        let mut stopped = facts.stopped.iter();
        let other =
            stopped.find(|one| Some(one.port.port) == port && !place.contains(&one.container))?;
        Some(format!(
            "the container {} binds it when it starts (it is stopped now)",
            other.container
        ))
    });
    let text = format!("{place} cannot bind {number}: it is already in use");
    let mut cause = Cause::new(What::PortTaken, place, text)
        .shown([line.to_owned()])
        .shown(holder);
    cause = cause.fixed(match port {
        Some(port) => format!("sudo ss -ltnp 'sport = :{port}' shows who listens; stop that, or use another port in git: watchme-apply ports --free 8000-8999"),
        None => "watchme-apply ports shows who uses which".to_owned(),
    });
    match unit {
        Some(unit) => cause.fixed(format!("sudo systemctl restart {unit}")),
        None => cause,
    }
}
