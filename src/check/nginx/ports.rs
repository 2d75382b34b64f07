//! Ports that nginx passes requests to.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

use super::target::{Groups, behind, group_of};
use super::view::{Block, View};
use crate::source::nginx::{Directive, Node};

/// The local ports that the blocks proxy to, each with the directives that say so.
#[derive(Default)]
pub(crate) struct Proxied<'v> {
    /// By port.
    pub ports: BTreeMap<u16, Vec<&'v Node<'v>>>,
    /// Groups whose servers are there.
    groups: HashSet<*const Directive>,
}

impl<'v> Proxied<'v> {
    /// Adds what a block passes on to.
    pub(crate) fn add(&mut self, groups: &Groups<'v>, block: &Block<'v>) {
        for &(_, pass) in &block.passes {
            let group = group_of(groups, pass).map(|group| std::ptr::from_ref(group.directive));
            if group.is_some_and(|group| !self.groups.insert(group)) {
                continue;
            }
            for (target, node) in behind(groups, pass) {
                if target.is_loopback() {
                    self.ports.entry(target.real_port()).or_default().push(node);
                }
            }
        }
    }
}

impl Proxied<'_> {
    /// Each port with the files and lines of its directives.
    pub(crate) fn places(&self, view: &View<'_>) -> BTreeMap<u16, BTreeSet<(PathBuf, usize)>> {
        let place = |node: &&Node<'_>| (node.path.to_owned(), view.line(node));
        let of_port =
            |(port, nodes): (&u16, &Vec<&Node<'_>>)| (*port, nodes.iter().map(place).collect());
        self.ports.iter().map(of_port).collect()
    }
}

/// The numbers in a text that could be ports.
pub(crate) fn numbers(text: &[u8]) -> impl Iterator<Item = u16> {
    let words = text.split(|byte| !byte.is_ascii_digit());
    words.filter_map(|word| std::str::from_utf8(word).ok()?.parse().ok())
}
