//! Which files nginx includes, and which of them cannot be read.

use std::collections::HashSet;
use std::path::Path;

use super::view::View;
use crate::model::Diagnostic;
use crate::source::nginx::{Node, loads};

/// What Debian's nginx.conf includes.
const USUAL: [&str; 3] = ["conf.d/*.conf", "modules-enabled/*.conf", "sites-enabled/*"];

/// The file that includes all others, by its path below /etc.
const MAIN: &str = "nginx/nginx.conf";

/// What is included.
#[derive(Default)]
pub struct Includes<'a> {
    /// Paths and patterns that are left after what is here was put in their place.
    patterns: HashSet<&'a str>,
    /// Those outside of servers that name a single file which is not here.
    pub missing: Vec<&'a str>,
    /// Files that have content, by their path in the checkout.
    files: HashSet<&'a Path>,
}

impl<'a> Includes<'a> {
    /// Those of a configuration.
    pub(super) fn of(main: &[Node<'a>], http: &[Node<'a>]) -> Self {
        let mut includes = Self::default();
        for level in [main, http] {
            includes.add(level, true);
        }
        includes
    }

    fn add(&mut self, level: &[Node<'a>], is_outside: bool) {
        let mut file = None;
        for node in level {
            // Most of a block is from one file.
            if !file.is_some_and(|file| std::ptr::eq(file, node.path)) {
                self.files.insert(node.path);
                file = Some(node.path);
            }
            let word = node.args().first();
            if let ("include", Some(word)) = (node.name(), word) {
                let pattern = word.text.as_str();
                self.patterns.insert(pattern);
                if is_outside && !pattern.contains(['*', '?', '[']) {
                    self.missing.push(pattern);
                }
            }
            let is_outside = is_outside && matches!(node.name(), "http" | "stream");
            self.add(node.inside(), is_outside);
        }
    }

    /// Whether something of a file, by its path in the checkout, is loaded.
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.files.contains(path)
    }

    /// Whether an include loads a file, by its path below /etc.
    fn loads(&self, path: &Path) -> bool {
        self.patterns.iter().any(|pattern| loads(pattern, path))
    }
}

/// Files that cannot be read, each with whether nginx loads it for certain.
pub(crate) fn broken<'v>(view: &'v View<'_>) -> impl Iterator<Item = (&'v Diagnostic, bool)> {
    let broken = &view.subject.revision.parsed.broken;
    broken.iter().filter_map(|(path, wrong)| {
        let is_usual = !view.has_main && USUAL.iter().any(|pattern| loads(pattern, path));
        let is_loaded = path == Path::new(MAIN) || is_usual || view.includes.loads(path);
        // What sites of the host may include.
        let may_be = path.starts_with("nginx/snippets");
        (is_loaded || may_be).then_some((wrong, is_loaded))
    })
}
