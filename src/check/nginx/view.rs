//! The http configuration as nginx would have it: sites and included files together, and what a
//! block inherits.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use source_text::{SourceFile, word_list};

use super::includes::Includes;
use crate::check::Subject;
use crate::check::engine::Rule;
use crate::model::{Diagnostic, Finding};
use crate::source::nginx::{self, Node, file_name};

/// What of a desired state nginx loads.
pub struct View<'a> {
    /// The revision.
    pub subject: &'a Subject<'a>,
    /// Directives at the top: of nginx.conf, or else of modules-enabled. What is in `http` blocks is in `http`.
    pub main: Vec<Node<'a>>,
    /// Directives at the level of `http`: of nginx.conf, of conf.d, and of the enabled sites.
    pub http: Vec<Node<'a>>,
    /// Whether nginx.conf itself is here.
    pub has_main: bool,
    /// What it includes.
    pub includes: Includes<'a>,
}

/// A block in which requests are handled, with what is in it.
pub struct Block<'v> {
    /// `server`, `location`, `if` or `limit_except`; `None` for `http`.
    pub node: Option<&'v Node<'v>>,
    /// The block around it.
    pub outer: Option<Arc<Block<'v>>>,
    /// Its directives by name; those with one name in their order.
    settings: Vec<&'v Node<'v>>,
    /// A hash of each one's name. Every rule asks for some names in every block, and the names themselves are all over the memory.
    hashes: Vec<u64>,
    /// A bit for each of them: most names that a rule asks for are not here.
    bits: u64,
    /// Those that pass requests on, each with the beginning of its name: one of [`PROTOCOLS`].
    pub passes: Vec<(&'static str, &'v Node<'v>)>,
    /// Whether it has a file that is no input. That of Debian for PHP says nothing that a
    /// rule asks for.
    pub includes_unknown: bool,
}

/// Directives that pass a request on, by the beginning of their name, which ends in `_pass`.
const PROTOCOLS: [&str; 5] = ["proxy", "grpc", "fastcgi", "uwsgi", "scgi"];

/// More directives than that are looked up by their order.
const LONG: usize = 64;

impl<'a> View<'a> {
    /// Combines the files as Debian's nginx.conf does, or as the desired state's own one.
    pub fn new(subject: &'a Subject<'a>) -> Self {
        let parsed = &subject.revision.parsed;
        let files = nginx::files(&subject.revision.desired, &parsed.sites, &parsed.etc);
        let (mut main, has_main) = (files.main_nodes(), files.has_main());
        let mut http = match has_main {
            true => {
                let blocks = main.iter_mut().filter(|node| node.name() == "http");
                blocks
                    .filter_map(|node| node.block.as_mut().map(std::mem::take))
                    .flat_map(Arc::unwrap_or_clone)
                    .collect()
            }
            false => files.http_nodes(),
        };
        let includes = Includes::of(&main, &http);
        http.retain(|node| !is_usual(node));
        Self {
            subject,
            main,
            http,
            has_main,
            includes,
        }
    }

    /// Whether all is here that nginx reads, so that what is not here is nowhere.
    pub fn is_complete(&self) -> bool {
        self.has_main
            && self.includes.missing.is_empty()
            && self.subject.is_whole()
            && self.subject.revision.parsed.broken.is_empty()
    }

    /// All servers.
    pub fn servers(&self) -> impl Iterator<Item = &Node<'a>> {
        self.http.iter().filter(|node| node.name() == "server")
    }

    /// Every block, `http` included, the outer ones first.
    pub fn blocks(&self) -> Vec<Arc<Block<'_>>> {
        let mut blocks = Blocks::default();
        blocks.collect((None, 0), None, &self.http);
        blocks.all
    }

    /// The text of an input as it was parsed.
    pub fn text(&self, path: &Path) -> Arc<SourceFile> {
        self.subject.revision.text(path)
    }

    /// A complaint about bytes of an input.
    pub fn complain(
        &self,
        path: &Path,
        span: Range<usize>,
        message: impl Into<String>,
        expected: impl Into<String>,
        help: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::at(&self.text(path), span, message, expected).helped(help)
    }

    /// A finding about a whole directive.
    pub fn find(
        &self,
        rule: &'static Rule,
        node: &Node<'_>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Finding {
        self.find_at(rule, node, &node.directive.span, message, help)
    }

    /// A finding about some bytes of a directive.
    pub fn find_at(
        &self,
        rule: &'static Rule,
        node: &Node<'_>,
        span: &Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Finding {
        rule.at(self.complain(node.path, span.clone(), message, "", help))
    }

    /// Where a directive is, as `path:line`.
    pub fn place(&self, node: &Node<'_>) -> String {
        format!("{}:{}", node.path.display(), self.line(node))
    }

    /// The line of a directive, from 1.
    pub fn line(&self, node: &Node<'_>) -> usize {
        self.text(node.path).line_of(node.directive.span.start)
    }
}

