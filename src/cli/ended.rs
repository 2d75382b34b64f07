//! How a command ended.

use super::Failure;

/// How a run of a command ended, or why it failed.
pub(super) type Ran<J> = Result<Ended<J>, Failure>;

pub(super) struct Ended<J> {
    pub status: u8,
    /// Its JSON, if that was asked for.
    pub json: Option<J>,
    /// The commit with which the host is in sync, if there was nothing to do.
    pub in_sync: Option<String>,
}

impl<J> Ended<J> {
    pub(super) fn with_text(status: u8) -> Self {
        Self {
            status,
            json: None,
            in_sync: None,
        }
    }

    pub(super) fn with_json(status: u8, json: J) -> Self {
        Self {
            json: Some(json),
            ..Self::with_text(status)
        }
    }
}
