//! Texts of files, places in them, and what is wrong there.
//!
//! A [`SourceFile`] is shared by all that is said about it, and counts its lines once.

mod diagnostic;
mod file;
mod list;
mod near;
mod path;
mod room;
mod version;

pub use diagnostic::Diagnostic;
pub use file::{Location, SourceFile};
pub use list::word_list;
pub use near::{Speller, misspelt, nearest, suggest};
pub use path::normal_path;
pub use room::make_room;
pub use version::{Version, Versions};
