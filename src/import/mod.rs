//! New checkouts.

mod begin;
mod error;
mod texts;

pub(crate) use begin::init;
pub(crate) use error::ImportError;
