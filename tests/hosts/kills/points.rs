//! The calls of an apply that change something, read from a trace of one that went well.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Calls that change a file system, or make a child, whatever their arguments are.
const ALWAYS: [(&str, Kind); 29] = [
    ("rename", Kind::Rename),
    ("renameat", Kind::Rename),
    ("renameat2", Kind::Rename),
    ("link", Kind::Link),
    ("linkat", Kind::Link),
    ("symlink", Kind::Link),
    ("symlinkat", Kind::Link),
    ("unlink", Kind::Unlink),
    ("unlinkat", Kind::Unlink),
    ("mkdir", Kind::Folder),
    ("mkdirat", Kind::Folder),
    ("rmdir", Kind::Folder),
    ("fsync", Kind::Sync),
    ("fdatasync", Kind::Sync),
    ("syncfs", Kind::Sync),
    ("chmod", Kind::Attributes),
    ("fchmod", Kind::Attributes),
    ("fchmodat", Kind::Attributes),
    ("chown", Kind::Attributes),
    ("fchown", Kind::Attributes),
    ("lchown", Kind::Attributes),
    ("fchownat", Kind::Attributes),
    ("utimensat", Kind::Attributes),
    ("ftruncate", Kind::Attributes),
    ("fallocate", Kind::Attributes),
    ("mount", Kind::Attributes),
    ("clone", Kind::Child),
    ("clone3", Kind::Child),
    ("vfork", Kind::Child),
];

/// Calls that do if they open for writing.
const OPENING: [&str; 4] = ["open", "openat", "openat2", "creat"];

/// Calls that do if their first descriptor is a file or a socket.
const WRITING: [&str; 8] = [
    "write", "writev", "pwrite64", "pwritev", "sendto", "sendmsg", "sendmmsg", "sendfile",
];

/// All calls that a count has to see. A machine that does not have one passes it over for its question mark, strace(1).
pub(super) fn traced() -> String {
    let always = ALWAYS.iter().map(|(name, _)| *name);
    let names = always.chain(OPENING).chain(WRITING);
    let names: Vec<String> = names.map(|name| format!("?{name}")).collect();
    names.join(",")
}

/// What a call changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Rename,
    Link,
    Unlink,
    Folder,
    Open,
    Write,
    Sync,
    Attributes,
    Child,
    /// A D-Bus message that asks for something.
    BusLook,
    /// A D-Bus message that has something done.
    BusDo,
    DockerLook,
    DockerDo,
}

/// One call of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub kind: Kind,
    /// Name of the system call.
    pub call: String,
    /// The how manieth call of this name it is in the main thread, from 1.
    pub number: usize,
    /// Its arguments, without what differs from run to run.
    pub what: String,
}

impl Point {
    /// Whether it goes by that name, such as `fsync 7`.
    pub(super) fn is(&self, name: &str) -> bool {
        format!("{} {}", self.call, self.number) == name
    }

    /// Whether it changes nothing: daemons are only asked how things are.
    pub(super) fn is_question(&self) -> bool {
        matches!(self.kind, Kind::BusLook | Kind::DockerLook)
    }
}

impl fmt::Display for Point {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} {} ({:?}) {}",
            self.call, self.number, self.kind, self.what
        )
    }
}

/// The points of a run, in its order.
pub(super) fn points(trace: &str) -> Vec<Point> {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let mut points = Vec::new();
    for line in trace.lines() {
        let Some((call, args)) = line.split_once('(') else {
            continue;
        };
        if !call.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            continue;
        }
        let number = numbers.entry(call).or_default();
        *number += 1;
        if let Some(kind) = kind(call, args) {
            points.push(Point {
                kind,
                call: call.to_owned(),
                number: *number,
                what: what(args),
            });
        }
    }
    points
}

