//! The files that nginx reads, with their includes resolved.
//!
//! `include` takes a path or a pattern, relative to the folder of nginx.conf,
//! <https://nginx.org/en/docs/ngx_core_module.html#include>.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::model::Desired;
use crate::source::nginx::Directive;

/// Files that packages and certbot bring along, which say nothing that a route or a rule asks for.
const HARMLESS: [&str; 7] = [
    "mime.types",
    "fastcgi_params",
    "fastcgi.conf",
    "uwsgi_params",
    "scgi_params",
    "options-ssl-nginx.conf",
    "snakeoil.conf",
];
/// Files that include files that include files: deeper than anybody writes.
const MAX_DEPTH: usize = 8;
/// Directives that includes may bring in together: bounds files that include each other many times.
const MAX_DIRECTIVES: usize = 1_000_000;
/// Where Debian's nginx.conf lies, which a relative include is relative to.
const PREFIX: &str = "nginx";
/// Where the enabled sites are linked.
const SITES: &str = "nginx/sites-enabled";

/// A directive, and the file of the checkout in which it stands.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The file's path in the checkout.
    pub path: &'a Path,
    /// The directive.
    pub directive: &'a Directive,
}

impl PartialEq for Place<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.directive, other.directive)
    }
}

impl Eq for Place<'_> {}

impl<'a> Place<'a> {
    pub(super) fn name(&self) -> &'a str {
        &self.directive.name
    }

    /// The words behind its name.
    pub(super) fn words(&self) -> impl DoubleEndedIterator<Item = &'a str> + use<'a> {
        self.directive.args.iter().map(|word| word.text.as_str())
    }

    pub(super) fn word(&self, index: usize) -> &'a str {
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

/// A directive with the file in which it stands, and its block with includes resolved.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    /// The directive; its own block holds includes as they are written.
    pub directive: &'a Directive,
    /// The file's path in the checkout.
    pub path: &'a Path,
    /// Its block. An `include` stays where what it brings is not all known: a file that is not
    /// here, and a pattern, which may fit others too.
    pub block: Option<Vec<Node<'a>>>,
}

impl Node<'_> {
    /// The directive's name.
    pub fn name(&self) -> &str {
        &self.directive.name
    }

    /// Its first argument, or nothing.
    pub fn first(&self) -> &str {
        self.directive
            .args
            .first()
            .map_or("", |word| word.text.as_str())
    }

    /// What stands in its block.
    pub fn inside(&self) -> &[Self] {
        self.block.as_deref().unwrap_or_default()
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

    /// Those of a desired state: sites by name and files by their path below /etc, parsed.
    pub fn of(
        desired: &'a Desired,
        sites: &'a BTreeMap<String, Vec<Directive>>,
        etc: &'a BTreeMap<PathBuf, Vec<Directive>>,
    ) -> Self {
        let enabled = desired.sites.iter().filter(|(_, site)| site.enabled);
        let sites = enabled.filter_map(|(name, site)| {
            let directives = sites.get(name)?;
            let path = site.file.source.as_path();
            Some((name.as_str(), Text { path, directives }))
        });
        let etc = desired.etc.iter().filter_map(|(path, entry)| {
            let directives = etc.get(path)?;
            let source = entry.file.source.as_path();
            Some((
                path.as_path(),
                Text {
                    path: source,
                    directives,
                },
            ))
        });
        Self::new(sites.collect(), etc.collect())
    }

    /// The files of an include, as far as they are here.
    fn included(&self, pattern: &str) -> Vec<Text<'a>> {
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
        let sites = self
            .sites
            .iter()
            .filter(|(name, _)| site.is_some_and(|pattern| fits(pattern, Path::new(name))));
        let sites = sites.map(|(_, text)| *text);
        let etc = self.etc.iter().filter(|(name, _)| fits(&path, name));
        sites.chain(etc.map(|(_, text)| *text)).collect()
    }

    /// A block with its includes resolved; those that are not here are left in it.
    pub(super) fn block(&self, text: Text<'a>) -> Vec<Place<'a>> {
        let mut out = Vec::new();
        self.expand(text, &mut vec![text.path], &mut |place, brought, _| {
            if !brought {
                out.push(place);
            }
        });
        out
    }

    /// The same, with the blocks in it.
    fn nodes(&self, text: Text<'a>, within: &mut Vec<&'a Path>) -> Vec<Node<'a>> {
        let mut out = Vec::with_capacity(text.directives.len());
        self.expand(text, within, &mut |place, _, within| {
            let Place { path, directive } = place;
            let block = directive.block.as_deref();
            let block = block.map(|directives| self.nodes(Text { path, directives }, within));
            out.push(Node {
                directive,
                path,
                block,
            });
        });
        out
    }

    /// Shows `each` directive to a function, those of included files in place of the include. It
    /// learns whether the directive is an include of a pattern that brought in all that is here.
    fn expand(
        &self,
        text: Text<'a>,
        within: &mut Vec<&'a Path>,
        each: &mut dyn FnMut(Place<'a>, bool, &mut Vec<&'a Path>),
    ) {
        for directive in text.directives {
            let place = Place {
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

    /// What makes up the `http` block: that of nginx.conf if it is here, else what Debian's includes.
    fn http_texts(&self) -> Vec<Text<'a>> {
        if let Some(main) = self.etc.get(Path::new("nginx/nginx.conf")) {
            let main = self.block(*main).into_iter();
            return main
                .filter(|place| place.name() == "http")
                .map(Place::inside)
                .collect();
        }
        let mut texts = self.included("conf.d/*.conf");
        texts.extend(self.sites.values());
        texts
    }

    /// What stands in the `http` block.
    pub(super) fn http(&self) -> Vec<Place<'a>> {
        let texts = self.http_texts().into_iter();
        texts.flat_map(|text| self.block(text)).collect()
    }

    /// What stands in the `http` block, with all blocks in it.
    pub fn http_nodes(&self) -> Vec<Node<'a>> {
        let texts = self.http_texts().into_iter();
        texts
            .flat_map(|text| self.nodes(text, &mut vec![text.path]))
            .collect()
    }

    /// What stands in a directive's block.
    pub(super) fn inside(&self, place: Place<'a>) -> Vec<Place<'a>> {
        self.block(place.inside())
    }
}

