//! The two copies of a stack that updates start-first, and which of them is next.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::id::Hash;

/// Which of its two copies a stack that updates start-first has on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackCopy {
    /// `a` or `b`.
    pub letter: char,
    /// The port of this host on which it answers.
    pub port: u16,
    /// The two ports that the copies use in turns; `None` in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ports: Option<[u16; 2]>,
    /// A hash of what it is started with.
    pub revision: Hash,
}

/// What decides which copy a stack gets next.
#[derive(Clone, Debug, Default)]
pub struct Copies {
    /// The copy that each stack has that updates start-first.
    pub known: BTreeMap<String, StackCopy>,
    /// Ports of the host that units publish.
    pub ports: BTreeSet<u16>,
    /// Stacks whose copy is paused: the other one would take its place, and run.
    pub paused: BTreeSet<String>,
}

impl Copies {
    /// The copy that a stack has, unless its revision or its ports changed: then the other one, on a port that is free. A
    /// first copy leaves its port to what publishes it so far.
    pub fn next(&self, stack: &str, ports: [u16; 2], revision: Hash) -> StackCopy {
        let known = self.known.get(stack);
        let is_same =
            |known: &&StackCopy| known.revision == revision && ports.contains(&known.port);
        if let Some(same) = known.filter(is_same) {
            return StackCopy {
                ports: Some(ports),
                ..same.clone()
            };
        }
        let stays = |known: &&StackCopy| self.paused.contains(stack) && ports.contains(&known.port);
        if let Some(paused) = known.filter(stays) {
            return StackCopy {
                revision,
                ports: Some(ports),
                ..paused.clone()
            };
        }
        let letter = known.map_or(StackCopy::FIRST, StackCopy::other);
        let [first, second] = ports;
        let own = if letter == StackCopy::FIRST {
            first
        } else {
            second
        };
        let other = if own == first { second } else { first };
        let is_taken = match known {
            Some(known) => known.port == own,
            None => self.ports.contains(&own) && !self.ports.contains(&other),
        };
        StackCopy {
            letter,
            port: if is_taken { other } else { own },
            ports: Some(ports),
            revision,
        }
    }
}

impl StackCopy {
    /// The first of the two.
    pub const FIRST: char = 'a';
    /// The second.
    pub const SECOND: char = 'b';

    /// The letter of the other one.
    pub fn other(&self) -> char {
        match self.letter {
            Self::FIRST => Self::SECOND,
            _ => Self::FIRST,
        }
    }

    /// Its unit.
    pub fn unit(&self, stack: &str) -> String {
        Self::unit_of(stack, self.letter)
    }

    /// The units of both copies.
    pub fn units(stack: &str) -> [String; 2] {
        [Self::FIRST, Self::SECOND].map(|letter| Self::unit_of(stack, letter))
    }

    fn unit_of(stack: &str, letter: char) -> String {
        format!("stack-{stack}-{letter}.service")
    }

    /// The projects of both copies, for the project of the stack.
    pub fn projects(project: &str) -> [String; 2] {
        [Self::FIRST, Self::SECOND].map(|letter| format!("{project}-{letter}"))
    }

    /// Its compose project.
    pub fn project(&self, stack: &str) -> String {
        format!("{stack}-{}", self.letter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(known: Option<(char, u16, &[u8])>, published: &[u16], ports: [u16; 2]) -> (char, u16) {
        let known = known.map(|(letter, port, revision)| {
            let revision = Hash::of(revision);
            let copy = StackCopy {
                letter,
                port,
                ports: None,
                revision,
            };
            ("shop".to_owned(), copy)
        });
        let copies = Copies {
            known: known.into_iter().collect(),
            ports: published.iter().copied().collect(),
            paused: BTreeSet::new(),
        };
        let copy = copies.next("shop", ports, Hash::of(b"new"));
        (copy.letter, copy.port)
    }

    #[test]
    fn the_next_copy_is_on_a_port_that_is_free() {
        let ports = [8101, 8102];
        assert_eq!(next(None, &[], ports), ('a', 8101));
        // The stack ran without copies so far, on one of the two.
        assert_eq!(next(None, &[8101], ports), ('a', 8102));
        assert_eq!(next(None, &[8102], ports), ('a', 8101));
        assert_eq!(next(None, &[8101, 8102], ports), ('a', 8101));
        let a = ('a', 8101, b"new".as_slice());
        assert_eq!(next(Some(a), &[8101], ports), ('a', 8101));
        let old = ('a', 8101, b"old".as_slice());
        assert_eq!(next(Some(old), &[8101], ports), ('b', 8102));
        let old = ('a', 8102, b"old".as_slice());
        assert_eq!(next(Some(old), &[8102], ports), ('b', 8101));
        // Other ports in watchme.toml.
        assert_eq!(next(Some(a), &[8101], [8201, 8202]), ('b', 8202));
        assert_eq!(next(Some(a), &[8101], [8103, 8101]), ('a', 8101));
    }

    /// The other copy would run, though somebody keeps the stack stopped.
    #[test]
    fn a_paused_copy_stays_the_one() {
        let known = StackCopy {
            letter: 'b',
            port: 8102,
            ports: None,
            revision: Hash::of(b"old"),
        };
        let copies = Copies {
            known: [("shop".to_owned(), known)].into(),
            paused: ["shop".to_owned()].into(),
            ..Copies::default()
        };
        let next = copies.next("shop", [8101, 8102], Hash::of(b"new"));
        assert_eq!((next.letter, next.port), ('b', 8102));
        assert_eq!(next.revision, Hash::of(b"new"));
    }
}
