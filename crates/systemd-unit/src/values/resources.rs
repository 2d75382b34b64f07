//! Devices, processors, control groups, and the numbers that go with them.

use source_text::word_list;

use super::extract::{Syntax, words};
use super::numbers::{percent, size, span, unsigned};
use super::paths::is_normal;
use super::reader::{Reader, first_wrong};
use super::types::is_truth;

/// A device and what may be done with it.
pub(super) static DEVICE: Reader = Reader::whole(|text| {
    with_path(text, is_device, |rights| {
        rights.chars().all(|c| "rwm".contains(c))
    })
})
.expects(
    "expected a device such as /dev/null, block-loop or char-pts, and some of the letters rwm",
);
/// A device, or a file on it, and a weight.
pub(super) static DEVICE_WEIGHT: Reader =
    Reader::whole(|text| with_path(text, is_normal, is_weight))
        .expects("expected a path and a number from 1 to 10000");
/// The same with bytes or operations in a second.
pub(super) static DEVICE_LIMIT: Reader = Reader::whole(|text| {
    with_path(text, is_normal, |limit| {
        limit == "infinity" || size(limit).is_some_and(|number| number > 0.0)
    })
})
.expects("expected a path and a number such as 10M");
/// The same with a time.
pub(super) static DEVICE_LATENCY: Reader = Reader::whole(|text| {
    with_path(text, is_normal, |time| {
        !time.is_empty() && span(time).is_some()
    })
})
.expects("expected a path and a time such as 25ms");
/// A share of the processors in relation to others.
pub(super) static CPU_WEIGHT: Reader = Reader::whole(|text| text == "idle" || is_weight(text))
    .expects("expected a number from 1 to 10000, or idle")
    .literal();
/// A share of a device in relation to others.
pub(super) static WEIGHT: Reader = Reader::whole(is_weight)
    .expects("expected a number from 1 to 10000")
    .literal();
/// Processors or nodes of memory.
pub(super) static CPUS: Reader = Reader::whole(are_cpus)
    .expects("expected numbers and ranges such as 0-3,6")
    .literal();
/// Processors, or those of the memory.
pub(super) static AFFINITY: Reader = Reader::whole(|text| text == "numa" || are_cpus(text))
    .expects("expected numbers and ranges such as 0-3,6, or numa")
    .literal();
/// Nodes of memory, or all of them.
pub(super) static NODES: Reader = Reader::whole(|text| text == "all" || are_cpus(text))
    .expects("expected numbers and ranges such as 0-3,6, or all")
    .literal();
/// What a service manages in its own part of the control groups.
pub(super) static DELEGATED: Reader =
    Reader::list(Syntax::Quoted, |word| CONTROLLERS.contains(&word))
        .expects("expected yes, no, or controllers such as cpu and memory")
        .literal()
        .or(is_truth)
        .of(|| CONTROLLERS.to_vec());
/// What is switched off below a unit.
pub(super) static DISABLED: Reader =
    Reader::list(Syntax::Plain, |word| CONTROLLERS.contains(&word))
        .expects("expected controllers such as cpu and memory")
        .literal()
        .of(|| CONTROLLERS.to_vec());
/// A share of the time in which memory is short.
pub(super) static PRESSURE: Reader =
    Reader::whole(|text| percent(text).is_some_and(|share| share <= 100.0))
        .expects("expected a share such as 60%")
        .literal();

/// `src/basic/cgroup-util.c` of systemd.
const CONTROLLERS: &[&str] = &word_list::<13>(
    "cpu cpuacct cpuset io blkio memory devices pids bpf-firewall bpf-devices bpf-foreign \
    bpf-socket-bind bpf-restrict-network-interfaces",
);

/// systemd takes no more, `src/shared/cpu-set-util.c`.
const CPUS_MAX: u64 = 8192;

fn is_weight(text: &str) -> bool {
    unsigned(text).is_some_and(|number| (1..=10_000).contains(&number))
}

/// A path and the rest of the value behind it.
fn with_path(text: &str, is_path: fn(&str) -> bool, is_rest: impl Fn(&str) -> bool) -> bool {
    let words = words(text, Syntax::Quoted).unwrap_or_default();
    words.first().is_some_and(|path| {
        let rest = text.get(path.span.end..).unwrap_or_default();
        is_path(&path.text) && is_rest(rest.trim_start())
    })
}

fn is_device(path: &str) -> bool {
    let is_node = |path: &str| {
        let mut folders = ["/dev/", "/run/systemd/inaccessible/"].iter();
        folders.any(|folder| path.len() > folder.len() && path.starts_with(folder))
    };
    path == "/dev"
        || path == "/dev/"
        || path.starts_with("block-")
        || path.starts_with("char-")
        || is_node(path) && is_normal(path)
}

fn are_cpus(text: &str) -> bool {
    let number = |text: &str| unsigned(text).filter(|number| *number < CPUS_MAX);
    let is_range = |word: &str| match word.split_once('-') {
        Some((from, to)) => match (number(from), number(to)) {
            (Some(from), Some(to)) => from <= to,
            _ => false,
        },
        // The largest number is none at all.
        None => number(word).is_some() || unsigned(word) == Some(u64::from(u32::MAX)),
    };
    let unquoted = text.replace(',', " ");
    first_wrong(&unquoted, Syntax::Quoted, is_range).is_none()
}
