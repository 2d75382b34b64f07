//! Values of settings: words, numbers, sizes and times.

mod calendar;
mod kinds;
mod numbers;

pub use kinds::{Kind, kind_of};
