//! Lines at the end of watchme.toml.

use std::path::{Path, PathBuf};

use super::{Captured, Edit, Look};
use crate::model::{Entry, ResourceId};
use crate::root::RootError;

/// The file of all hosts.
const NAME: &str = "watchme.toml";

/// Adds lines to watchme.toml. Those of a table that this host has a file for go there. Returns whether they fit.
pub(super) fn add(
    look: &Look<'_>,
    (id, from): (&ResourceId, &str),
    lines: &str,
    captured: &mut Captured,
) -> Result<bool, RootError> {
    let path = place(look, lines)?;
    let before = match captured.edits.get(&path) {
        Some(edit) => Some(edit.new.clone()),
        None => match look.tree.entry(&Path::new("/").join(&path))? {
            Entry::File { content, .. } => Some(content.to_vec()),
            Entry::Missing => None,
            _ => return Ok(false),
        },
    };
    let Some(text) = appended(before.as_deref().unwrap_or_default(), lines) else {
        return Ok(false);
    };
    let new = text.into_bytes();
    match captured.edits.get_mut(&path) {
        Some(edit) => {
            edit.new = new;
            edit.from = format!("{}, {from}", edit.from);
        }
        None => {
            let edit = Edit {
                id: id.clone(),
                from: from.to_owned(),
                old: before,
                new,
                mode: 0o644,
                merged: false,
            };
            captured.edits.insert(path, edit);
        }
    }
    Ok(true)
}

/// Which watchme.toml decides about a table: lists of a host's own replace those of all hosts.
fn place(look: &Look<'_>, lines: &str) -> Result<PathBuf, RootError> {
    let folder = &look.revision.parsed.folder;
    let Some(host) = &look.request.host else {
        return Ok(folder.join(NAME));
    };
    let own = folder.join("hosts").join(host.name()).join(NAME);
    let Entry::File { content, .. } = look.tree.entry(&Path::new("/").join(&own))? else {
        return Ok(folder.join(NAME));
    };
    let own_keys = parsed(&String::from_utf8_lossy(&content)).unwrap_or_default();
    let new_keys = parsed(lines).unwrap_or_default();
    Ok(match shares(&own_keys, &new_keys) {
        true => own,
        false => folder.join(NAME),
    })
}

/// Whether a key of the last table of `new` is in `own`.
fn shares(own: &toml::Table, new: &toml::Table) -> bool {
    new.iter().any(|(key, value)| match (own.get(key), value) {
        (Some(toml::Value::Table(own)), toml::Value::Table(new)) => shares(own, new),
        (own, _) => own.is_some(),
    })
}

fn parsed(text: &str) -> Option<toml::Table> {
    text.parse().ok()
}

/// The text with the lines at its end; `None` where it is no TOML then.
fn appended(before: &[u8], lines: &str) -> Option<String> {
    let mut text = String::from_utf8(before.to_vec()).ok()?;
    if !text.is_empty() {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push('\n');
    }
    text.push_str(lines);
    parsed(&text).map(|_| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_added_where_they_can_be() {
        let lines = "[[network.\"net\".member]]\ncontainer = \"b\"\n";
        let before = "# mine\n[[network.net.member]]\ncontainer = \"a\"";
        let text = appended(before.as_bytes(), lines).unwrap();
        assert_eq!(text, format!("{before}\n\n{lines}"));
        assert_eq!(appended(b"", lines).as_deref(), Some(lines));
        let inline = b"network = { net = { member = [] } }\n";
        assert_eq!(appended(inline, lines), None);
    }

    #[test]
    fn a_list_of_the_host_gets_what_is_new() {
        let new = parsed("[[network.a.member]]\ncontainer = \"x\"\n").unwrap();
        for (own, expected) in [
            ("", false),
            ("[network.b]\nmember = []\n", false),
            ("[network.a]\nname = \"x\"\n", false),
            ("[network.a]\nmember = []\n", true),
        ] {
            assert_eq!(shares(&parsed(own).unwrap(), &new), expected, "{own}");
        }
    }
}
