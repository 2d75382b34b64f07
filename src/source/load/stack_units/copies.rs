//! Stacks that update start-first: a changed stack comes as a second copy beside the one that serves, and nginx asks it
//! once it is up. Which copy a host has is on record, so the next one is the other.

use std::collections::BTreeMap;
use std::path::Path;

use super::Found;
use crate::model::{File, Hash, StackCopy};
use crate::source::error::Result;
use crate::source::load::Loader;

/// Where nginx learns which copy serves, below /etc.
pub(crate) const UPSTREAMS: &str = "nginx/conf.d/watchme-stacks.conf";

/// The variables that a stack's first copy has.
pub(super) fn first(ports: [u16; 2]) -> BTreeMap<String, String> {
    BTreeMap::from([("PORT".to_owned(), ports[0].to_string())])
}

/// Those of its second copy.
pub(super) fn second(ports: [u16; 2]) -> BTreeMap<String, String> {
    first([ports[1], ports[0]])
}

impl Loader<'_, '_> {
    /// The copy that a stack has: the one that the host has, unless something of it changed.
    pub(super) fn copy(
        &mut self,
        stack: &Found,
        text: impl FnOnce() -> String,
    ) -> Result<Option<StackCopy>> {
        let Some(ports) = stack.policy.copies() else {
            return Ok(None);
        };
        let refused = self.refuse_what_is_fixed(stack, ports[0]);
        self.pass(refused)?;
        let revision = self.revision_of(stack, text().as_bytes())?;
        Ok(Some(self.places.copies.next(&stack.name, ports, revision)))
    }

    /// A hash of what a stack is started with, as far as it is in git.
    fn revision_of(&self, stack: &Found, text: &[u8]) -> Result<Hash> {
        let mut parts = vec![text.to_vec()];
        let folder = stack.files.first().and_then(|file| file.parent());
        let folder = folder.unwrap_or(Path::new(""));
        let contexts = self.contexts(&stack.parsed, folder);
        parts.extend(contexts.values().map(|hash| hash.as_str().into()));
        let services = stack.parsed.compose.services.values();
        let named = services.flat_map(|service| service.env_files());
        let mut paths: Vec<_> = named
            .filter_map(|file| super::inputs::join(folder, &file))
            .collect();
        paths.push(folder.join(".env"));
        paths.extend(stack.parsed.files.iter().cloned());
        let laid_over = stack.laid_over.iter();
        parts.extend(laid_over.map(|file| file.content.to_vec()));
        for path in paths {
            let file = self.inputs.probe(&path)?;
            parts.extend(file.map(|file| file.content.to_vec()));
        }
        Ok(Hash::of_parts(parts.iter().map(Vec::as_slice)))
    }
}

/// What nginx is told: an upstream for each stack with copies, named after it. None without such a stack.
pub(crate) fn upstreams<'s>(stacks: impl Iterator<Item = (&'s str, u16)>) -> Option<File> {
    let servers: String = stacks
        .map(|(name, port)| format!("\nupstream {name} {{\n    server 127.0.0.1:{port};\n}}\n"))
        .collect();
    let text = format!(
        "# Written by watchme-apply: the copies that serve, of stacks that update start-first.\n{servers}"
    );
    let source = Path::new("etc").join(UPSTREAMS);
    (!servers.is_empty()).then(|| File::new(&source, text.into_bytes(), false))
}
