//! The tree of blocks, with what includes bring in.

use std::path::Path;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use source_text::word_list;

use super::{Files, Located, Text};
use crate::{Directive, Word};

/// A directive with the file in which it is, and its block with includes resolved.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    /// The directive; its own block holds includes as they are written.
    pub directive: &'a Directive,
    /// The file's path in the checkout.
    pub path: &'a Path,
    /// Its block. An `include` stays where what it brings is not all known: a file that is not
    /// here, and a pattern, which may fit others too.
    pub block: Option<Arc<Vec<Node<'a>>>>,
    /// Whether the directive was brought into a block of this kind before, by another include of its file: what is said of
    /// it alone was said.
    pub again: bool,
}

impl<'a> Node<'a> {
    /// The directive's name.
    pub fn name(&self) -> &'a str {
        &self.directive.name
    }

    /// The words after its name.
    pub fn args(&self) -> &'a [Word] {
        &self.directive.args
    }

    /// Their texts.
    pub fn words(&self) -> impl DoubleEndedIterator<Item = &'a str> + use<'a> {
        self.located().words()
    }

    /// The directive with its file.
    pub fn located(&self) -> Located<'a> {
        Located {
            path: self.path,
            directive: self.directive,
        }
    }

    /// Its first argument, or nothing.
    pub fn first(&self) -> &'a str {
        self.located().word(0)
    }

    /// What is in its block.
    pub fn inside(&self) -> &[Self] {
        self.block.as_deref().map_or(&[], Vec::as_slice)
    }
}

/// A block as far as it decides what is in it: its name, and that of the block around it, by their places in [`BLOCKS`].
type BlockPair = (usize, usize);

/// Names of blocks that are told apart; `main` is any that is not here.
const BLOCKS: [&str; 11] =
    word_list("main http server location if limit_except upstream map stream events mail");

/// Builds the tree. A file that many blocks include is read once for each kind of block.
pub(super) struct Tree<'f, 'a> {
    files: &'f Files<'a>,
    top: usize,
    /// Whether a file is included at all: without that, all that is read is read once, and nothing has to be remembered.
    shares: bool,
    seen: FxHashSet<(usize, BlockPair)>,
    /// Blocks without includes, which are the same wherever they stand.
    blocks: FxHashMap<(usize, BlockPair), Arc<Vec<Node<'a>>>>,
}

impl<'f, 'a> Tree<'f, 'a> {
    /// Of what is at the top, or in `http`.
    pub(super) fn of(files: &'f Files<'a>, top: &'static str) -> Self {
        Self {
            files,
            top: place_of(top),
            shares: files.include_each_other(),
            seen: FxHashSet::default(),
            blocks: FxHashMap::default(),
        }
    }

    /// What a text brings to the top.
    pub(super) fn read(&mut self, text: Text<'a>) -> Vec<Node<'a>> {
        self.nodes(text, &mut vec![text.path], (self.top, self.top))
    }

    fn nodes(
        &mut self,
        text: Text<'a>,
        within: &mut Vec<&'a Path>,
        pair: BlockPair,
    ) -> Vec<Node<'a>> {
        let mut out = Vec::with_capacity(text.directives.len());
        let files = self.files;
        files.expand(text, within, &mut |place, _, within| {
            let Located { path, directive } = place;
            let own = (std::ptr::from_ref(directive).addr(), pair);
            let block = directive.block.as_deref();
            out.push(Node {
                directive,
                path,
                block: block.map(|_| self.block(place, own, within)),
                again: self.shares && !self.seen.insert(own),
            });
        });
        out
    }

    fn block(
        &mut self,
        place: Located<'a>,
        own: (usize, BlockPair),
        within: &mut Vec<&'a Path>,
    ) -> Arc<Vec<Node<'a>>> {
        if let Some(known) = self.blocks.get(&own) {
            return known.clone();
        }
        let (_, (name, _)) = own;
        let pair = (place_of(place.name()), name);
        let block = Arc::new(self.nodes(place.inside(), within, pair));
        if self.shares && !includes(place.inside().directives) {
            self.blocks.insert(own, block.clone());
        }
        block
    }
}

/// The place of a block's name in [`BLOCKS`].
fn place_of(name: &str) -> usize {
    BLOCKS.iter().position(|block| *block == name).unwrap_or(0)
}

/// Whether something is included in a block, however deep.
fn includes(level: &[Directive]) -> bool {
    let mut level = level.iter();
    level.any(|directive| {
        directive.name == "include" || directive.block.as_deref().is_some_and(includes)
    })
}
