//! Sockets with two default servers.

use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_duplicate_default_server, Error, picks servers);
