//! The port of a new service.

use super::NewFailure;
use crate::cli::commands::ports::Table;
use crate::source::policy::{Policy, PortRange};

/// Where is looked for a free one if watchme.toml allows any: `ports --free` has it as its example.
const USUAL: (u16, u16) = (8001, 8099);

/// The port that was asked for, or the first one that is free.
pub(super) fn choose(
    asked: Option<u16>,
    policy: &Policy,
    table: &Table,
) -> Result<u16, NewFailure> {
    let taken = table.taken();
    let ranges: Vec<(u16, u16)> = policy.ports.allowed.iter().map(ends).collect();
    if let Some(port) = asked {
        if taken.contains(&port) {
            let holder = table.holder(port);
            return Err(NewFailure::PortTaken { port, holder });
        }
        let is_in = ranges
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&port));
        if !ranges.is_empty() && !is_in {
            let allowed = shown(&ranges);
            return Err(NewFailure::PortOutside { port, allowed });
        }
        return Ok(port);
    }
    let ranges = match ranges.is_empty() {
        true => vec![USUAL],
        false => ranges,
    };
    let mut all = ranges.iter().flat_map(|(from, to)| *from..=*to);
    all.find(|port| *port > 0 && !taken.contains(port))
        .ok_or_else(|| NewFailure::NoPort {
            ranges: shown(&ranges),
        })
}

fn ends(range: &PortRange) -> (u16, u16) {
    (*range.start(), *range.end())
}

fn shown(ranges: &[(u16, u16)]) -> String {
    let shown = ranges.iter().map(|(from, to)| match from == to {
        true => from.to_string(),
        false => format!("{from}-{to}"),
    });
    shown.collect::<Vec<_>>().join(", ")
}
