//! The record of an apply that waits for confirmation.

use super::{State, StateError};
use crate::model::Waiting;

const NAME: &str = "confirm.json";

impl State {
    /// What waits for confirmation.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    pub(crate) fn waiting(&self) -> Result<Option<Waiting>, StateError> {
        self.read_json(NAME)
    }

    /// Writes down what waits. Only for who holds the lock.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn write_waiting(&self, waiting: &Waiting) -> Result<(), StateError> {
        self.write_json(self.path(NAME), waiting)
    }

    /// Nothing waits any more. Only for who holds the lock.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn end_waiting(&self) -> Result<(), StateError> {
        let path = self.path(NAME);
        match self.root.is_there(&path) {
            true => Ok(self.root.remove(&path)?),
            false => Ok(()),
        }
    }
}
