//! The way back: of a run that failed or was killed, and to an older generation.

pub(in crate::reconcile) mod generation;
pub(in crate::reconcile) mod mount_points;
pub(in crate::reconcile) mod owed;
pub(in crate::reconcile) mod supersede;
pub(in crate::reconcile) mod undo;
pub(in crate::reconcile) mod verify_rollback;
