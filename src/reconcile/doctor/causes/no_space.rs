//! Disks without room. What deletes data is never advised.

use super::{Cause, What};
use crate::reconcile::doctor::facts::{Disk, Facts, Room};
use crate::reconcile::doctor::focus::Focus;

/// A disk is full when less than one part of so many is left.
const PARTS: u64 = 50;
/// The same of inodes.
const PARTS_OF_INODES: u64 = 100;
/// More than that is room enough, however large the disk is.
const ENOUGH: u64 = 2 << 30;

/// Disks that are full, or nearly. A question about something else has them, too: they stop everything.
pub(super) fn find(facts: &Facts, focus: &Focus) -> Vec<Cause> {
    if *focus == Focus::Nothing || *focus == Focus::Unknown {
        return Vec::new();
    }
    let full = facts.disks.iter().filter_map(|disk| of_disk(facts, disk));
    full.collect()
}

fn of_disk(facts: &Facts, disk: &Disk) -> Option<Cause> {
    let (bytes, left) = disk.bytes;
    let (inodes, inodes_left) = disk.inodes;
    let folder = disk.folder.display().to_string();
    let no_bytes = bytes > 0 && left < bytes / PARTS && left < ENOUGH;
    let no_inodes = inodes > 0 && inodes_left < inodes / PARTS_OF_INODES;
    let text = match (no_bytes, no_inodes) {
        (true, _) => format!(
            "the disk of {folder} is full: {} of {} are left",
            size(left),
            size(bytes)
        ),
        (false, true) => format!(
            "the disk of {folder} has no inodes: {inodes_left} of {inodes} are left, so no file can be created"
        ),
        (false, false) => return None,
    };
    let cause = Cause::new(What::NoSpace, folder.clone(), text);
    let cause = match no_bytes {
        true => cause,
        false => cause.fixed(format!(
            "sudo du --inodes -x -d 3 {folder} | sort -n | tail shows where the many files are"
        )),
    };
    let cause = with_room(facts, cause, Some(disk.device));
    Some(match cause.fix.is_empty() {
        true => cause.fixed(format!(
            "sudo du -x -d 3 {folder} | sort -n | tail shows what uses the space"
        )),
        false => cause,
    })
}

/// What a line says that found no room.
pub(super) fn of_line(facts: &Facts, line: &str, place: &str, unit: Option<&str>) -> Cause {
    let text = format!("{place} found no space on the disk");
    let cause = Cause::new(What::NoSpace, place, text).shown([line.to_owned()]);
    let cause = with_room(facts, cause.fixed("df -h; df -i"), None);
    match unit {
        Some(unit) => cause.fixed(format!("sudo systemctl restart {unit}")),
        None => cause,
    }
}

/// What takes room, on one file system or on any, and the commands that make some without a loss.
fn with_room(facts: &Facts, mut cause: Cause, device: Option<u64>) -> Cause {
    let engine = facts.engine().command();
    let takes = facts.takes.iter();
    for takes in takes.filter(|one| device.is_none() || one.device == device) {
        let bytes = size(takes.bytes);
        let (what, fix) = match &takes.what {
            Room::Images => (
                "images that no container uses".to_owned(),
                Some(format!("sudo {engine} image prune")),
            ),
            Room::BuildCache => (
                "the build cache".to_owned(),
                Some(format!("sudo {engine} builder prune")),
            ),
            Room::Log(name) => (
                format!("the log of container {name}"),
                Some(format!(
                    "rotate the log of {name}: logging: options: max-size in its compose file, in git (watchme-apply check: compose-no-log-rotation)"
                )),
            ),
            Room::Journal => (
                "the journal".to_owned(),
                Some("sudo journalctl --vacuum-size=200M".to_owned()),
            ),
            // Data: nothing is advised.
            Room::Volume(name) => (format!("the volume {name} (data)"), None),
        };
        cause = cause.shown([format!("{bytes}  {what}")]);
        cause.fix.extend(fix);
    }
    cause
}

fn size(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    const GIB: u64 = 1 << 30;
    match bytes {
        GIB.. => format!("{}.{} GiB", bytes / GIB, bytes % GIB * 10 / GIB),
        MIB.. => format!("{} MiB", bytes / MIB),
        _ => format!("{} KiB", bytes / 1024),
    }
}
