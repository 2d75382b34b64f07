//! Places in text files, and what is wrong there.

mod diagnostic;

pub use diagnostic::Diagnostic;