/// The name of the file that an include asks for.
pub fn file_name(include: &str) -> &str {
    include.rsplit('/').next().unwrap_or_default()
}

/// Whether an include would load a file, by its path below /etc.
pub fn loads(pattern: &str, path: &Path) -> bool {
    below_etc(pattern).is_some_and(|pattern| fits(&pattern, path))
}

/// An include's pattern or path without `/etc/`; `None` for what lies elsewhere.
fn below_etc(pattern: &str) -> Option<Cow<'_, Path>> {
    let pattern = Path::new(pattern);
    match pattern.strip_prefix("/etc") {
        Ok(below) => Some(below.into()),
        Err(_) if pattern.is_absolute() => None,
        Err(_) => Some(Path::new(PREFIX).join(pattern).into()),
    }
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Whether a path fits a pattern of glob(7): `*` and `?` match no `/`, and no leading dot.
/// Classes in brackets are taken for any one character.
fn fits(pattern: &Path, path: &Path) -> bool {
    let (mut patterns, mut names) = (pattern.iter(), path.iter());
    loop {
        match (patterns.next(), names.next()) {
            (None, None) => return true,
            (Some(pattern), Some(name)) if pattern == name => {}
            (Some(pattern), Some(name)) => {
                let (Some(pattern), Some(name)) = (pattern.to_str(), name.to_str()) else {
                    return false;
                };
                let hidden = name.starts_with('.') && !pattern.starts_with('.');
                if hidden || !is_pattern(pattern) || !part_fits(pattern, name) {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

/// One component, without recursion: where a `*` took too little, it takes one more.
fn part_fits(pattern: &str, name: &str) -> bool {
    let pattern: Vec<Option<char>> = items(pattern);
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        match pattern.get(at) {
            Some(Some('*')) => {
                star = Some((at, from));
                at += 1;
            }
            Some(wanted) if wanted.is_none_or(|c| name.get(from) == Some(&c)) => {
                at += 1;
                from += 1;
            }
            _ => match star {
                Some((back, taken)) => {
                    star = Some((back, taken + 1));
                    at = back + 1;
                    from = taken + 1;
                }
                None => return false,
            },
        }
    }
    let rest = pattern.get(at..).unwrap_or_default();
    rest.iter().all(|item| *item == Some('*'))
}

/// Characters of a pattern; `None` is any one of them.
fn items(pattern: &str) -> Vec<Option<char>> {
    let mut items = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '?' => items.push(None),
            '[' if chars.as_str().contains(']') => {
                items.push(None);
                chars.by_ref().find(|c| *c == ']');
            }
            other => items.push(Some(other)),
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::nginx::parse;

    fn outline(nodes: &[Node<'_>]) -> String {
        let text = |node: &Node<'_>| match &node.block {
            Some(block) => format!("{} {{ {} }}", node.name(), outline(block)),
            None => format!("{} {}", node.name(), node.first())
                .trim()
                .to_owned(),
        };
        nodes.iter().map(text).collect::<Vec<_>>().join("; ")
    }

    /// What stands in `http` where a site says something beside some files below /etc.
    fn resolved<T>(files: &[(&str, &str)], site: &str, show: impl Fn(&[Node<'_>]) -> T) -> T {
        let site = parse(Path::new("s"), site).unwrap();
        let text = |path, directives| Text { path, directives };
        let parsed = files.iter().filter_map(|(path, source)| {
            let path = Path::new(*path);
            Some((path, parse(path, source).ok()?))
        });
        let parsed: Vec<(&Path, Vec<Directive>)> = parsed.collect();
        let etc = parsed
            .iter()
            .map(|(path, directives)| (*path, text(*path, directives)));
        let files = Files::new([("s", text(Path::new("s"), &site))].into(), etc.collect());
        show(&files.http_nodes())
    }

    #[test]
    fn what_is_an_input_stands_in_place_of_its_include() {
        let files = [
            ("nginx/snippets/proxy.conf", "a 1; b 2;"),
            (
                "nginx/snippets/deep.conf",
                "c { include snippets/proxy.conf; }",
            ),
            ("nginx/snippets/broken.conf", "c {"),
            ("nginx/snippets/self.conf", "d; include snippets/self.conf;"),
            (
                "nginx/snippets/loop.conf",
                "l { include ./snippets/loop.conf; }",
            ),
            ("app/snippets/proxy.conf", "app;"),
        ];
        for (source, expected) in [
            ("s { include snippets/proxy.conf; }", "s { a 1; b 2 }"),
            ("include /etc/nginx/snippets/proxy.conf; x;", "a 1; b 2; x"),
            ("include ./snippets/deep.conf;", "c { a 1; b 2 }"),
            ("include proxy_params;", "include proxy_params"),
            ("include mime.types; x;", "x"),
            ("include /etc/app/snippets/proxy.conf;", "app"),
            (
                "include /srv/app/proxy.conf;",
                "include /srv/app/proxy.conf",
            ),
            (
                "include snippets/broken.conf;",
                "include snippets/broken.conf",
            ),
            (
                "include snippets/self.conf;",
                "d; include snippets/self.conf",
            ),
            (
                "include snippets/loop.conf;",
                "l { include ./snippets/loop.conf }",
            ),
            (
                "include snippets/p*.conf;",
                "a 1; b 2; include snippets/p*.conf",
            ),
            (
                "include s*/[p]roxy.conf;",
                "a 1; b 2; include s*/[p]roxy.conf",
            ),
            ("include *.conf;", "include *.conf"),
            ("include sites-enabled/s;", "include sites-enabled/s"),
        ] {
            assert_eq!(resolved(&files, source, outline), expected, "{source}");
        }
    }

    #[test]
    fn http_is_that_of_nginx_conf_or_debians() {
        let files = [
            ("nginx/conf.d/b.conf", "b;"),
            ("nginx/conf.d/a.conf", "a;"),
            ("nginx/conf.d/.c.conf", "c;"),
            (
                "nginx/nginx.conf",
                "m; http { include sites-enabled/*; h; }",
            ),
        ];
        assert_eq!(resolved(&files[..3], "s;", outline), "a; b; s");
        let expected = "s; include sites-enabled/*; h";
        assert_eq!(resolved(&files, "s;", outline), expected);
    }

    #[test]
    fn the_file_of_each_directive_is_known() {
        let files = [("nginx/snippets/a.conf", "a 1;")];
        let paths = |nodes: &[Node<'_>]| -> Vec<PathBuf> {
            nodes.iter().map(|node| node.path.to_owned()).collect()
        };
        let found = resolved(&files, "include snippets/a.conf; b 2;", paths);
        assert_eq!(found, ["nginx/snippets/a.conf", "s"].map(PathBuf::from));
    }

    #[test]
    fn files_that_include_each_other_many_times_are_bounded() {
        let many = |name: &str| format!("include {name};").repeat(200);
        let texts: Vec<(String, String)> = (0..7)
            .map(|at| (format!("nginx/{at}"), many(&format!("{}", at + 1))))
            .chain([("nginx/7".to_owned(), "x;".to_owned())])
            .collect();
        let files: Vec<(&str, &str)> = texts
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        let length = resolved(&files, "include 0;", |nodes| nodes.len());
        assert!(length <= MAX_DIRECTIVES, "{length}");
    }

    #[test]
    fn patterns_are_those_of_the_shell() {
        for (pattern, name, expected) in [
            ("conf.d/*.conf", "conf.d/a.conf", true),
            ("conf.d/*.conf", "conf.d/a.conf.bak", false),
            ("conf.d/*", "conf.d/a.conf.bak", true),
            ("conf.d/*", "conf.d/deep/a.conf", false),
            ("conf.d/*", "conf.d/.hidden", false),
            ("conf.d/?.conf", "conf.d/a.conf", true),
            ("conf.d/[a-c].conf", "conf.d/a.conf", true),
            ("conf.d/[a.conf", "conf.d/[a.conf", true),
            ("*a*b*", "xaxbx", true),
            ("*a*b*", "xbxax", false),
            ("", "a", false),
        ] {
            assert_eq!(
                fits(Path::new(pattern), Path::new(name)),
                expected,
                "{pattern} {name}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn patterns_never_panic(pattern in "[a*?/.é\\[\\]]{0,12}", name in "[a/.é]{0,12}") {
            let _ = fits(Path::new(&pattern), Path::new(&name));
        }
    }
}
