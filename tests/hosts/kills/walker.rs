//! A host that goes to and fro between the two sides.

use std::collections::BTreeMap;

use super::points::{self, Point};
use super::states::{self, Side};
use crate::support::{CHECKOUT, Host, Output, desired};

/// Warnings about records that follow the commit.
const UNRECORDED: [&str; 2] = [
    "the run is not in the history",
    "the record for unattended runs could not be written",
];

const SCRIPT: &str = "/usr/local/lib/kills";

/// A host at one of the two sides.
pub(super) struct Walker {
    host: Host,
    pub at: Side,
}

/// How a point went.
#[derive(Debug, Default)]
pub(super) struct Tried {
    /// Exit status of the run with the fault.
    pub status: i32,
    /// The call that was hit, as the trace has it.
    pub hit: String,
    /// Whether the run said that its record of what happened could not be written, which it goes on without.
    pub unrecorded: bool,
    /// Whether it was the start of the first program: `nginx -v`, without whose answer the rules that depend on a version
    /// have nothing to say.
    pub asked_version: bool,
    /// What does not hold.
    pub problems: Vec<String>,
}

/// What the script says, block by block: exit status and text.
struct Answer(BTreeMap<String, (i32, String)>);

impl Answer {
    fn read(output: &Output) -> Self {
        let mut blocks = BTreeMap::new();
        let mut name = String::new();
        for line in output.stdout.lines() {
            let headline = line
                .strip_prefix("== ")
                .and_then(|rest| rest.split_once(' '));
            if let Some((block, status)) = headline
                && let Ok(status) = status.parse()
            {
                name = block.to_owned();
                blocks.insert(name.clone(), (status, String::new()));
            } else if let Some((_, text)) = blocks.get_mut(&name) {
                text.push_str(line);
                text.push('\n');
            }
        }
        assert!(
            blocks.contains_key("end"),
            "the script ended early: {}",
            output.text()
        );
        Self(blocks)
    }

    fn status(&self, block: &str) -> i32 {
        self.0.get(block).map_or(-1, |(status, _)| *status)
    }

    fn text(&self, block: &str) -> &str {
        self.0.get(block).map_or("", |(_, text)| text)
    }

    /// Notes a problem where `block` has another status, or lacks a text.
    fn expect(&self, block: &str, status: i32, says: &str, problems: &mut Vec<String>) {
        let text = self.text(block);
        if self.status(block) != status || !text.contains(says) {
            // The plan stands before what went wrong.
            let wrong = text.rfind("error:").map(|from| &text[from..]);
            let mut last: Vec<&str> = wrong.unwrap_or(text).lines().rev().take(30).collect();
            last.reverse();
            let (status, last) = (self.status(block), last.join("\n"));
            problems.push(format!("{block}: status {status}\n{last}"));
        }
    }
}

impl Walker {
    /// A host with a checkout of both sides, at none of them.
    fn bare() -> Self {
        let host = Host::boot();
        host.write(SCRIPT, include_str!("host.sh"));
        host.load_service_images(&states::IMAGES);
        let walker = Self { host, at: Side::A };
        walker.check_out();
        walker.ask(&["set-up"]);
        walker
    }

    /// A host at side A, which has been at B.
    pub(super) fn new() -> Self {
        let mut walker = Self::bare();
        for side in [Side::A, Side::B, Side::A] {
            walker.arrive(side);
            if side == Side::A {
                walker.ask(&["widen"]);
            }
            walker.ask(&["remember", side.name(), side.other().name()]);
        }
        walker
    }

    /// A host for chains of kills, which has been at both sides and is at A.
    pub(super) fn for_chains() -> Self {
        let mut walker = Self::bare();
        for side in [Side::A, Side::B, Side::A, Side::B, Side::A] {
            walker.arrive(side);
            walker.ask(&["picture", side.name()]);
        }
        walker
    }

    /// Goes through a chain of killed commands and ends at `end`. Returns what does not hold, and
    /// what the commands were.
    pub(super) fn chain(&self, end: Side, links: &[String]) -> (Vec<String>, String) {
        let mut args = vec!["chain", end.name()];
        args.extend(links.iter().map(String::as_str));
        let answer = self.ask(&args);
        let mut problems = Vec::new();
        answer.expect("links", 0, "", &mut problems);
        answer.expect("final", 0, "", &mut problems);
        answer.expect("tested", 0, "", &mut problems);
        answer.expect("again", 0, "in sync", &mut problems);
        answer.expect("leftovers", 0, "", &mut problems);
        answer.expect("compared", 0, "", &mut problems);
        (problems, answer.text("links").to_owned())
    }

