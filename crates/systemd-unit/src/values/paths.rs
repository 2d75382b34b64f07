//! Paths, `path_simplify_and_warn` in `src/shared/parse-helpers.c` of systemd and its callers.

use std::ops::Range;

use super::extract::{Syntax, parts};
use super::reader::{Reader, first_wrong, first_wrong_written, whole};

const ABSOLUTE: &str = "expected a path from / without ..";
const ABSOLUTES: &str = "expected paths from / without .., separated by blanks";

/// One path.
pub(super) static PATH: Reader = Reader::new(path, ABSOLUTE);
/// A path that `-` lets be missing.
pub(super) static FILE: Reader = Reader::new(file, "expected a path that begins with /");
/// A folder, or `~` for that of the user.
pub(super) static FOLDER: Reader = Reader::new(folder, "expected a path that begins with /");
/// A socket of the host itself: a path, or `@` and a name.
pub(super) static LOCAL_SOCKET: Reader = Reader::new(
    |text| whole(text, is_local(text)),
    "expected a path such as /run/api.sock",
);
/// What is swapped to; systemd takes the names of fstab(5) since 256.
pub(super) static SWAP: Reader = Reader::new(
    |text| {
        let tags = ["UUID=", "LABEL=", "PARTUUID=", "PARTLABEL="];
        whole(
            text,
            is_absolute(text) || tags.iter().any(|tag| text.starts_with(tag)),
        )
    },
    ABSOLUTE,
);
/// Paths, each behind `-` and `+`.
pub(super) static MARKED_PATHS: Reader = Reader::list(marked_paths, ABSOLUTES);
/// Paths.
pub(super) static PATHS: Reader = Reader::list(paths, ABSOLUTES);
/// Paths between colons.
pub(super) static SEARCH: Reader =
    Reader::new(search, "expected paths from /, separated by colons");
/// What is mounted, and where.
pub(super) static BINDS: Reader = Reader::list(
    binds,
    "expected SOURCE or SOURCE:DESTINATION with paths from /, separated by blanks",
);
/// Folders with the options of their file systems.
pub(super) static TEMPORARY: Reader = Reader::list(temporary, ABSOLUTES);
/// What a condition looks at.
pub(super) static CONDITION: Reader = Reader::new(condition, ABSOLUTE);
/// A file with a number, below /run if it is relative.
pub(super) static PID_FILE: Reader = Reader::new(pid_file, "expected a path without ..");
/// Folders below that of their kind, with links to them.
pub(super) static DIRECTORIES: Reader = Reader::list(
    |text| directories(text, true),
    "expected names such as api or api/cache, without / at the start and without ..",
);
/// The same without links.
pub(super) static CONFIGURATIONS: Reader = Reader::list(
    |text| directories(text, false),
    "expected names such as api or api/site, without / at the start and without ..",
);

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

fn path(text: &str) -> Option<Range<usize>> {
    whole(text, is_absolute(text))
}

fn file(text: &str) -> Option<Range<usize>> {
    whole(text, is_absolute(text.strip_prefix('-').unwrap_or(text)))
}

fn folder(text: &str) -> Option<Range<usize>> {
    let path = text.strip_prefix('-').unwrap_or(text);
    whole(text, path == "~" || is_absolute(path))
}

fn marked_paths(text: &str) -> Option<Range<usize>> {
    first_wrong_written(text, Syntax::Quoted, |word| {
        let path = word.strip_prefix('-').unwrap_or(word);
        is_absolute(path.strip_prefix('+').unwrap_or(path))
    })
}

fn paths(text: &str) -> Option<Range<usize>> {
    first_wrong_written(text, Syntax::Quoted, is_absolute)
}

fn search(text: &str) -> Option<Range<usize>> {
    let paths = parts(text, &[':'], Syntax::Plain);
    let is_right = paths.is_some_and(|paths| paths.iter().all(|path| is_absolute(path)));
    whole(text, is_right)
}

fn binds(text: &str) -> Option<Range<usize>> {
    first_wrong_written(text, Syntax::Quoted, |word| {
        let mut parts = word.splitn(3, ':');
        let source = parts.next().unwrap_or_default();
        let source = source.strip_prefix('-').unwrap_or(source);
        let options = || ["", "rbind", "norbind"];
        is_absolute(source)
            && parts.next().is_none_or(is_absolute)
            && parts.next().is_none_or(|text| options().contains(&text))
    })
}

fn temporary(text: &str) -> Option<Range<usize>> {
    first_wrong_written(text, Syntax::Quoted, |word| {
        let paths = parts(word, &[':'], Syntax::Plain);
        paths.is_some_and(|parts| parts.first().is_some_and(|path| is_absolute(path)))
    })
}

fn condition(text: &str) -> Option<Range<usize>> {
    let path = text.strip_prefix('|').unwrap_or(text);
    whole(text, is_absolute(path.strip_prefix('!').unwrap_or(path)))
}

fn pid_file(text: &str) -> Option<Range<usize>> {
    whole(text, is_normal(text))
}

fn directories(text: &str, links: bool) -> Option<Range<usize>> {
    first_wrong(text, Syntax::Raw, |word| {
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
    })
}
