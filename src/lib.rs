//! Makes one Linux host match a git checkout, and proves that it does.
//!
//! The arrows between modules point left only:
//! `model < root < source, host, plan, state < apply < reconcile < cli`, and `source < check < reconcile`.

pub mod apply;
pub mod check;
pub mod cli;
pub mod host;
pub mod model;
pub mod plan;
pub mod reconcile;
pub mod root;
pub mod source;
pub mod state;
