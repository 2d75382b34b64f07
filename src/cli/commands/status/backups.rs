//! What the status says of backups.

use jiff::Timestamp;

use super::text::{Line, age};
use crate::cli::masks::mask;
use crate::cli::render::BAD;
use crate::reconcile::BackupStatus;

/// A line for each backup, and for each thing that is wrong with it.
pub(super) fn lines(backups: &[BackupStatus], now: Timestamp) -> Vec<Line> {
    let mut lines = Vec::new();
    let old = |time: Timestamp| age(now.duration_since(time).as_secs());
    for backup in backups {
        let name = &backup.name;
        let made = match &backup.record.good {
            Some(good) => format!("the last good one is {} old", old(good.time)),
            None => "none was made here yet".to_owned(),
        };
        let rehearsed = match &backup.rehearsal {
            None => "not rehearsed".to_owned(),
            Some(rehearsal) => match rehearsal.good {
                Some(good) => format!("rehearsed {} ago", old(good)),
                None => "never rehearsed successfully".to_owned(),
            },
        };
        let style = match backup.wrong.is_empty() {
            true => anstyle::Style::new(),
            false => BAD,
        };
        lines.push((style, format!("backup {name}: {made}, {rehearsed}")));
        for wrong in &backup.wrong {
            lines.push((BAD, format!("  {}", mask(wrong))));
        }
    }
    lines
}
