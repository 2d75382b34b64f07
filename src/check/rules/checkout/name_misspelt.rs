//! Names that nothing here has.

use crate::check::rules::prelude::*;

pub(crate) static RULE: Rule = rule!(name_misspelt, Error, picks names);
