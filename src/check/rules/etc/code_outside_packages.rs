//! Programs that run code of no package.

use crate::check::rules::prelude::*;
use crate::model::finding::CODE_OUTSIDE_PACKAGES;

pub(crate) static RULE: Rule = Rule::reported(
    CODE_OUTSIDE_PACKAGES,
    include_str!("code_outside_packages.md"),
)
.fixed();
