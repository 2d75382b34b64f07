//! Values of settings: words, numbers, sizes and times, paths, lists of names.

mod calendar;
mod extract;
mod kinds;
mod names;
mod network;
mod numbers;
mod paths;
mod protection;
mod reader;
mod resources;
mod types;
mod words;

pub use kinds::kind_of;
pub use reader::Reader;
pub use types::ValueType;
