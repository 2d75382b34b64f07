//! Proves that a run has arrived, and that what served before serves.

pub(in crate::reconcile) mod converge;
pub(in crate::reconcile) mod gates;
pub(in crate::reconcile) mod left_behind;
pub(in crate::reconcile) mod ran;
pub(in crate::reconcile) mod serving;
