//! What a pass plans from: the checkout, the records and the host; and the plan.

pub(in crate::reconcile) mod adoption;
pub(in crate::reconcile) mod between;
pub(in crate::reconcile) mod checkout;
pub(in crate::reconcile) mod copies;
pub(in crate::reconcile) mod images;
pub(in crate::reconcile) mod lacking;
pub(in crate::reconcile) mod look;
pub(in crate::reconcile) mod outside;
pub(in crate::reconcile) mod select;
pub(in crate::reconcile) mod versions;
