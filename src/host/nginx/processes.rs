//! nginx in /proc; proc(5). Titles are nginx's own: src/os/unix/ngx_process_cycle.c.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use jiff::Timestamp;

use crate::host::error::HostError;

const MASTER: &str = "nginx: master process";
const WORKER: &str = "nginx: worker process";
const LEAVING: &str = "nginx: worker process is shutting down";
/// Ticks of /proc in a second: `USER_HZ` is 100 on every architecture that Debian supports.
const TICKS: u64 = 100;

/// The process that starts the workers.
pub(super) struct Master {
    pub id: u32,
    /// When it started, in ticks since boot.
    pub ticks: u64,
}

/// The master that the pid file names, if it is one; else one that runs all the same.
pub(super) fn master(pid_file: &Path) -> Result<Option<Master>, HostError> {
    let named = fs::read_to_string(pid_file).ok();
    let named = named.and_then(|text| text.trim().parse().ok());
    if let Some(master) = named.filter(|id| is_master(*id)).and_then(describe) {
        return Ok(Some(master));
    }
    let mut found: Vec<u32> = processes()?.filter(|id| is_master(*id)).collect();
    // While the program is exchanged (USR2) there are two, and the child is the new one.
    found.sort_unstable();
    Ok(found.pop().and_then(describe))
}

/// Workers of a master that take connections: not those that finish their last ones.
pub(super) fn workers(master: u32) -> BTreeSet<u32> {
    let takes = |id: &u32| {
        let title = title(*id);
        title.starts_with(WORKER) && !title.starts_with(LEAVING)
    };
    children(master).into_iter().filter(takes).collect()
}

/// When the oldest of these processes started.
pub(super) fn oldest(ids: &BTreeSet<u32>) -> Option<Timestamp> {
    let ticks = ids.iter().filter_map(|id| Some(describe(*id)?.ticks)).min();
    moment(ticks?)
}

/// Workers of a master that finish their last requests.
pub(super) fn leaving(master: u32) -> BTreeSet<u32> {
    let leaves = |id: &u32| title(*id).starts_with(LEAVING);
    children(master).into_iter().filter(leaves).collect()
}

/// The moment that many ticks after boot.
pub(super) fn moment(ticks: u64) -> Option<Timestamp> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let boot = boot_time(&text)?;
    let milliseconds = (boot * 1000).checked_add(ticks * 1000 / TICKS)?;
    Timestamp::from_millisecond(i64::try_from(milliseconds).ok()?).ok()
}

fn is_master(id: u32) -> bool {
    let comm = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
    comm.trim_end() == "nginx" && title(id).starts_with(MASTER) && is_of_the_host(id)
}

fn describe(id: u32) -> Option<Master> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let ticks = stat(&text)?.ticks;
    Some(Master { id, ticks })
}

/// An nginx in a container is a process of the host too, with a second id of its own.
fn is_of_the_host(id: u32) -> bool {
    let text = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    namespaces(&text) <= 1
}

fn namespaces(status: &str) -> usize {
    let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    ids.map_or(0, |ids| ids.split_whitespace().count())
}

/// Direct children. The lists of the kernel, one for each thread, are there if it was built with `PROC_CHILDREN`.
fn children(parent: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{parent}/task"));
    let threads = threads.into_iter().flatten().flatten();
    let lists: Vec<String> = threads
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .collect();
    if !lists.is_empty() {
        let ids = lists.iter().flat_map(|list| list.split_whitespace());
        return ids.filter_map(|id| id.parse().ok()).collect();
    }
    let is_child = |id: &u32| {
        let text = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        stat(&text).is_some_and(|stat| stat.parent == parent)
    };
    processes().map_or_else(|_| Vec::new(), |all| all.filter(is_child).collect())
}

fn processes() -> Result<impl Iterator<Item = u32>, HostError> {
    let path = Path::new("/proc");
    let entries = fs::read_dir(path).map_err(|source| HostError::Proc {
        path: path.to_owned(),
        source,
    })?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()))
}

/// The command line, where nginx writes its titles.
fn title(id: u32) -> String {
    let bytes = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes)
        .trim_end_matches('\0')
        .to_owned()
}

/// What is used of /proc/PID/stat.
#[derive(Debug, PartialEq)]
struct Stat {
    parent: u32,
    ticks: u64,
}

/// Fields 4 and 22. The second one, the name, may hold blanks and parentheses.
fn stat(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(1);
    let parent = fields.next()?.parse().ok()?;
    let ticks = fields.nth(17)?.parse().ok()?;
    Some(Stat { parent, ticks })
}

fn boot_time(stat: &str) -> Option<u64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses() {
        let text = "58 (ng) x (y) S 1 58 58 0 -1 4194624 55 0 0 0 1 2 3 4 20 0 1 0 158848 11 22 33";
        assert_eq!(
            stat(text),
            Some(Stat {
                parent: 1,
                ticks: 158_848
            })
        );
        assert_eq!(stat("58 (nginx) S 1"), None);
    }

    #[test]
    fn one_id_is_the_host() {
        assert_eq!(namespaces("Name:\tnginx\nNSpid:\t58\n"), 1);
        assert_eq!(namespaces("Name:\tnginx\nNSpid:\t58\t1\n"), 2);
    }

    #[test]
    fn boot_time_of_the_kernel() {
        assert_eq!(
            boot_time("cpu 1 2\nbtime 1795314625\nprocesses 9\n"),
            Some(1_795_314_625)
        );
    }

    #[test]
    fn this_process_is_a_child_of_its_parent() {
        let own = std::process::id();
        assert!(children(std::os::unix::process::parent_id()).contains(&own));
        assert!(describe(own).is_some_and(|own| own.ticks > 0));
    }
}
