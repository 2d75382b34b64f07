//! Directives of included files, where those files belong to the desired state.
//!
//! `include` takes a path or a pattern, relative to the folder of nginx.conf,
//! <https://nginx.org/en/docs/ngx_core_module.html#include>.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Directive, parse};
use crate::model::Desired;

/// Files that include files that include files: deeper than anybody writes.
const MAX_DEPTH: usize = 8;
/// Directives that includes may bring in together: bounds files that include each other many times.
const MAX_NODES: usize = 1_000_000;

/// A directive with the input that it stands in. Where an included file is an input, its
/// directives stand here in place of the `include`.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    /// The directive; its own block holds includes as they are written.
    pub directive: &'a Directive,
    /// Its file, in the checkout.
    pub path: &'a Path,
    /// Its block with includes resolved.
    pub block: Option<Vec<Node<'a>>>,
}

/// The files below /etc/nginx that a desired state brings, apart from its sites.
#[derive(Debug, Default)]
pub struct Includes {
    files: BTreeMap<String, Included>,
    left: Cell<usize>,
}

#[derive(Debug)]
struct Included {
    path: PathBuf,
    /// `None` when it does not parse: it may be no configuration.
    directives: Option<Vec<Directive>>,
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

impl Includes {
    /// The files of a desired state.
    pub fn of(desired: &Desired) -> Self {
        let below = desired.etc.iter().filter_map(|(path, entry)| {
            let name = path.strip_prefix("nginx").ok()?.to_str()?;
            let text = String::from_utf8_lossy(&entry.file.content);
            let path = entry.file.source.clone();
            let directives = parse(&path, &text).ok();
            Some((name.to_owned(), Included { path, directives }))
        });
        Self {
            files: below.collect(),
            left: Cell::new(MAX_NODES),
        }
    }

    /// A file by its path below /etc/nginx, with its includes resolved.
    pub fn file(&self, name: &str) -> Option<Vec<Node<'_>>> {
        let (name, included) = self.files.get_key_value(name)?;
        let directives = included.directives.as_deref()?;
        Some(self.level(&included.path, directives, &mut vec![name]))
    }

    /// Names of the files that an `include` loads, by their paths below /etc/nginx.
    pub fn matching<'s>(&'s self, pattern: &'s str) -> impl Iterator<Item = &'s str> {
        let names = self.files.keys().map(String::as_str);
        names.filter(move |name| Self::loads(pattern, name))
    }

    /// Whether an `include` would load a file, by its path below /etc/nginx.
    pub fn loads(pattern: &str, name: &str) -> bool {
        below_nginx(pattern).is_some_and(|pattern| fits(pattern, name))
    }

    /// The directives of a file with its includes resolved. An `include` stays where what it
    /// brings is not known: a file that is no input, and a pattern, which may fit others too.
    pub fn resolve<'a>(&'a self, path: &'a Path, level: &'a [Directive]) -> Vec<Node<'a>> {
        self.level(path, level, &mut Vec::new())
    }

    fn level<'a>(
        &'a self,
        path: &'a Path,
        level: &'a [Directive],
        within: &mut Vec<&'a str>,
    ) -> Vec<Node<'a>> {
        let mut nodes = Vec::with_capacity(level.len());
        for directive in level {
            let node = |block| Node {
                directive,
                path,
                block,
            };
            if directive.name != "include" || directive.block.is_some() {
                let block = directive.block.as_deref();
                nodes.push(node(block.map(|block| self.level(path, block, within))));
                continue;
            }
            let pattern = directive.args.first().map_or("", |word| word.text.as_str());
            let found: Vec<&'a str> = match is_pattern(pattern) {
                true => self.matching(pattern).collect(),
                false => below_nginx(pattern)
                    .and_then(|name| self.files.get_key_value(name))
                    .map(|(name, _)| name.as_str())
                    .into_iter()
                    .collect(),
            };
            let mut known = !found.is_empty() && !is_pattern(pattern);
            for name in found {
                known &= self.bring(name, within, &mut nodes);
            }
            if !known {
                nodes.push(node(None));
            }
        }
        nodes
    }

    /// Puts the directives of an included file here; `false` where that is not possible.
    fn bring<'a>(
        &'a self,
        name: &'a str,
        within: &mut Vec<&'a str>,
        nodes: &mut Vec<Node<'a>>,
    ) -> bool {
        let Some(included) = self.files.get(name) else {
            return false;
        };
        let Some(directives) = &included.directives else {
            return false;
        };
        let left = self.left.get().checked_sub(directives.len() + 1);
        let (Some(left), false) = (left, within.contains(&name) || within.len() >= MAX_DEPTH)
        else {
            return false;
        };
        self.left.set(left);
        within.push(name);
        nodes.extend(self.level(&included.path, directives, within));
        within.pop();
        true
    }
}