/// What any nginx.conf includes, and what is looked at on its own.
fn is_usual(node: &Node<'_>) -> bool {
    let usual = ["sites-enabled/*", "conf.d/*.conf", "modules-enabled/*.conf"];
    node.name() == "include" && usual.iter().any(|usual| node.first().ends_with(usual))
}

/// A hash of a name: of its length, its first and its last eight bytes. Rules ask for names millions of times, and a name that is
/// found by it is compared as a whole.
fn hash(name: &str) -> u64 {
    const MANY: u64 = 0x9e37_79b9_7f4a_7c15;
    let bytes = name.as_bytes();
    let (first, last) = match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => (
            bytes
                .iter()
                .fold(0, |all, byte| (all << 8) | u64::from(*byte)),
            0,
        ),
    };
    let mixed = (first ^ last.rotate_left(23) ^ bytes.len() as u64).wrapping_mul(MANY);
    mixed ^ (mixed >> 32)
}

/// The bit of a hash.
fn bit(hash: u64) -> u64 {
    1 << (hash % 64)
}

/// Contexts in which a block is looked at.
const MAX_CONTEXTS: usize = 32;

/// Settings of a server that no rule about what is in it asks for.
const OF_SERVERS: [&str; 4] = word_list("ssl_certificate ssl_certificate_key access_log error_log");

/// Collects blocks. One that many servers include is looked at once for each context that may make a difference.
#[derive(Default)]
struct Blocks<'v> {
    all: Vec<Arc<Block<'v>>>,
    /// Numbers of what is around a block.
    contexts: HashMap<(usize, String), usize>,
    /// In which of them a directive's block was looked at.
    seen: HashMap<usize, HashSet<usize>>,
}

impl<'v> Blocks<'v> {
    fn collect(
        &mut self,
        (node, around): (Option<&'v Node<'v>>, usize),
        outer: Option<Arc<Block<'v>>>,
        level: &'v [Node<'v>],
    ) {
        let is_block = |node: &Node<'_>| {
            let name = node.name();
            node.block.is_some() && matches!(name, "server" | "location" | "if" | "limit_except")
        };
        let block = Arc::new(Block::new(node, outer, level));
        self.all.push(block.clone());
        let mut context = None;
        for node in level.iter().filter(|node| is_block(node)) {
            let context = *context.get_or_insert_with(|| self.context(&block, around));
            let own = std::ptr::from_ref(node.directive).addr();
            let seen = self.seen.entry(own).or_default();
            if seen.len() < MAX_CONTEXTS && seen.insert(context) {
                let node = (Some(node), context);
                self.collect(node, Some(block.clone()), node.0.map_or(&[], Node::inside));
            }
        }
    }

    /// The number of what is around the blocks in a block.
    fn context(&mut self, block: &Block<'v>, around: usize) -> usize {
        let mut said = String::new();
        let is_server = block.kind() == "server";
        if let Some(node) = block.node.filter(|_| !is_server) {
            said.push_str(&std::ptr::from_ref(node.directive).addr().to_string());
        }
        for node in block.settings() {
            let words = node.words();
            let words: Vec<&str> = match node.name() {
                name if is_server && OF_SERVERS.contains(&name) => continue,
                // Regular expressions have groups.
                "server_name" => words.filter(|word| word.starts_with('~')).collect(),
                "listen" => {
                    let is_tls =
                        |word: &&str| matches!(*word, "ssl" | "443") || word.ends_with(":443");
                    words.filter(is_tls).take(1).map(|_| "ssl").collect()
                }
                _ => words.collect(),
            };
            let is_plain = words.is_empty() && matches!(node.name(), "server_name" | "listen");
            if !is_plain {
                let _ = write!(said, "{}{words:?};", node.name());
            }
        }
        let next = self.contexts.len() + 1;
        *self.contexts.entry((around, said)).or_insert(next)
    }
}

