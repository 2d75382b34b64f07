//! How a request is followed, and how its way can end.

use std::rc::Rc;

use super::Outcome;
use super::block::Block;
use super::regex::Captures;

/// Why a way cannot be followed to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// What is not known, in a few words.
    Unknown(String),
}

/// How a pass through the phases ended.
pub(super) enum End<'a> {
    /// A status for which `error_page` may have something.
    Status(u16),
    /// A redirect, for which it may have something, too.
    Redirect { status: u16, to: Vec<u8> },
    /// A status and a text that are sent as they are.
    Sent { status: u16, text: Vec<u8> },
    /// Nothing more can come.
    Outcome(Outcome),
    /// An internal redirect.
    Internal { uri: Vec<u8>, args: Vec<u8> },
    /// On to a named location.
    Named(&'a str),
}

/// The directives in force: those of one block, and whether it is an `if`.
#[derive(Clone)]
pub(super) struct Conf<'a> {
    pub block: Rc<Block<'a>>,
    pub is_if: bool,
}

/// What may go either way, and was taken to go one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub what: String,
    pub answer: bool,
    /// The answer that was taken first.
    pub first: bool,
}

/// How a request is followed.
#[derive(Clone)]
pub(super) struct Options {
    /// What the server's name has captured.
    pub captures: Option<Captures>,
    /// Whether slashes are merged. Of a plain request the path is read before its server is known: the default one tells.
    pub merges: bool,
    /// What is kept of the way.
    pub asks: Asks,
}

/// What is kept of a request's way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// The steps, and those that lost in each.
    Explains,
    /// The steps.
    Once,
    /// Nothing: it is one of many.
    OfMany,
}
