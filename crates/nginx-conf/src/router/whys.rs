//! What is not known of an answer.

use std::collections::HashSet;

/// How many things that are not known are named.
const MAX_WHYS: usize = 8;

/// What is not known.
#[derive(Default)]
pub(super) struct Whys {
    named: Vec<String>,
    others: HashSet<String>,
}

impl Whys {
    pub(super) fn add(&mut self, what: &str) {
        if self.named.iter().any(|named| named == what) {
            return;
        }
        match self.named.len() < MAX_WHYS {
            true => self.named.push(what.to_owned()),
            false => {
                self.others.insert(what.to_owned());
            }
        }
    }

    pub(super) fn named(mut self) -> Vec<String> {
        match self.others.len() {
            0 => {}
            1 => self.named.extend(self.others),
            others => self.named.push(format!("{others} others of the kind")),
        }
        self.named
    }
}
