//! What images are built from, and containers are made from, as far as it is in the checkout.

use std::collections::BTreeMap;
use std::path::Path;

use serde_yaml::Value;
use source_text::normal_path;

use super::{Loader, ParsedStack, folder_of, inputs};
use crate::model::{Hash, Stack};

impl Loader<'_, '_> {
    /// What the folders hold from which a project's services are built that start, by service; `folder` is the project's own,
    /// in the checkout.
    pub(super) fn contexts(&self, parsed: &ParsedStack, folder: &Path) -> BTreeMap<String, Hash> {
        let built = parsed.started_services().filter_map(|(name, service)| {
            let context = inputs::join(folder, service.build_context()?)?;
            Some((name.clone(), self.inputs.digest(&context)?))
        });
        built.collect()
    }

    /// Notes what the images of a project are built from and the checkout does not have, neither in git nor beside it. What git
    /// ignores may be made on the server.
    pub(super) fn note_unbuildable(&self, parsed: &mut ParsedStack) {
        // Of a commit alone it is not known what lies beside it.
        if self.inputs.committed && self.work.is_none() {
            return;
        }
        let base = parsed.folder();
        let mut found = BTreeMap::new();
        for (name, service) in &parsed.compose.services {
            let folder = self.folder_of_service(parsed, name, &base);
            // A variable without a value, a home folder, and what BuildKit gets elsewhere.
            let is_plain = |text: &&str| {
                !text.is_empty()
                    && !text.contains(['$', ':', '~'])
                    && !text.starts_with("github.com/")
            };
            let Some(context) = service.build_context().filter(is_plain) else {
                continue;
            };
            let path = normal_path(&folder.join(context));
            let Some(context) = path.and_then(|path| self.in_checkout(&path)) else {
                continue;
            };
            let build = service.rest.get("build");
            let of = |key: &str| build.and_then(|build| build.get(key));
            let file = of("dockerfile").map_or(Some("Dockerfile"), Value::as_str);
            let file = file.filter(|_| of("dockerfile_inline").is_none());
            let file = file
                .filter(is_plain)
                .and_then(|file| inputs::join(&context, file));
            let missing = match self.is_nowhere(&context) {
                true => Some(context),
                // The engine takes this name, too.
                false => file.filter(|file| {
                    self.is_nowhere(file) && self.is_nowhere(&context.join("dockerfile"))
                }),
            };
            found.extend(missing.map(|missing| {
                let on_server = self.checkout.join(&missing);
                (name.clone(), (missing, on_server))
            }));
        }
        parsed.unbuildable = found;
    }

    /// Whether nothing is at a path of the checkout, and git does not leave it out.
    pub(super) fn is_nowhere(&self, path: &Path) -> bool {
        let nothing = |found| matches!(found, Ok(None));
        nothing(self.inputs.node(path))
            && self.work.is_none_or(|work| nothing(work.resolve(path)))
            && !self.inputs.left_out(path)
            && !self.inputs.folder_left_out(path)
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
