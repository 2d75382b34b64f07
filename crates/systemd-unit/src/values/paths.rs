//! Paths, `path_simplify_and_warn` in `src/shared/parse-helpers.c` of systemd and its callers.

use super::extract::{Syntax, parts};
use super::reader::Reader;

const ABSOLUTE: &str = "expected a path from / without ..";
const ABSOLUTES: &str = "expected paths from / without .., separated by blanks";

/// One path.
pub(super) static PATH: Reader = Reader::whole(is_absolute).expects(ABSOLUTE);
/// A path that `-` lets be missing.
pub(super) static FILE: Reader = Reader::whole(|text| is_absolute(behind(text, '-')))
    .expects("expected a path that begins with /");
/// A folder, or `~` for that of the user.
pub(super) static FOLDER: Reader = Reader::whole(|text| {
    let path = behind(text, '-');
    path == "~" || is_absolute(path)
})
.expects("expected a path that begins with /");
/// A socket of the host itself: a path, or `@` and a name.
pub(super) static LOCAL_SOCKET: Reader =
    Reader::whole(is_local).expects("expected a path such as /run/api.sock");
/// What is swapped to; systemd takes the names of fstab(5) since 256.
pub(super) static SWAP: Reader = Reader::whole(|text| {
    let tags = ["UUID=", "LABEL=", "PARTUUID=", "PARTLABEL="];
    is_absolute(text) || tags.iter().any(|tag| text.starts_with(tag))
})
.expects(ABSOLUTE);
/// Paths, each behind `-` and `+`.
pub(super) static MARKED_PATHS: Reader = Reader::list(Syntax::Quoted, |word| {
    is_absolute(behind(behind(word, '-'), '+'))
})
.expects(ABSOLUTES)
.open();
/// Paths.
pub(super) static PATHS: Reader = Reader::list(Syntax::Quoted, is_absolute)
    .expects(ABSOLUTES)
    .open();
/// Paths between colons.
pub(super) static SEARCH: Reader = Reader::whole(|text| {
    let paths = parts(text, &[':'], Syntax::Plain);
    paths.is_some_and(|paths| paths.iter().all(|path| is_absolute(path)))
})
.expects("expected paths from /, separated by colons");
/// What is mounted, and where.
pub(super) static BINDS: Reader = Reader::list(Syntax::Quoted, is_bind)
    .expects("expected SOURCE or SOURCE:DESTINATION with paths from /, separated by blanks")
    .open();
/// Folders with the options of their file systems.
pub(super) static TEMPORARY: Reader = Reader::list(Syntax::Quoted, |word| {
    let paths = parts(word, &[':'], Syntax::Plain);
    paths.is_some_and(|parts| parts.first().is_some_and(|path| is_absolute(path)))
})
.expects(ABSOLUTES)
.open();
/// What a condition looks at.
pub(super) static CONDITION: Reader =
    Reader::whole(|text| is_absolute(behind(behind(text, '|'), '!'))).expects(ABSOLUTE);
/// A file with a number, below /run if it is relative.
pub(super) static PID_FILE: Reader = Reader::whole(is_normal).expects("expected a path without ..");
/// Folders below that of their kind, with links to them.
pub(super) static DIRECTORIES: Reader = Reader::list(Syntax::Raw, |word| is_directory(word, true))
    .expects("expected names such as api or api/cache, without / at the start and without ..");
/// The same without links.
pub(super) static CONFIGURATIONS: Reader =
    Reader::list(Syntax::Raw, |word| is_directory(word, false))
        .expects("expected names such as api or api/site, without / at the start and without ..");

/// The longest part of a path, and one more than the longest path, `NAME_MAX` and `PATH_MAX`.
const NAME_MAX: usize = 255;
const PATH_MAX: usize = 4096;

/// Whether the parts of a path have a length that fits, and none is `..`.
pub(super) fn is_normal(path: &str) -> bool {
    let fits = |part: &str| part.len() <= NAME_MAX && part != "..";
    path.len() < PATH_MAX && path.split('/').all(fits)
}

/// Whether systemd takes an absolute path.
pub(super) fn is_absolute(path: &str) -> bool {
    path.starts_with('/') && is_normal(path)
}

/// Whether systemd takes a path below a folder.
fn is_relative(path: &str) -> bool {
    let names_something = path.split('/').any(|part| !part.is_empty() && part != ".");
    !path.starts_with('/') && names_something && is_normal(path)
}

/// Whether a text names a socket of the host itself: it has to fit into `sun_path`.
pub(super) fn is_local(text: &str) -> bool {
    text.starts_with(['/', '@']) && (2..=107).contains(&text.len())
}

/// A text without a mark that it may begin with.
fn behind(text: &str, mark: char) -> &str {
    text.strip_prefix(mark).unwrap_or(text)
}

fn is_bind(word: &str) -> bool {
    let mut parts = word.splitn(3, ':');
    let source = behind(parts.next().unwrap_or_default(), '-');
    let options = || ["", "rbind", "norbind"];
    is_absolute(source)
        && parts.next().is_none_or(is_absolute)
        && parts.next().is_none_or(|text| options().contains(&text))
}

fn is_directory(word: &str, links: bool) -> bool {
    let Some(parts) = parts(word, &[':'], Syntax::Codes) else {
        return false;
    };
    // Separators side by side are one, and what is behind the second part is not read.
    let mut parts = parts.iter().filter(|part| !part.is_empty());
    let is_right = |path: &String| path.contains('%') || is_relative(path);
    let is_private = |path: &String| {
        let first = path.split('/').find(|part| !["", "."].contains(part));
        first == Some("private")
    };
    let source = parts.next();
    source.is_some_and(|path| is_right(path) && !is_private(path))
        && parts.next().is_none_or(|link| links && is_right(link))
}
