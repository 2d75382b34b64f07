//! What services say beside their compose files.

use super::{Loader, STACKS, utf8};
use crate::source::error::{Result, SourceError};
use crate::source::policy::SERVICE_FILE;
use crate::source::tree::Node;

impl Loader<'_, '_> {
    /// Adds it to what watchme.toml says.
    pub(super) fn services(&mut self) -> Result<()> {
        if self.places.alone.is_some() {
            return Ok(());
        }
        let folder = self.places.folder.join(STACKS);
        let names = match self.inputs.node(&folder)? {
            Some((_, Node::Folder)) => self.names(&folder)?,
            _ => Vec::new(),
        };
        for name in names {
            let file = self.inputs.file(&folder.join(&name).join(SERVICE_FILE));
            let Some(Some(file)) = self.pass(file)? else {
                continue;
            };
            let policy = &mut self.out.parsed.policy;
            let added = utf8(&file).and_then(|text| {
                let added = policy.add_service(&file.source, text);
                added.map_err(SourceError::from)
            });
            self.pass(added)?;
        }
        Ok(())
    }
}
