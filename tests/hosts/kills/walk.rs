//! Tries many points, on several hosts at a time.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::points::{self, Kind, Point};
use super::walker::{Tried, Walker};

/// What is done at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Kill,
    KillAfter,
    Fail,
}

/// Errors that take turns.
const ERRORS: [&str; 3] = ["ENOSPC", "EIO", "EROFS"];

/// Hosts that may be lost before the rest is given up: so many tell enough.
const LOST: usize = 5;

/// Points that are tried however long that takes.
const AT_LEAST: usize = 30;

/// What came of all points.
#[derive(Default)]
pub(super) struct Report {
    pub tried: usize,
    pub kinds: BTreeMap<Kind, usize>,
    /// Points at which the call was the one that the count had there.
    pub as_planned: usize,
    /// Of each exit status, the points.
    pub statuses: BTreeMap<i32, Vec<String>>,
    pub problems: String,
}

/// A number from the environment.
pub(super) fn setting(name: &str, default: usize) -> usize {
    let value = std::env::var(name).ok();
    value.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Tries each point once, on whichever host is free, in the direction in which that one goes next; until the time is
/// over, but [`AT_LEAST`] of them.
pub(super) fn walk(first: Walker, work: &[(Fault, Point)], time: Duration) -> Report {
    let (began, next, lost) = (Instant::now(), AtomicUsize::new(0), AtomicUsize::new(0));
    let (first, report) = (Mutex::new(Some(first)), Mutex::new(Report::default()));
    let take = || {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let over =
            index >= AT_LEAST && began.elapsed() > time || lost.load(Ordering::Relaxed) > LOST;
        work.get(index)
            .filter(|_| !over)
            .map(|point| (index, point))
    };
    let go = || {
        let ready = first.lock().expect("no panic before").take();
        let mut walker = ready.unwrap_or_else(Walker::new);
        while let Some((index, (fault, point))) = take() {
            let error = ERRORS[index % ERRORS.len()];
            let began = Instant::now();
            let tried = match fault {
                Fault::Kill => walker.kill(point, false),
                Fault::KillAfter => walker.kill(point, true),
                Fault::Fail => walker.fail(point, error),
            };
            let bad = !tried.problems.is_empty();
            let mut report = report.lock().expect("no panic before");
            report.add(*fault, point, error, tried, began.elapsed());
            drop(report);
            if bad && !walker.mend(*fault == Fault::Fail) {
                lost.fetch_add(1, Ordering::Relaxed);
                walker = Walker::new();
            }
        }
    };
    thread::scope(|scope| (0..setting("KILL_HOSTS", 2)).for_each(|_| drop(scope.spawn(go))));
    report.into_inner().expect("no panic before")
}

/// Whether a run may succeed in spite of a failure there: what is cleared away after the commit may stay, a folder that
/// already exists need not be made, and one that stays empty harms nobody. Questions are asked again; a count may have
/// drifted to one, or to a file that is only read. A thread that cannot be started leaves its work to the others.
fn may_succeed(hit: &str) -> bool {
    let cleared = [
        "/watchme-apply/next",
        "/.leaving",
        "/watchme-apply/undo",
        "/generations/",
    ];
    let removes = ["unlinkat(", "unlink(", "rmdir("];
    let starts = |calls: &[&str]| calls.iter().any(|call| hit.starts_with(call));
    points::points(hit).iter().all(Point::is_question)
        || starts(&["mkdir(", "mkdirat(", "rmdir("])
        || hit.contains("AT_REMOVEDIR")
        || hit.contains("CLONE_THREAD")
        || starts(&removes) && cleared.iter().any(|place| hit.contains(place))
}

impl Report {
    fn add(&mut self, fault: Fault, point: &Point, error: &str, tried: Tried, took: Duration) {
        self.tried += 1;
        *self.kinds.entry(point.kind).or_default() += 1;
        let hit = tried
            .hit
            .split_once('(')
            .map(|(_, args)| points::what(args));
        // The ways there and back differ in the names that they go with.
        let same = |what: &str| {
            what.replace("-b", "-a")
                .replace("/b/", "/a/")
                .get(..50)
                .map(str::to_owned)
        };
        if hit.is_some_and(|hit| same(&hit) == same(&point.what)) {
            self.as_planned += 1;
        }
        let name = match fault {
            Fault::Fail => format!("{error} {point}"),
            _ => format!("{fault:?} {point}"),
        };
        let harmless = fault != Fault::Fail
            || tried.unrecorded
            || tried.asked_version
            || may_succeed(&tried.hit);
        let mut problems = String::new();
        for problem in tried.problems {
            let problem = problem.trim_end().replace('\n', "\n    ");
            let _ = writeln!(problems, "    {problem}");
        }
        if !problems.is_empty() {
            let _ = writeln!(self.problems, "{name}\n    hit {}\n{problems}", tried.hit);
        }
        if std::env::var_os("KILL_TRACE").is_some() {
            println!(
                "{:.1} s: {name}: {}\n{problems}",
                took.as_secs_f32(),
                tried.status
            );
        }
        let of_status = self.statuses.entry(tried.status).or_default();
        of_status.push(format!("{name}, hit {}", tried.hit));
        if tried.status == 0 && !harmless {
            let _ = writeln!(self.problems, "exit status 0: {name}, hit {}", tried.hit);
        }
    }
}
