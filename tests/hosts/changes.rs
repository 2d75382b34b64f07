//! One resource at a time is changed, added, removed, renamed: what had to happen happened, and nothing else.

mod compose;
mod kinds;
mod sites;
mod units;

use crate::support::{Host, Runs, desired, site, sleeper};

const UNITS: [&str; 3] = ["one.service", "two.service", "three.service"];

/// A host with the sites `a` and `b` and three services, applied.
fn applied_host() -> Host {
    let host = Host::boot();
    host.checkout(&[
        ("desired-state/sites-available/a", &site("a", "a first")),
        ("desired-state/sites-available/b", &site("b", "b first")),
        ("desired-state/systemd/one.service", &sleeper(1001)),
        ("desired-state/systemd/two.service", &sleeper(1002)),
        ("desired-state/systemd/three.service", &sleeper(1003)),
        ("README.md", "first\n"),
    ]);
    host.apply(&[]).expect(0);
    host
}

/// Commits one file of the desired state, applies it, and returns the units (or nginx's master) that run anew.
#[track_caller]
fn change(host: &Host, path: &str, content: Option<&str>) -> Vec<String> {
    host.commit(&[(&desired(path), content)], path);
    let before = host.runs(&UNITS);
    host.apply(&[]).expect(0);
    restarted(host, &before)
}

#[track_caller]
fn restarted(host: &Host, before: &Runs) -> Vec<String> {
    let now = host.runs(&UNITS);
    now.restarted_since(before)
        .into_iter()
        .map(str::to_owned)
        .collect()
}

const NOBODY: [&str; 0] = [];
