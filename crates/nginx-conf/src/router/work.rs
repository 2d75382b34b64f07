//! How much is spent on answers: what nginx does once for each request, a table of all locations would do for each of them.

use std::cell::Cell;
use std::rc::Rc;

use super::way::Stop;

/// Rewrite directives, regular expressions, entries of maps and the like that are looked at for one table, or for one request.
const MAX_WORK: usize = 1_000_000;
/// The same for answers together before only the likeliest way of each is followed, and for one of them at least.
const WAYS: usize = 200_000;
const WAYS_OF_ONE: usize = 200;

/// What answers may still cost. Clones spend the same.
#[derive(Clone, Debug)]
pub struct Work {
    left: Rc<Cell<usize>>,
    /// What one answer may cost before its less likely ways are left out.
    share: usize,
    /// What the present answer has cost.
    spent: Rc<Cell<usize>>,
}

impl Work {
    /// For so many answers together.
    pub fn of(answers: usize) -> Self {
        Self {
            left: Rc::new(Cell::new(MAX_WORK)),
            share: WAYS_OF_ONE.max(WAYS / answers.max(1)),
            spent: Rc::default(),
        }
    }

    /// Another answer begins.
    pub(super) fn begin(&self) {
        self.spent.set(0);
    }

    /// Whether the present answer has cost more than its share.
    pub(super) fn is_beyond_its_share(&self) -> bool {
        self.spent.get() > self.share
    }

    /// Looks at so much.
    pub(super) fn spend(&self, work: usize) -> Result<(), Stop> {
        self.spent.set(self.spent.get().saturating_add(work));
        let left = self.left.get().checked_sub(work);
        self.left.set(left.unwrap_or_default());
        match left {
            Some(_) => Ok(()),
            None => Err(Stop::Unknown(
                "more directives than are followed for so many locations".to_owned(),
            )),
        }
    }
}
