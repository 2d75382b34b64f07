//! Where the blocks of nginx write their logs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::source::nginx::Located;

/// Where nginx of Debian writes without a word for it: `--http-log-path` and `--error-log-path` of `nginx -V`.
const ACCESS: &str = "/var/log/nginx/access.log";
const ERROR: &str = "/var/log/nginx/error.log";

/// Where a block writes.
#[derive(Clone, Debug, Default)]
pub(super) struct Logs {
    pub(super) access: Vec<(PathBuf, Option<String>)>,
    pub(super) error: Vec<PathBuf>,
    /// What is written elsewhere than into files.
    pub(super) elsewhere: BTreeMap<&'static str, BTreeSet<String>>,
    said: [bool; 2],
}

impl Logs {
    /// Those of a block within: what it says of access logs replaces what is said around, and the same of error logs.
    pub(super) fn within(&self, block: &[Located<'_>]) -> Self {
        let mut inner = self.clone();
        let all = |name: &'static str| block.iter().filter(move |place| place.name() == name);
        if all("access_log").next().is_some() {
            inner.access.clear();
            inner.elsewhere.remove("access_log");
            inner.said[0] = true;
            for place in all("access_log") {
                let to = place.word(0);
                match file(to) {
                    Some(path) => {
                        let format = Some(place.word(1)).filter(|word| is_format(word));
                        inner.access.push((path, format.map(str::to_owned)));
                    }
                    None => inner.is_elsewhere("access_log", to),
                }
            }
        }
        if all("error_log").next().is_some() {
            inner.error.clear();
            inner.elsewhere.remove("error_log");
            inner.said[1] = true;
            for place in all("error_log") {
                let to = place.word(0);
                match file(to) {
                    Some(path) => inner.error.push(path),
                    None => inner.is_elsewhere("error_log", to),
                }
            }
        }
        inner
    }

    fn is_elsewhere(&mut self, directive: &'static str, to: &str) {
        let why = match to {
            "off" => "writes no log".to_owned(),
            "stderr" => "goes to the standard error of nginx".to_owned(),
            to if to.starts_with("syslog:") => {
                "goes to syslog: sudo journalctl -t nginx".to_owned()
            }
            to if to.contains('$') => "has a variable in its path".to_owned(),
            _ => "is not a file of its own".to_owned(),
        };
        let told = self.elsewhere.entry(directive).or_default();
        told.insert(format!("{directive} {to} {why}"));
    }

    /// All that several blocks write.
    pub(super) fn together(all: &[Self]) -> Self {
        let mut together = Self::default();
        for logs in all {
            // Without a word for it, nginx writes where it was built to.
            match logs.said[0] {
                true => together.access.extend(logs.access.iter().cloned()),
                false => together.access.push((ACCESS.into(), None)),
            }
            match logs.said[1] {
                true => together.error.extend(logs.error.iter().cloned()),
                false => together.error.push(ERROR.into()),
            }
            for (directive, told) in &logs.elsewhere {
                let all = together.elsewhere.entry(directive).or_default();
                all.extend(told.iter().cloned());
            }
        }
        together
    }
}

fn is_format(word: &str) -> bool {
    let is_parameter = ["buffer=", "gzip", "flush=", "if="]
        .iter()
        .any(|start| word.starts_with(start));
    !word.is_empty() && !is_parameter
}

/// The file that a log is, if it is one with a path that is known. A relative one is below nginx's prefix.
fn file(to: &str) -> Option<PathBuf> {
    let is_file = !matches!(to, "off" | "stderr" | "")
        && !to.starts_with("syslog:")
        && !to.starts_with("memory:")
        && !to.contains('$');
    is_file.then(|| match to.starts_with('/') {
        true => PathBuf::from(to),
        false => Path::new("/usr/share/nginx").join(to),
    })
}