/// A pattern or path without `/etc/nginx/`; `None` for what lies elsewhere.
fn below_nginx(pattern: &str) -> Option<&str> {
    match pattern.strip_prefix("/etc/nginx/") {
        Some(below) => Some(below),
        None => (!pattern.starts_with('/')).then_some(pattern),
    }
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Whether a name fits a pattern of glob(7): `*` and `?` match no `/`, and no leading dot.
/// Classes in brackets are taken for any one character.
fn fits(pattern: &str, name: &str) -> bool {
    let mut names = name.split('/');
    let mut patterns = pattern.split('/');
    loop {
        match (patterns.next(), names.next()) {
            (None, None) => return true,
            (Some(pattern), Some(name)) => {
                let hidden = name.starts_with('.') && !pattern.starts_with('.');
                if hidden || !part_fits(pattern, name) {
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
    use crate::model::{EtcFile, File};

    fn desired(files: &[(&str, &str)]) -> Desired {
        let mut desired = Desired::default();
        for (path, text) in files {
            let file = File::new(format!("etc/{path}"), text.as_bytes(), false);
            let entry = EtcFile {
                file,
                link: true,
                mode: 0o644,
                owner: "root:root".into(),
                action: None,
                zones: Vec::new(),
            };
            desired.etc.insert(PathBuf::from(path), entry);
        }
        desired
    }

    fn outline(nodes: &[Node<'_>]) -> String {
        let text = |node: &Node<'_>| match &node.block {
            Some(block) => format!("{} {{ {} }}", node.name(), outline(block)),
            None => format!("{} {}", node.name(), node.first())
                .trim()
                .to_owned(),
        };
        nodes.iter().map(text).collect::<Vec<_>>().join("; ")
    }

    fn resolved(files: &[(&str, &str)], source: &str) -> String {
        let desired = desired(files);
        let includes = Includes::of(&desired);
        let directives = parse(Path::new("s"), source).unwrap();
        outline(&includes.resolve(Path::new("s"), &directives))
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
            ("app/snippets/proxy.conf", "no;"),
        ];
        for (source, expected) in [
            ("s { include snippets/proxy.conf; }", "s { a 1; b 2 }"),
            ("include /etc/nginx/snippets/proxy.conf; x;", "a 1; b 2; x"),
            ("include snippets/deep.conf;", "c { a 1; b 2 }"),
            ("include proxy_params;", "include proxy_params"),
            (
                "include /etc/app/snippets/proxy.conf;",
                "include /etc/app/snippets/proxy.conf",
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
                "include snippets/p*.conf;",
                "a 1; b 2; include snippets/p*.conf",
            ),
            ("include *.conf;", "include *.conf"),
        ] {
            assert_eq!(resolved(&files, source), expected, "{source}");
        }
    }

    #[test]
    fn the_file_of_each_directive_is_known() {
        let desired = desired(&[("nginx/snippets/a.conf", "a 1;")]);
        let includes = Includes::of(&desired);
        let directives = parse(Path::new("s"), "include snippets/a.conf; b 2;").unwrap();
        let nodes = includes.resolve(Path::new("s"), &directives);
        let paths: Vec<&Path> = nodes.iter().map(|node| node.path).collect();
        assert_eq!(
            paths,
            [Path::new("etc/nginx/snippets/a.conf"), Path::new("s")]
        );
        assert_eq!(outline(&includes.file("snippets/a.conf").unwrap()), "a 1");
        assert!(includes.file("snippets/b.conf").is_none());
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
        assert!(resolved(&files, "include 0;").len() < 20_000_000);
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
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn patterns_never_panic(pattern in "[a*?/.é\\[\\]]{0,12}", name in "[a/.é]{0,12}") {
            let _ = fits(&pattern, &name);
        }
    }
}
