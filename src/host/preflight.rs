//! How much room a host has, and what is taken there.

use std::fs;
use std::path::{Path, PathBuf};

use super::Host;
use crate::model::{Entry, Preflight};

/// Where the engine keeps everything, unless it was told otherwise (dockerd(8), `--data-root`).
const DOCKER: &str = "/var/lib/docker";

impl Host {
    /// Looks at these paths, and at memory and disk. What cannot be found out is left out.
    pub(crate) fn preflight<'p>(&self, paths: impl Iterator<Item = &'p PathBuf>) -> Preflight {
        let missing = |path: &&PathBuf| matches!(self.root().entry(path), Ok(Entry::Missing));
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        Preflight {
            missing: paths.filter(missing).cloned().collect(),
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
