//! What images are built from, and containers are made from, as far as it is in the checkout.

use std::collections::BTreeMap;
use std::path::Path;

use source_text::normal_path;

use super::{Loader, ParsedStack, folder_of, inputs};
use crate::model::{Hash, Stack};

impl Loader<'_, '_> {
    /// What the folders hold from which a project's services are built that start, by service; `folder` is the project's own,
    /// in the checkout.
    pub(super) fn contexts(&self, parsed: &ParsedStack, folder: &Path) -> BTreeMap<String, Hash> {
        let started = parsed.compose.services.iter();
        let started = started.filter(|(name, _)| parsed.started.contains(*name));
        let built = started.filter_map(|(name, service)| {
            let context = inputs::join(folder, service.build_context()?)?;
            Some((name.clone(), self.inputs.digest(&context)?))
        });
        built.collect()
    }

    /// Notes what the containers of a project are made from: what its files say, the env files that they name, and what is
    /// built for them.
    pub(super) fn define(&self, stack: &mut Stack, parsed: &ParsedStack) {
        let base = stack.files.first().map(|file| folder_of(file));
        let base = base.unwrap_or_default();
        if let Some(folder) = self.in_checkout(&base) {
            stack.contexts = self.contexts(parsed, &folder);
        }
        for (name, definition) in &parsed.definitions {
            let mut parts = vec![definition.bytes.as_slice()];
            let service = parsed.compose.services.get(name);
            let named = service.into_iter().flat_map(|service| service.env_files());
            for path in named.filter_map(|path| normal_path(&base.join(path))) {
                let file = self.out.desired.files.get(&path);
                parts.extend(file.map(|file| file.hash.as_str().as_bytes()));
            }
            stack
                .definitions
                .insert(name.clone(), Hash::of_parts(parts));
            if !definition.uses.is_empty() {
                stack.uses.insert(name.clone(), definition.uses.clone());
            }
        }
        stack
            .definitions
            .insert(Stack::SHARED.to_owned(), Hash::of(&parsed.shared));
        stack.kept = Some(Hash::of(&parsed.kept));
        for (key, bytes) in &parsed.networks {
            let network = parsed.compose.networks.get(key).and_then(Option::as_ref);
            if network.is_some_and(|network| network.external_name(key).is_some()) {
                continue;
            }
            let named = network.and_then(|network| network.name.clone());
            let name = named.unwrap_or_else(|| format!("{}_{key}", parsed.project));
            stack.networks.insert(name, Hash::of(bytes));
        }
    }
}
