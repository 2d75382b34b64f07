//! What a folder holds, as one number: the id of its tree in git, which is the same for a commit and for the same files in a
//! work tree; gitformat-pack(5), git-mktree(1).

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use git2::{ObjectType, Oid};

use super::{Files, Node, Tree};
use crate::source::error::{Result, SourceError};

impl Tree<'_> {
    /// The id of the tree of a folder; `None` where no folder is, or an empty one. Of a work tree, what `skips` names does
    /// not count.
    pub fn digest(
        &self,
        folder: &Path,
        skips: &dyn Fn(&Path, bool) -> bool,
    ) -> Result<Option<Oid>> {
        match self.resolve(folder)? {
            Some((resolved, Node::Folder)) => match &self.files {
                Files::Commit(tree) if self.overlay.is_none() => tree.id_of(&resolved),
                Files::Commit(_) => self.id_of(&resolved, &|_, _| false),
                Files::Folder(_) => self.id_of(&resolved, skips),
            },
            _ => Ok(None),
        }
    }

    fn id_of(&self, folder: &Path, skips: &dyn Fn(&Path, bool) -> bool) -> Result<Option<Oid>> {
        let mut entries: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for name in self.list(folder)? {
            let path = folder.join(&name);
            let (_, Some(node)) = self.look(path.clone())? else {
                continue;
            };
            if skips(&path, matches!(node, Node::Folder)) {
                continue;
            }
            let blob = |content: &[u8]| object(ObjectType::Blob, content, &path);
            let (mode, id) = match &node {
                Node::Folder => match self.id_of(&path, skips)? {
                    Some(id) => ("40000", id),
                    None => continue,
                },
                Node::Link(target) => ("120000", blob(target.as_os_str().as_bytes())?),
                Node::File { executable } => {
                    let content = self.read(&path)?.unwrap_or_default().0;
                    (
                        if *executable { "100755" } else { "100644" },
                        blob(&content)?,
                    )
                }
                Node::Special(_) => continue,
            };
            // git sorts a folder as if its name ended with a slash.
            let end = if mode == "40000" { "/" } else { "" };
            let key = format!("{name}{end}").into_bytes();
            let head = format!("{mode} {name}\0").into_bytes();
            entries.push((key, [&head, id.as_bytes()].concat()));
        }
        entries.sort();
        let text: Vec<u8> = entries.into_iter().flat_map(|(_, entry)| entry).collect();
        match text.is_empty() {
            true => Ok(None),
            false => object(ObjectType::Tree, &text, folder).map(Some),
        }
    }
}

fn object(kind: ObjectType, content: &[u8], path: &Path) -> Result<Oid> {
    Oid::hash_object(kind, content).map_err(|source| SourceError::Object {
        path: path.into(),
        source,
    })
}
