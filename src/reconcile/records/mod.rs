//! What a run leaves on record, and what the records tell.

pub(in crate::reconcile) mod commit;
pub(in crate::reconcile) mod history;
pub(in crate::reconcile) mod reason;
pub(in crate::reconcile) mod show;