fn kind(call: &str, args: &str) -> Option<Kind> {
    if let Some((_, kind)) = ALWAYS.iter().find(|(name, _)| *name == call) {
        return Some(*kind);
    }
    if OPENING.contains(&call) {
        let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"];
        let writing = call == "creat" || writes.iter().any(|flag| args.contains(flag));
        return (writing && is_file(args.split('"').nth(1)?)).then_some(Kind::Open);
    }
    let (_, descriptor) = args.split_once('<')?;
    // Standard output and error are no part of the host.
    if descriptor.starts_with('/') && !args.starts_with("1<") && !args.starts_with("2<") {
        return is_file(descriptor).then_some(Kind::Write);
    }
    if !descriptor.starts_with("socket:") {
        return None;
    }
    let text = args.split_once('"')?.1;
    Some(match text {
        _ if text.starts_with("GET ") => Kind::DockerLook,
        _ if ["POST ", "DELETE ", "PUT "]
            .iter()
            .any(|verb| text.starts_with(verb)) =>
        {
            Kind::DockerDo
        }
        _ if does(text) => Kind::BusDo,
        _ => Kind::BusLook,
    })
}

/// Whether a message to systemd has it do something.
fn does(message: &str) -> bool {
    [
        "StartUnit",
        "StopUnit",
        "RestartUnit",
        "ReloadUnit",
        "ResetFailedUnit",
        "Reload\\0",
    ]
    .iter()
    .any(|method: &&str| message.contains(method))
}

fn is_file(path: &str) -> bool {
    !["/dev/", "/proc/", "/memfd:"]
        .iter()
        .any(|other| path.starts_with(other))
}

/// A call without what differs from run to run: temporary names, numbers of descriptors, sockets, generations and
/// processes, times, and what was returned.
pub(super) fn what(args: &str) -> String {
    let args = args.rsplit_once(" = ").map_or(args, |(args, _)| args);
    let mut text = String::new();
    let mut rest = args;
    while let Some(at) = rest.find(".watchme-apply-") {
        let end = (at + ".watchme-apply-".len() + 6).min(rest.len());
        text.push_str(&rest[..at]);
        text.push('*');
        rest = &rest[end..];
    }
    text.push_str(rest);
    text.truncate(text.floor_char_boundary(160));
    text
}

/// Whether a point is one of the many calls on files that nobody reads yet, or any more.
fn is_bulk(point: &Point) -> bool {
    let places = [
        "/generations/",
        "/watchme-apply/next",
        "/watchme-apply/undo",
        "/watchme-apply/journal",
        "/watchme-apply/backups",
        "/watchme-apply/lock",
    ];
    // The switch and the commit themselves are no bulk.
    let decisive = match point.call.as_str() {
        "renameat2" | "syncfs" => true,
        // Temporary names are a `*` here.
        "rename" | "renameat" => !point.what.contains('*'),
        _ => false,
    };
    !decisive && places.iter().any(|place| point.what.contains(place))
}

/// The points of a run in the order in which they are tried as long as there is time, another one for each seed: of ten
/// in turn, two are requests to daemons, two bulk, and six any other.
pub(super) fn in_turn(points: &[Point], seed: u64) -> Vec<Point> {
    let points: Vec<&Point> = points.iter().filter(|point| !point.is_question()).collect();
    let is_request = |point: &Point| matches!(point.kind, Kind::BusDo | Kind::DockerDo);
    let requests = points.iter().filter(|point| is_request(point)).count();
    let bulk = points.iter().filter(|point| is_bulk(point)).count();
    let turn = |point: &Point| {
        let mut hasher = DefaultHasher::new();
        (seed, &point.call, point.number).hash(&mut hasher);
        let chance = (hasher.finish() % 1_000_000) as usize;
        match point {
            _ if is_request(point) => chance * requests / 2,
            _ if is_bulk(point) => chance * bulk / 2,
            _ => chance * (points.len() - requests - bulk) / 6,
        }
    };
    let mut ordered: Vec<Point> = points.iter().map(|point| (*point).clone()).collect();
    ordered.sort_by_cached_key(turn);
    ordered
}
