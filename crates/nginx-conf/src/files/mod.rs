//! The files that nginx reads, with their includes resolved.

mod include;
mod nodes;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;

pub use include::{below_etc, file_name, is_pattern, loads};
use include::{fits, folder};
pub use nodes::Node;
use source_text::word_list;

use crate::Directive;
use nodes::Tree;

/// Files that packages and certbot bring along, which say nothing that a route or a rule asks for.
const HARMLESS: [&str; 7] = word_list(
    "mime.types fastcgi_params fastcgi.conf uwsgi_params scgi_params options-ssl-nginx.conf \
    snakeoil.conf",
);
/// Files that include files that include files: deeper than anybody writes.
const MAX_DEPTH: usize = 8;
/// Directives that includes may bring in together: bounds files that include each other many times.
const MAX_DIRECTIVES: usize = 1_000_000;
/// Where the enabled sites are linked.
const SITES: &str = "nginx/sites-enabled";
/// The file that includes all others.
const MAIN: &str = "nginx/nginx.conf";

/// A directive, and the file of the checkout in which it is.
#[derive(Clone, Copy, Debug)]
pub struct Located<'a> {
    /// The file's path in the checkout.
    pub path: &'a Path,
    /// The directive.
    pub directive: &'a Directive,
}

impl PartialEq for Located<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.directive, other.directive)
    }
}

impl Eq for Located<'_> {}

impl<'a> Located<'a> {
    /// The directive's name.
    pub fn name(&self) -> &'a str {
        &self.directive.name
    }

    /// The words after its name.
    pub fn words(&self) -> impl DoubleEndedIterator<Item = &'a str> + use<'a> {
        self.directive.args.iter().map(|word| word.text.as_str())
    }

    /// One of them, or nothing.
    pub fn word(&self, index: usize) -> &'a str {
        self.directive.args.get(index).map_or("", |word| &word.text)
    }

    /// Its block, as it is written.
    fn inside(self) -> Text<'a> {
        Text {
            path: self.path,
            directives: self.directive.block.as_deref().unwrap_or_default(),
        }
    }

    /// Its first words, as they would be written.
    pub fn text(&self) -> String {
        let words: Vec<&str> = std::iter::once(self.name()).chain(self.words()).collect();
        let text = words.join(" ");
        match text.strip_suffix(" )") {
            Some(inside) if self.name() == "if" => format!("{inside})"),
            _ => text,
        }
    }
}

/// A parsed file.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// Its path in the checkout.
    pub path: &'a Path,
    /// What it says.
    pub directives: &'a [Directive],
}

/// The files of a desired state that nginx reads.
#[derive(Clone, Debug)]
pub struct Files<'a> {
    /// Enabled sites by name.
    pub sites: BTreeMap<&'a str, Text<'a>>,
    /// Files by their path below /etc.
    pub etc: BTreeMap<&'a Path, Text<'a>>,
    /// How many directives includes may still bring in.
    left: Cell<usize>,
}

impl<'a> Files<'a> {
    /// Enabled sites by name, and other files by their path below /etc.
    pub fn new(sites: BTreeMap<&'a str, Text<'a>>, etc: BTreeMap<&'a Path, Text<'a>>) -> Self {
        Self {
            sites,
            etc,
            left: Cell::new(MAX_DIRECTIVES),
        }
    }

