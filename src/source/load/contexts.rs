//! What images are built from, as far as it is in the checkout.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Loader, ParsedStack, inputs};
use crate::model::Hash;

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
}
