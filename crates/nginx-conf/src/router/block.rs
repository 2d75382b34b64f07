//! The directives of a block, found by name: a request asks for a few of them, and a block may have thousands.

use std::cell::OnceCell;
use std::collections::HashMap;

use crate::files::{Located, file_name};

/// Includes that are not here and are named each.
const MAX_MISSING: usize = 8;

/// Directives of the rewrite module, which run in the order in which they stand.
const SCRIPT: [&str; 5] = ["rewrite", "return", "set", "break", "if"];

/// A block with its includes resolved.
#[derive(Debug, Default)]
pub(super) struct Block<'a> {
    all: Vec<Located<'a>>,
    /// Where in it the directives of a name stand.
    by_name: HashMap<&'a str, Vec<usize>>,
    script: Vec<Located<'a>>,
    missing: OnceCell<Vec<String>>,
}

impl<'a> From<Vec<Located<'a>>> for Block<'a> {
    fn from(all: Vec<Located<'a>>) -> Self {
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, place) in all.iter().enumerate() {
            by_name.entry(place.name()).or_default().push(at);
        }
        let script = all.iter().filter(|place| SCRIPT.contains(&place.name()));
        Self {
            script: script.copied().collect(),
            by_name,
            all,
            missing: OnceCell::new(),
        }
    }
}

impl<'a> Block<'a> {
    /// What the rewrite module runs.
    pub(super) fn script(&self) -> &[Located<'a>] {
        &self.script
    }

    /// The directives of a name, in their order.
    pub(super) fn named(&self, name: &str) -> impl DoubleEndedIterator<Item = Located<'a>> {
        self.at(name)
            .iter()
            .filter_map(|at| self.all.get(*at).copied())
    }

    /// The first directive that has one of some names.
    pub(super) fn first_of(&self, names: &[&str]) -> Option<Located<'a>> {
        let first = names.iter().filter_map(|name| self.at(name).first()).min();
        self.all.get(*first?).copied()
    }

    /// The last directive that has one of some names.
    pub(super) fn last_of(&self, names: &[&str]) -> Option<Located<'a>> {
        let last = names.iter().filter_map(|name| self.at(name).last()).max();
        self.all.get(*last?).copied()
    }

    /// What is in it and is not here, in a few words each.
    pub(super) fn missing(&self) -> &[String] {
        self.missing.get_or_init(|| {
            // Debian's headers for upstreams decide no route.
            let unknown = |place: &Located| file_name(place.word(0)) != "proxy_params";
            let mut names = Vec::new();
            let mut others = 0;
            for place in self.named("include").filter(unknown) {
                let text = place.text();
                match names.len() < MAX_MISSING {
                    true if names.contains(&text) => {}
                    true => names.push(text),
                    false => others += 1,
                }
            }
            let what = |name| format!("what {name} brings, which is not in the desired state");
            let mut missing: Vec<String> = names.into_iter().map(what).collect();
            if others > 0 {
                missing.push(what(format!("each of {others} other includes")));
            }
            missing
        })
    }

    fn at(&self, name: &str) -> &[usize] {
        self.by_name
            .get(name)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }
}
