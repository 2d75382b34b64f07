//! What only somebody who looks for a cause asks: how full file systems are, what grew, and what the kernel said.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use nix::sys::statvfs::statvfs;
use tokio::process::Command;

/// How long journalctl may take.
const JOURNAL: Duration = Duration::from_secs(5);
/// Folders within folders below which nothing is counted.
const DEEPEST: usize = 8;
/// Files among which the newest is looked for.
const MOST_FILES: usize = 200_000;
/// Where the engine keeps the logs of containers, unless it was told otherwise.
const CONTAINERS: &str = "/var/lib/docker/containers";

/// How full the file system of a folder is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filled {
    pub folder: PathBuf,
    /// Which file system it is, stat(2).
    pub device: u64,
    /// Bytes in all, and those that are left.
    pub bytes: (u64, u64),
    /// Inodes in all, and those that are left.
    pub inodes: (u64, u64),
}

/// The file systems of folders, each once, by the first of its folders.
pub(crate) fn filled(folders: &[&str]) -> Vec<Filled> {
    let mut seen = Vec::new();
    let mut found = Vec::new();
    for folder in folders {
        let (Ok(metadata), Ok(stat)) = (fs::metadata(folder), statvfs(*folder)) else {
            continue;
        };
        if seen.contains(&metadata.dev()) {
            continue;
        }
        seen.push(metadata.dev());
        let size = stat.fragment_size();
        found.push(Filled {
            folder: PathBuf::from(folder),
            device: metadata.dev(),
            bytes: (
                stat.blocks().saturating_mul(size),
                stat.blocks_available().saturating_mul(size),
            ),
            inodes: (stat.files(), stat.files_available()),
        });
    }
    found
}

/// The file system that a folder is on; `None` for one that is not there.
pub(crate) fn device(folder: &Path) -> Option<u64> {
    Some(fs::metadata(folder).ok()?.dev())
}

/// Bytes that the files below a folder take.
pub(crate) fn taken_below(folder: &Path) -> u64 {
    fn below(folder: &Path, depth: usize) -> u64 {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let sizes = entries.map(|entry| match entry.metadata() {
            Ok(one) if one.is_dir() && depth < DEEPEST => below(&entry.path(), depth + 1),
            Ok(one) if one.is_file() => one.blocks().saturating_mul(512),
            _ => 0,
        });
        sizes.sum()
    }
    below(folder, 0)
}

/// The file below a folder that was changed last, and when; without a file, the folder. Links are not followed. Of very many
/// files, the first ones are looked at.
pub(crate) fn newest_below(folder: &Path) -> Option<(PathBuf, SystemTime)> {
    let own = fs::symlink_metadata(folder).ok()?.modified().ok()?;
    let mut newest: Option<(PathBuf, SystemTime)> = None;
    let mut left = MOST_FILES;
    let mut folders = vec![(folder.to_owned(), 0)];
    'all: while let Some((below, depth)) = folders.pop() {
        for entry in fs::read_dir(&below).into_iter().flatten().flatten() {
            left -= 1;
            if left == 0 {
                break 'all;
            }
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_dir() {
                if depth < DEEPEST {
                    folders.push((entry.path(), depth + 1));
                }
            } else if let Ok(time) = metadata.modified()
                && newest.as_ref().is_none_or(|(_, newest)| time > *newest)
            {
                newest = Some((entry.path(), time));
            }
        }
    }
    // An engine changes the folder as it mounts it.
    newest.or_else(|| Some((folder.to_owned(), own)))
}

/// Bytes that the log of a container takes, where the engine keeps it as a file.
pub(crate) fn log_of(container: &str) -> u64 {
    let is_id = container.bytes().all(|byte| byte.is_ascii_hexdigit());
    match is_id && !container.is_empty() {
        true => {
            let folder = Path::new(CONTAINERS).join(container);
            let logs = fs::read_dir(folder).into_iter().flatten().flatten();
            let logs = logs.filter(|entry| entry.file_name().to_string_lossy().contains(".log"));
            let sizes = logs.filter_map(|entry| Some(entry.metadata().ok()?.blocks()));
            sizes.sum::<u64>().saturating_mul(512)
        }
        false => 0,
    }
}

/// What the kernel said since boot when it killed for memory; none where its messages cannot be read.
pub(crate) async fn kills_of_the_kernel() -> Vec<String> {
    let mut command = Command::new("journalctl");
    command
        .args(["-k", "-b", "-q", "--no-pager", "-o", "cat", "-n", "200"])
        .args(["-g", "oom-kill:|Out of memory|out of memory"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    match tokio::time::timeout(JOURNAL, command.output()).await {
        Ok(Ok(output)) => {
            let text = String::from_utf8_lossy(&output.stdout);
            text.lines().map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_system_is_told_once() {
        let found = filled(&["/", "/", "/proc/self/nowhere"]);
        assert_eq!(found.len(), 1);
        assert!(found.iter().all(|one| one.bytes.0 >= one.bytes.1));
    }

    #[test]
    fn the_newest_file_is_found() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("a/old"), "").unwrap();
        let file = fs::File::create(folder.path().join("a/new")).unwrap();
        let then = SystemTime::now() + Duration::from_secs(90);
        file.set_modified(then).unwrap();
        let (path, time) = newest_below(folder.path()).unwrap();
        assert_eq!((path, time), (folder.path().join("a/new"), then));
        assert_eq!(newest_below(Path::new("/nowhere")), None);
    }

    #[test]
    fn what_lies_below_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("a/b"), [1; 9000]).unwrap();
        assert!(taken_below(folder.path()) >= 9000);
        assert_eq!(log_of("../../etc"), 0);
    }
}
