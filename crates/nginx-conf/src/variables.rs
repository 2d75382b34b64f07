//! nginx's own variables, and the directives in whose words it looks for variables.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// Directives that put the values of variables into their words, and which words these are.
static EVALUATED: LazyLock<FxHashMap<&str, Range<usize>>> = LazyLock::new(|| {
    let entry = |line: &'static str| {
        let mut words = line.split(' ');
        let (name, from, to) = (words.next()?, words.next()?, words.next()?);
        let to = match to {
            "*" => usize::MAX,
            to => to.parse().ok()?,
        };
        Some((name, from.parse().ok()?..to))
    };
    lines(include_str!("tables/evaluated.txt"))
        .filter_map(entry)
        .collect()
});

/// Names of variables, and beginnings of names.
static KNOWN: LazyLock<(BTreeSet<&str>, Vec<&str>)> = LazyLock::new(|| {
    let names = lines(include_str!("tables/variables.txt"));
    let (starts, exact): (Vec<&str>, Vec<&str>) = names.partition(|name| name.ends_with('*'));
    let starts = starts.iter().map(|start| start.trim_end_matches('*'));
    (exact.into_iter().collect(), starts.collect())
});

/// Names of variables that nothing else may set.
static FIXED: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| lines(include_str!("tables/fixed.txt")).collect());

/// Lines of a table without comments.
fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#'))
}

/// Whether nginx refuses that something else sets a variable, `the duplicate variable`.
pub fn is_fixed(name: &str) -> bool {
    FIXED.contains(name.to_ascii_lowercase().as_str())
}

/// Which of a directive's arguments nginx evaluates, from 0: in those it replaces variables by their values.
pub fn evaluated(directive: &str) -> Option<Range<usize>> {
    EVALUATED.get(directive).cloned()
}

/// Whether nginx itself sets a variable, by its name in lower case.
pub fn is_own_variable(name: &str) -> bool {
    let (exact, starts) = &*KNOWN;
    exact.contains(name) || starts.iter().any(|start| name.starts_with(start))
}

/// Variables of nginx whose whole names are known.
pub fn own_variables<'a>() -> impl Iterator<Item = &'a str> {
    KNOWN.0.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_read() {
        assert!(is_own_variable("request_uri") && is_own_variable("http_x_anything"));
        assert!(!is_own_variable("connection_upgrade"));
        assert!(own_variables().any(|name| name == "uri"));
        assert!(evaluated("proxy_pass").is_some_and(|words| words.contains(&0)));
        assert_eq!(evaluated("listen"), None);
    }
}
