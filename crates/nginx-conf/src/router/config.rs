//! What nginx reads, as servers and locations.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::block::Block;
use super::inner::Inner;
use super::level::Level;
use super::regex::{self, Patterns};
use crate::Directive;
use crate::files::{Files, Located};

/// A `server` block.
#[derive(Debug)]
pub struct Server<'a> {
    /// Where it begins.
    pub place: Located<'a>,
    pub(super) block: Rc<Block<'a>>,
    /// Where it is among all servers.
    pub(super) index: usize,
    locations: OnceCell<Level<'a>>,
    inner: Rc<Inner<'a>>,
}

impl<'a> Server<'a> {
    /// Its names as they are written.
    pub fn names(&self) -> Vec<&'a str> {
        self.each_name().collect()
    }

    pub(super) fn each_name(&self) -> impl Iterator<Item = &'a str> {
        let names = self.block.named("server_name");
        names.flat_map(|place| place.words())
    }

    /// Its locations.
    pub(super) fn locations(&self, files: &Files<'a>) -> &Level<'a> {
        self.locations
            .get_or_init(|| self.inner.level(files, &self.block, 0))
    }
}

/// How a location matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchKind {
    /// `=`
    Exact,
    /// A prefix, after which regular expressions are tried.
    Prefix,
    /// `^~`: a prefix, after which none is.
    Final,
    /// `~`
    Regex,
    /// `~*`
    RegexCaseless,
    /// `@name`
    Named,
}

impl MatchKind {
    /// Whether it compares with the path of a URL, no regular expression and no name.
    pub fn is_path(self) -> bool {
        matches!(
            self,
            MatchKind::Exact | MatchKind::Prefix | MatchKind::Final
        )
    }
}

/// A `location` block.
#[derive(Debug)]
pub struct Location<'a> {
    /// How it matches.
    pub kind: MatchKind,
    /// The path, regular expression or name.
    pub name: &'a str,
    /// Where it begins.
    pub place: Located<'a>,
    pub(super) block: Rc<Block<'a>>,
    pub(super) level: Rc<Level<'a>>,
}

impl<'a> Location<'a> {
    /// Locations within it.
    pub fn inner(&self) -> &[Location<'a>] {
        self.level.all()
    }

    /// Where it passes requests on, or answers them.
    pub fn says(&self) -> Option<Located<'a>> {
        const SAYS: [&str; 7] = {
            let [a, b, c, d, e, f] = super::pass::PASSES;
            [a, b, c, d, e, f, "return"]
        };
        self.block.first_of(&SAYS)
    }

    /// Whether it passes requests on by itself.
    pub fn passes(&self) -> bool {
        self.block.first_of(&super::pass::PASSES).is_some()
    }

    /// Whether nobody outside may ask for it.
    pub fn is_internal(&self) -> bool {
        self.block.first_of(&["internal"]).is_some()
    }

    /// Its path with what a URL may not hold escaped.
    pub(crate) fn escaped_name(&self) -> String {
        let escaped = super::uri::escape(self.name.as_bytes(), super::uri::Escape::Uri);
        String::from_utf8_lossy(&escaped).into_owned()
    }

    /// Whether a request for its path without the last slash is redirected to it, `auto_redirect`.
    pub(super) fn redirects(&self) -> bool {
        self.kind.is_path() && self.name.ends_with('/') && self.passes()
    }

    #[cfg(test)]
    pub(super) fn at(place: Located<'a>, kind: MatchKind, name: &'a str) -> Self {
        Self {
            kind,
            name,
            place,
            block: Rc::default(),
            level: Rc::default(),
        }
    }

    pub(super) fn is_regex(&self) -> bool {
        matches!(self.kind, MatchKind::Regex | MatchKind::RegexCaseless)
    }

    /// How it is written: `= /x`, `~ \.php$`.
    pub fn head(&self) -> String {
        let mark = match self.kind {
            MatchKind::Exact => "= ",
            MatchKind::Final => "^~ ",
            MatchKind::Regex => "~ ",
            MatchKind::RegexCaseless => "~* ",
            MatchKind::Prefix | MatchKind::Named => "",
        };
        format!("{mark}{}", self.name)
    }

    /// Its path as a URL has it; `None` for a regular expression and a name.
    pub fn url_path(&self) -> Option<String> {
        (self.kind.is_path() && self.name.starts_with('/')).then(|| self.escaped_name())
    }
}

/// All that nginx reads.
#[derive(Debug)]
pub(super) struct Config<'a> {
    pub http: Rc<Block<'a>>,
    pub servers: Vec<Server<'a>>,
    /// By name in lower case.
    pub upstreams: BTreeMap<String, Vec<Located<'a>>>,
    /// By the variable that they make, without `$`.
    pub maps: BTreeMap<&'a str, (Located<'a>, Vec<Located<'a>>)>,
    /// Variables that `set` and regular expressions make, without `$`.
    pub declared: BTreeSet<&'a str>,
    /// Regular expressions.
    pub patterns: Patterns<'a>,
    /// Blocks within servers.
    pub inner: Rc<Inner<'a>>,
}

impl<'a> Config<'a> {
    pub(super) fn new(files: &Files<'a>) -> Self {
        let http = files.http();
        let mut config = Self {
            servers: Vec::new(),
            upstreams: BTreeMap::new(),
            maps: BTreeMap::new(),
            declared: BTreeSet::new(),
            http: Rc::default(),
            patterns: Patterns::default(),
            inner: Rc::default(),
        };
        for place in &http {
            let inside = || files.inside(*place);
            match place.name() {
                "server" => config.servers.push(Server {
                    place: *place,
                    block: Block::from(inside()).into(),
                    index: config.servers.len(),
                    locations: OnceCell::new(),
                    inner: config.inner.clone(),
                }),
                "upstream" => {
                    let name = place.word(0).to_ascii_lowercase();
                    config.upstreams.entry(name).or_insert_with(inside);
                }
                "map" => {
                    if let Some(name) = place.word(1).strip_prefix('$') {
                        config.maps.insert(name, (*place, inside()));
                    }
                }
                _ => {}
            }
        }
        let texts = files.sites.values().chain(files.etc.values());
        texts.for_each(|text| declare(text.directives, &mut config.declared));
        config.http = Block::from(http).into();
        config
    }
}

fn declare<'a>(level: &'a [Directive], declared: &mut BTreeSet<&'a str>) {
    for directive in level {
        let words = directive.args.iter().map(|word| word.text.as_str());
        match directive.name.as_str() {
            "set" => declared.extend(words.take(1).filter_map(|name| name.strip_prefix('$'))),
            _ => declared.extend(
                words
                    .filter(|word| word.contains("(?"))
                    .flat_map(regex::names),
            ),
        }
        declare(directive.block.as_deref().unwrap_or_default(), declared);
    }
}
