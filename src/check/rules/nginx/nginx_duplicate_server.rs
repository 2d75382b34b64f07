//! Servers whose names others have on the same socket.

use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_duplicate_server, Error, picks servers);
