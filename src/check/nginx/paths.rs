//! What locations match.

use crate::source::nginx::Node;

/// How a location matches, <https://nginx.org/en/docs/http/ngx_http_core_module.html#location>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Match {
    /// `= /path`
    Exact,
    /// `/path` and `^~ /path`
    Prefix,
    /// `~` and `~*`
    Regex,
    /// `@name`
    Named,
}

/// What a location matches: how, and its path, expression or name.
pub(crate) fn matches<'v>(location: &'v Node<'_>) -> Option<(Match, &'v str)> {
    let args = location.args();
    let (modifier, path) = match args {
        [modifier, path] => (modifier.text.as_str(), path.text.as_str()),
        // The modifier may stand before the path without a blank.
        [whole] => {
            let whole = whole.text.as_str();
            let modifiers = ["=", "^~", "~*", "~"];
            let found = modifiers.into_iter().find(|one| whole.starts_with(one));
            whole.split_at_checked(found.map_or(0, str::len))?
        }
        _ => return None,
    };
    Some(match modifier {
        "=" => (Match::Exact, path),
        "~" | "~*" => (Match::Regex, path),
        _ if path.starts_with('@') => (Match::Named, path),
        _ => (Match::Prefix, path),
    })
}
