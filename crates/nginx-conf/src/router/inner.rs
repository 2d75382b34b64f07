//! Blocks within servers. A file that many servers include is read once for all of them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::block::Block;
use super::config::{Location, MatchKind};
use super::level::Level;
use crate::files::{Files, Located};

/// Deeper than any real configuration; the parser has a bound, includes multiply it.
const MAX_DEPTH: usize = 64;

/// Blocks and levels of locations, by the directives that they are of.
#[derive(Debug, Default)]
pub(super) struct Inner<'a> {
    blocks: RefCell<HashMap<usize, Rc<Block<'a>>>>,
    /// `None` while one is read.
    levels: RefCell<HashMap<usize, Option<Rc<Level<'a>>>>>,
}

impl<'a> Inner<'a> {
    /// What is in a directive's block.
    pub(super) fn block(&self, files: &Files<'a>, place: Located<'a>) -> Rc<Block<'a>> {
        let known = self.blocks.borrow().get(&key(place)).cloned();
        known.unwrap_or_else(|| {
            let block = Rc::new(Block::from(files.inside(place)));
            self.blocks.borrow_mut().insert(key(place), block.clone());
            block
        })
    }

    /// The locations of a block.
    pub(super) fn level(&self, files: &Files<'a>, block: &Block<'a>, depth: usize) -> Level<'a> {
        let found = block.named("location").filter(|_| depth < MAX_DEPTH);
        let built = found.filter_map(|place| {
            let words: Vec<&str> = place.words().collect();
            let (kind, name) = match words.as_slice() {
                [mark, name] => (mark_of(mark)?, *name),
                [one] => written_together(one),
                _ => return None,
            };
            let block = self.block(files, place);
            Some(Location {
                kind,
                name,
                place,
                level: self.level_of(files, place, &block, depth),
                block,
            })
        });
        built.collect::<Vec<_>>().into()
    }

    fn level_of(
        &self,
        files: &Files<'a>,
        place: Located<'a>,
        block: &Block<'a>,
        depth: usize,
    ) -> Rc<Level<'a>> {
        let known = self.levels.borrow().get(&key(place)).cloned();
        match known {
            Some(Some(level)) => level,
            // A file that includes itself, which nginx refuses.
            Some(None) => Rc::default(),
            None => {
                self.levels.borrow_mut().insert(key(place), None);
                let level = Rc::new(self.level(files, block, depth + 1));
                let mut levels = self.levels.borrow_mut();
                levels.insert(key(place), Some(level.clone()));
                level
            }
        }
    }
}

/// A directive itself, wherever it is included.
fn key(place: Located<'_>) -> usize {
    std::ptr::from_ref(place.directive).addr()
}

fn mark_of(mark: &str) -> Option<MatchKind> {
    Some(match mark {
        "=" => MatchKind::Exact,
        "^~" => MatchKind::Final,
        "~" => MatchKind::Regex,
        "~*" => MatchKind::RegexCaseless,
        _ => return None,
    })
}

/// `location =/x`, without a blank.
fn written_together(word: &str) -> (MatchKind, &str) {
    for mark in ["=", "^~", "~*", "~"] {
        if let (Some(name), Some(kind)) = (word.strip_prefix(mark), mark_of(mark)) {
            return (kind, name);
        }
    }
    let kind = if word.starts_with('@') {
        MatchKind::Named
    } else {
        MatchKind::Prefix
    };
    (kind, word)
}
