//! What has to be applied before the rest can be planned.

pub(in crate::reconcile) mod docker_first;
pub(in crate::reconcile) mod packages;
