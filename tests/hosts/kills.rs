//! A run may be killed, or fail, at every call that changes something: what is left is a host that works, and that the
//! next run brings to what was wanted.

mod chains;
mod points;
mod states;
mod walk;
mod walker;

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use points::{Kind, Point};
use walk::{Fault, Report, setting, walk};
use walker::Walker;

/// How long points are tried for, in seconds. All of them take most of an hour: each run tries others.
const SECONDS: usize = 90;

#[test]
fn a_run_may_be_killed_at_every_call() {
    let (walker, points) = counted();
    let mut work: Vec<(Fault, Point)> = Vec::new();
    for point in points {
        // Between a request and its answer, too.
        if matches!(point.kind, Kind::BusDo | Kind::DockerDo) {
            work.push((Fault::KillAfter, point.clone()));
        }
        work.push((Fault::Kill, point));
    }
    let report = told(walker, &work);
    assert!(report.problems.is_empty(), "{}", report.problems);
}

#[test]
fn a_run_may_fail_at_every_call() {
    let (walker, points) = counted();
    let work: Vec<(Fault, Point)> = points
        .into_iter()
        .map(|point| (Fault::Fail, point))
        .collect();
    let report = told(walker, &work);
    assert!(report.problems.is_empty(), "{}", report.problems);
}

/// A host at side A, and the points in the order in which they are tried. `KILL_SEED=N` is the order of an earlier run.
fn counted() -> (Walker, Vec<Point>) {
    let mut walker = Walker::new();
    let (there, back) = (walker.count(), walker.count());
    let kinds = |points: &[Point]| {
        let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
        for point in points.iter().filter(|point| !point.is_question()) {
            *kinds.entry(point.kind).or_default() += 1;
        }
        kinds
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seed = setting(
        "KILL_SEED",
        now.expect("a clock after 1970").as_secs() as usize % 1000,
    );
    let (calls, back) = (kinds(&there), kinds(&back));
    println!("seed {seed}; calls there {calls:?}, back {back:?}");
    (walker, points::in_turn(&there, seed as u64))
}

/// Tries them for `KILL_SECONDS`; all of them with `KILL_ALL=1`, and with `KILL_ONLY=rename 3,fsync 7` those
/// alone. `KILL_SKIP=N` goes on behind the first N of an earlier run.
fn told(walker: Walker, work: &[(Fault, Point)]) -> Report {
    let began = Instant::now();
    let only = std::env::var("KILL_ONLY").unwrap_or_default();
    let named = |point: &Point| only.is_empty() || only.split(',').any(|name| point.is(name));
    let work: Vec<(Fault, Point)> = work
        .iter()
        .filter(|(_, point)| named(point))
        .skip(setting("KILL_SKIP", 0))
        .cloned()
        .collect();
    let work = work.as_slice();
    let seconds = match setting("KILL_ALL", 0) {
        1 => u64::MAX,
        _ => setting("KILL_SECONDS", SECONDS) as u64,
    };
    let report = walk(walker, work, Duration::from_secs(seconds));
    let statuses: Vec<(i32, usize)> = report
        .statuses
        .iter()
        .map(|(status, points)| (*status, points.len()))
        .collect();
    println!(
        "tried {} of {} points in {:?}, {} of them the very call: {:?}; exit statuses {statuses:?}",
        report.tried,
        work.len(),
        began.elapsed(),
        report.as_planned,
        report.kinds
    );
    report
}
