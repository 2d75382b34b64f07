//! How much room a host has, and what is taken there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::Host;
use super::sockets::listeners;
use crate::model::{Entry, Surroundings};

/// Where the engine keeps everything, unless it was told otherwise (dockerd(8), `--data-root`).
const DOCKER: &str = "/var/lib/docker";

impl Host {
    /// Looks at these paths, at who listens, and at memory and disk. What cannot be found out is left out.
    pub fn surroundings<'p>(&self, paths: impl Iterator<Item = &'p PathBuf>) -> Surroundings {
        let missing = |path: &&PathBuf| matches!(self.root().entry(path), Ok(Entry::Missing));
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let listeners = listeners();
        let tcp = listeners.into_iter().filter(|one| one.protocol == "tcp");
        Surroundings {
            missing: paths.filter(missing).cloned().collect(),
            listeners: tcp
                .map(|one| (one.port, one.program))
                .collect::<BTreeSet<_>>(),
            memory: kibibytes(&memory, "MemAvailable:"),
            swap: kibibytes(&memory, "SwapFree:"),
            disk: free(Path::new(DOCKER)),
        }
    }
}

/// A line such as `MemAvailable:  1024 kB` in bytes.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let number: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    number.checked_mul(1024)
}

fn free(folder: &Path) -> Option<u64> {
    let found = nix::sys::statvfs::statvfs(folder).ok()?;
    found.blocks_available().checked_mul(found.fragment_size())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel() {
        let text = "MemTotal:  24682948 kB\nMemAvailable:   23887072 kB\nSwapFree:  0 kB\nHugePages_Total: 3\n";
        assert_eq!(kibibytes(text, "MemAvailable:"), Some(23_887_072 * 1024));
        assert_eq!(kibibytes(text, "SwapFree:"), Some(0));
        assert_eq!(kibibytes(text, "HugePages_Total:"), None);
        assert_eq!(kibibytes(text, "Nothing:"), None);
    }
}
