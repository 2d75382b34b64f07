//! What may stop a plan before anything changes.

pub(in crate::reconcile) mod consent;
pub(in crate::reconcile) mod sure;
pub(in crate::reconcile) mod validate;
pub(in crate::reconcile) mod writable;