    /// Each side is a branch.
    fn check_out(&self) {
        let files = |side: Side| -> Vec<(String, Option<String>)> {
            let own = states::files(side).into_iter();
            let gone = states::only(side.other()).into_iter();
            own.map(|(path, content)| (desired(&path), Some(content)))
                .chain(gone.map(|path| (desired(&path), None)))
                .collect()
        };
        self.host.checkout(&[]);
        for side in [Side::A, Side::B] {
            let files = files(side);
            let files: Vec<(&str, Option<&str>)> = files
                .iter()
                .map(|(path, content)| (path.as_str(), content.as_deref()))
                .collect();
            self.host.commit(&files, side.name());
            let branch = format!("cd {CHECKOUT}; git branch {}", side.name());
            self.host.sh_as("ubuntu", &branch);
        }
    }

    /// An apply that nothing disturbs.
    fn arrive(&mut self, side: Side) {
        let applied = self.ask(&["apply", side.name()]);
        assert_eq!(applied.status("first"), 0, "{}", applied.text("first"));
        self.at = side;
    }

    fn ask(&self, args: &[&str]) -> Answer {
        Answer::read(&self.host.run(&[&["sh", SCRIPT], args].concat()))
    }

    /// The points of an apply that goes to the other side.
    pub(super) fn count(&mut self) -> Vec<Point> {
        let side = self.at.other();
        let answer = self.ask(&["count", side.name(), &points::traced()]);
        assert_eq!(answer.status("first"), 0, "{}", answer.text("first"));
        self.at = side;
        points::points(answer.text("trace"))
    }

    /// Kills a run to the other side: nginx can load what lies there, the next run arrives, and the one after has
    /// nothing to do.
    pub(super) fn kill(&mut self, point: &Point, after: bool) -> Tried {
        let how = if after { "after" } else { "kill" };
        let (side, number) = (self.at.other(), point.number.to_string());
        let answer = self.ask(&[how, side.name(), &point.call, &number]);
        let mut problems = Vec::new();
        // A run that makes fewer calls than the one that was counted ends before it gets there.
        if answer.status("first") != 0 {
            answer.expect("hit", 137, "", &mut problems);
        }
        answer.expect("tested", 0, "", &mut problems);
        answer.expect("second", 0, "", &mut problems);
        answer.expect("third", 0, "in sync", &mut problems);
        answer.expect("compared", 0, "", &mut problems);
        self.at = side;
        Tried {
            status: answer.status("first"),
            hit: answer.text("hit").trim().to_owned(),
            unrecorded: false,
            asked_version: false,
            problems,
        }
    }

    /// Has a call of a run to the other side fail: it stays at this side, or arrives there.
    pub(super) fn fail(&mut self, point: &Point, error: &str) -> Tried {
        let (side, number) = (self.at.other(), point.number.to_string());
        let answer = self.ask(&["fail", side.name(), &point.call, &number, error]);
        let status = answer.status("first");
        let mut problems = Vec::new();
        answer.expect("compared", 0, "", &mut problems);
        if ![0, 1, 3].contains(&status) || !problems.is_empty() {
            answer.expect("first", -1, "", &mut problems);
        }
        if status == 0 {
            self.at = side;
        }
        let hit = answer.text("hit").trim().to_owned();
        // A count that has drifted to what wakes the runtime: eventfd(2) never answers that.
        if hit.contains("<anon_inode:[eventfd]>") && self.mend(true) {
            problems.clear();
        }
        let said = answer.text("first");
        let programs = answer.text("programs").trim().to_owned();
        Tried {
            status,
            asked_version: programs == "1" && hit.contains("CLONE_VFORK"),
            hit,
            unrecorded: UNRECORDED.iter().any(|warning| said.contains(warning)),
            problems,
        }
    }

    /// After a problem: whether the host could be mended, or is of no more use.
    pub(super) fn mend(&self, failed: bool) -> bool {
        let (here, there) = (self.at.name(), self.at.other().name());
        let answer = match failed {
            true => self.ask(&["mend-back", here, there]),
            false => self.ask(&["mend", here]),
        };
        answer.status("compared") == 0
    }
}