impl<'v> Block<'v> {
    fn new(
        node: Option<&'v Node<'v>>,
        outer: Option<Arc<Block<'v>>>,
        level: &'v [Node<'v>],
    ) -> Self {
        let mut settings: Vec<&'v Node<'v>> =
            level.iter().filter(|node| node.block.is_none()).collect();
        settings.sort_by_key(|node| node.name());
        let passes = settings.iter().filter_map(|node| {
            let protocol = node.name().strip_suffix("_pass")?;
            let known = PROTOCOLS.into_iter().find(|known| *known == protocol);
            Some((known?, *node))
        });
        let unknown = |node: &&Node<'_>| {
            node.name() == "include" && file_name(node.first()) != "fastcgi-php.conf"
        };
        let hashes: Vec<u64> = settings.iter().map(|node| hash(node.name())).collect();
        Self {
            bits: hashes.iter().fold(0, |bits, hash| bits | bit(*hash)),
            hashes,
            node,
            outer,
            passes: passes.collect(),
            includes_unknown: settings.iter().any(unknown),
            settings,
        }
    }

    /// The name of the block: `http`, `server`, `location`, `if` or `limit_except`.
    pub fn kind(&self) -> &str {
        self.node.map_or("http", |node| node.name())
    }

    /// Directives of one name in this very block.
    pub fn own(&self, name: &str) -> &[&'v Node<'v>] {
        self.hashed(name, hash(name))
    }

    /// The same by the name and its hash.
    fn hashed(&self, name: &str, wanted: u64) -> &[&'v Node<'v>] {
        if self.bits & bit(wanted) == 0 {
            return &[];
        }
        let is = |at: &usize| {
            self.hashes.get(*at) == Some(&wanted)
                && self
                    .settings
                    .get(*at)
                    .is_some_and(|node| node.name() == name)
        };
        // What all sites say at the level of http is a long list: by name there, through the names themselves.
        let from = match self.hashes.len() {
            0..=LONG => (0..self.hashes.len()).find(is),
            _ => Some(self.settings.partition_point(|node| node.name() < name)).filter(is),
        };
        let Some(from) = from else {
            return &[];
        };
        let count = (from..).take_while(is).count();
        self.settings.get(from..from + count).unwrap_or_default()
    }

    /// This block and those around it, from the inside.
    pub fn chain(&self) -> impl Iterator<Item = &Block<'v>> {
        let mut next: Option<&Block<'v>> = Some(self);
        std::iter::from_fn(move || {
            let block = next?;
            next = block.outer.as_deref();
            Some(block)
        })
    }

    /// Directives of one name that are in force: those of the innermost block that has any.
    /// `None` where a file that is not known could say so, too.
    pub fn in_force(&self, name: &str) -> Option<&[&'v Node<'v>]> {
        let wanted = hash(name);
        for block in self.chain() {
            if block.includes_unknown {
                return None;
            }
            let own = block.hashed(name, wanted);
            if !own.is_empty() {
                return Some(own);
            }
        }
        Some(&[])
    }

    /// The one directive of a name that is in force, or nothing.
    pub fn setting(&self, name: &str) -> Option<&'v Node<'v>> {
        let wanted = hash(name);
        self.chain()
            .find_map(|block| block.hashed(name, wanted).last().copied())
    }

    /// The innermost location around it, or itself.
    pub fn location(&self) -> Option<&'v Node<'v>> {
        self.chain()
            .filter_map(|block| block.node)
            .find(|node| node.name() == "location")
    }

    /// The server around it.
    pub fn server(&self) -> Option<&Block<'v>> {
        self.chain().find(|block| block.kind() == "server")
    }

    /// All directives of this very block that have no block of their own.
    pub fn settings(&self) -> &[&'v Node<'v>] {
        &self.settings
    }
}
