//! watchme.toml of a host over the one of all hosts, key by key.

use std::path::Path;

use source_text::SourceFile;
use toml::{Table, Value};

use super::{ConfigFile, Policy, parse};
use crate::model::Diagnostic;

/// The keys of all hosts, each replaced by the one of this host if it has it. Lists are replaced whole.
///
/// # Errors
/// Where one of the two is wrong, or both together are: then the place is in the text that they are together.
pub fn combined(
    (path, shared): (&Path, &str),
    (own_path, own): (&Path, &str),
) -> Result<Policy, Diagnostic> {
    let table = |path: &Path, text: &str| -> Result<Table, Diagnostic> {
        let file = ConfigFile::from(SourceFile::new(path, text));
        // For unknown keys and wrong values, which have their place there.
        toml::from_str::<Policy>(text).map_err(|error| file.syntax(&error))?;
        toml::from_str(text).map_err(|error| file.syntax(&error))
    };
    let mut all = table(path, shared)?;
    merge(&mut all, table(own_path, own)?);
    // It was text, and is again.
    let text = toml::to_string(&all).unwrap_or_default();
    let name = format!("{} with {}", path.display(), own_path.display());
    parse(Path::new(&name), &text)
}

fn merge(shared: &mut Table, own: Table) {
    for (key, value) in own {
        match (shared.get_mut(&key), value) {
            (Some(Value::Table(shared)), Value::Table(own)) => merge(shared, own),
            (_, value) => {
                shared.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(shared: &str, own: &str) -> Result<Policy, String> {
        let paths = ["watchme.toml", "hosts/a/watchme.toml"].map(Path::new);
        combined((paths[0], shared), (paths[1], own))
            .map_err(|wrong| format!("{}: {}", wrong.path().display(), wrong.message))
    }

    #[test]
    fn a_key_of_the_host_replaces_that_of_all() {
        let shared = "soak = \"10m\"\nabsent = [\"sites-enabled/a\"]\n[unit.\"a.service\"]\nsettle = \"5s\"\nstart = false\n[unit.\"b.service\"]\nsettle = \"5s\"\n";
        let own = "soak = \"1m\"\nabsent = [\"sites-enabled/b\"]\n[unit.\"a.service\"]\nsettle = \"9s\"\n";
        let policy = both(shared, own).unwrap();
        assert_eq!(policy.soak.as_secs(), 60);
        assert_eq!(policy.absent.len(), 1);
        let units: Vec<_> = policy
            .units
            .iter()
            .map(|(name, unit)| (name.as_str(), unit.settle.as_secs(), unit.start))
            .collect();
        assert_eq!(
            units,
            [("a.service", 9, Some(false)), ("b.service", 5, None)]
        );
    }

    #[test]
    fn what_is_wrong_is_said_where_it_is() {
        assert_eq!(
            both("soack = 1\n", "").unwrap_err(),
            "watchme.toml: unknown key \"soack\""
        );
        assert_eq!(
            both("", "soack = 1\n").unwrap_err(),
            "hosts/a/watchme.toml: unknown key \"soack\""
        );
        let etc = |key: &str| format!("[etc.\"a\"]\n{key} = \"a.service\"\n");
        let wrong = both(&etc("restart"), &etc("reload")).unwrap_err();
        assert!(
            wrong.starts_with("watchme.toml with hosts/a/watchme.toml: "),
            "{wrong}"
        );
    }
}
