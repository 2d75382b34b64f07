//! Which files an `include` names: a path or a pattern, relative to the folder of nginx.conf,
//! <https://nginx.org/en/docs/ngx_core_module.html#include>.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

/// Where Debian's nginx.conf is, which a relative include is relative to.
const PREFIX: &str = "nginx";
/// As glob(3) without flags: `*` and `?` match no `/`, and no leading dot.
const AS_NGINX: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The name of the file that an include asks for.
pub fn file_name(include: &str) -> &str {
    include.rsplit('/').next().unwrap_or_default()
}

/// Whether an include would load a file, by its path below /etc.
pub fn loads(pattern: &str, path: &Path) -> bool {
    below_etc(pattern).is_some_and(|pattern| fits(&pattern)(path))
}

/// An include's pattern or path without `/etc/`; `None` for what is elsewhere.
pub fn below_etc(pattern: &str) -> Option<Cow<'_, Path>> {
    let pattern = Path::new(pattern);
    match pattern.strip_prefix("/etc") {
        Ok(below) => Some(below.into()),
        Err(_) if pattern.is_absolute() => None,
        Err(_) => Some(Path::new(PREFIX).join(pattern).into()),
    }
}

/// The folder in which all files of a pattern are, itself without patterns.
pub(super) fn folder(pattern: &Path) -> &Path {
    let is_plain = |path: &&Path| !is_pattern(&path.to_string_lossy());
    let mut folders = pattern.ancestors().skip(1);
    folders.find(is_plain).unwrap_or(Path::new(""))
}

/// Whether nginx looks for more than one file, `ngx_conf_include` in its source.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Whether paths fit a pattern of glob(7). One that is none, with a bracket that does not close, stands for itself.
pub(super) fn fits(pattern: &Path) -> impl Fn(&Path) -> bool {
    // Without `.` between the components; `**` is `*` to glob(3).
    let plain: PathBuf = pattern.components().collect();
    let mut text = plain.to_string_lossy().into_owned();
    while text.contains("**") {
        text = text.replace("**", "*");
    }
    let parsed = Pattern::new(&text).ok();
    move |path| match &parsed {
        Some(pattern) => pattern.matches_path_with(path, AS_NGINX),
        None => Path::new(&text) == path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_the_shell() {
        for (pattern, name, expected) in [
            ("conf.d/*.conf", "conf.d/a.conf", true),
            ("conf.d/*.conf", "conf.d/a.conf.bak", false),
            ("conf.d/*", "conf.d/a.conf.bak", true),
            ("conf.d/*", "conf.d/deep/a.conf", false),
            ("conf.d/*", "conf.d/.hidden", false),
            ("conf.d/?.conf", "conf.d/a.conf", true),
            ("conf.d/[a-c].conf", "conf.d/a.conf", true),
            ("conf.d/[a.conf", "conf.d/[a.conf", true),
            ("*a*b*", "xaxbx", true),
            ("*a*b*", "xbxax", false),
            ("", "a", false),
        ] {
            assert_eq!(
                fits(Path::new(pattern))(Path::new(name)),
                expected,
                "{pattern} {name}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn patterns_never_panic(pattern in "[a*?/.é\\[\\]]{0,12}", name in "[a/.é]{0,12}") {
            let _ = fits(Path::new(&pattern))(Path::new(&name));
        }
    }
}
