//! Ports that a program of this host has already.

use crate::check::rules::prelude::*;
use crate::model::finding::HOST_PORT_TAKEN;

pub(crate) static RULE: Rule = Rule::reported(HOST_PORT_TAKEN, include_str!("host_port_taken.md"));