    /// The files of an include, as far as they are here.
    pub fn included(&self, pattern: &str) -> Vec<Text<'a>> {
        let Some(path) = below_etc(pattern) else {
            return Vec::new();
        };
        let site = path.strip_prefix(SITES).ok();
        if !is_pattern(pattern) {
            let site = site.and_then(|name| self.sites.get(name.to_str()?));
            return site
                .or_else(|| self.etc.get(&*path))
                .copied()
                .into_iter()
                .collect();
        }
        let enabled = site.map(fits);
        let sites = self.sites.iter().filter(|(name, _)| {
            let enabled = enabled.as_ref();
            enabled.is_some_and(|fits| fits(Path::new(name)))
        });
        let sites = sites.map(|(_, text)| *text);
        let (fits, folder) = (fits(&path), folder(&path));
        let from = (Bound::Included(folder), Bound::Unbounded);
        let etc = self.etc.range::<Path, _>(from);
        let etc = etc.take_while(|(name, _)| name.starts_with(folder));
        let etc = etc.filter(|(name, _)| fits(name));
        sites.chain(etc.map(|(_, text)| *text)).collect()
    }

    /// A block with its includes resolved; those that are not here are left in it.
    pub(super) fn block(&self, text: Text<'a>) -> Vec<Located<'a>> {
        let mut out = Vec::new();
        self.expand(text, &mut vec![text.path], &mut |place, brought, _| {
            if !brought {
                out.push(place);
            }
        });
        out
    }

    /// Shows `each` directive to a function, those of included files in place of the include. It
    /// learns whether the directive is an include of a pattern that brought in all that is here.
    fn expand(
        &self,
        text: Text<'a>,
        within: &mut Vec<&'a Path>,
        each: &mut dyn FnMut(Located<'a>, bool, &mut Vec<&'a Path>),
    ) {
        for directive in text.directives {
            let place = Located {
                path: text.path,
                directive,
            };
            if place.name() != "include" {
                each(place, false, within);
                continue;
            }
            let pattern = place.word(0);
            let found = self.included(pattern);
            let mut brought = !found.is_empty();
            for text in found {
                let left = self.left.get().checked_sub(text.directives.len() + 1);
                match left.filter(|_| within.len() <= MAX_DEPTH && !within.contains(&text.path)) {
                    Some(left) => {
                        self.left.set(left);
                        within.push(text.path);
                        self.expand(text, within, each);
                        within.pop();
                    }
                    None => brought = false,
                }
            }
            if is_pattern(pattern) || !(brought || HARMLESS.contains(&file_name(pattern))) {
                each(place, brought, within);
            }
        }
    }

    /// Whether a file includes another one that is here.
    fn include_each_other(&self) -> bool {
        let mut texts = self.sites.values().chain(self.etc.values());
        texts.any(|text| self.brings(text.directives))
    }

    fn brings(&self, level: &[Directive]) -> bool {
        level.iter().any(|directive| match &directive.block {
            Some(block) => self.brings(block),
            None if directive.name == "include" => {
                let pattern = directive.args.first();
                pattern.is_some_and(|pattern| !self.included(&pattern.text).is_empty())
            }
            None => false,
        })
    }

    /// What makes up the `http` block: that of nginx.conf if it is here, else what Debian's includes.
    fn http_texts(&self) -> Vec<Text<'a>> {
        if let Some(main) = self.etc.get(Path::new(MAIN)) {
            let main = self.block(*main).into_iter();
            return main
                .filter(|place| place.name() == "http")
                .map(Located::inside)
                .collect();
        }
        let mut texts = self.included("conf.d/*.conf");
        texts.extend(self.sites.values());
        texts
    }

    /// What is in the `http` block.
    pub fn http(&self) -> Vec<Located<'a>> {
        let texts = self.http_texts().into_iter();
        texts.flat_map(|text| self.block(text)).collect()
    }

    /// What is in the `http` block, with all blocks in it.
    pub fn http_nodes(&self) -> Vec<Node<'a>> {
        let mut tree = Tree::of(self, "http");
        let texts = self.http_texts().into_iter();
        texts.flat_map(|text| tree.read(text)).collect()
    }

    /// Whether nginx.conf itself is here.
    pub fn has_main(&self) -> bool {
        self.etc.contains_key(Path::new(MAIN))
    }

    /// What is at the top: of nginx.conf if it is here, else of the files that Debian's includes there. With all blocks.
    pub fn main_nodes(&self) -> Vec<Node<'a>> {
        let texts = match self.etc.get(Path::new(MAIN)) {
            Some(main) => vec![*main],
            None => self.included("modules-enabled/*.conf"),
        };
        let mut tree = Tree::of(self, "main");
        texts.into_iter().flat_map(|text| tree.read(text)).collect()
    }

    /// What is in the `stream` blocks: those of nginx.conf if it is here, else of the files that Debian's includes.
    pub fn stream(&self) -> Vec<Located<'a>> {
        let main = match self.etc.get(Path::new(MAIN)) {
            Some(main) => vec![*main],
            None => self.included("modules-enabled/*.conf"),
        };
        let main = main.into_iter().flat_map(|text| self.block(text));
        let streams = main.filter(|place| place.name() == "stream");
        streams.flat_map(|place| self.inside(place)).collect()
    }

    /// What is in a directive's block.
    pub fn inside(&self, place: Located<'a>) -> Vec<Located<'a>> {
        self.block(place.inside())
    }
}
