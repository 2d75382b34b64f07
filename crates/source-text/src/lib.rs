//! Places in text files, and what is wrong there.

mod diagnostic;
mod path;

pub use diagnostic::Diagnostic;
pub use path::normal_path;
