//! What cannot be read at all.

use super::Subject;
use crate::model::{Finding, Rule};

crate::rule! {
    SYNTAX, "syntax", Error;
}

/// The rules of this family.
pub const RULES: &[&Rule] = &[&SYNTAX];

/// A finding for each place that could not be read: an apply refuses them too.
pub fn check(subject: &Subject) -> Vec<Finding> {
    let wrong = subject.wrong.iter().cloned();
    wrong.map(|place| Finding::at(&SYNTAX, place)).collect()
}
