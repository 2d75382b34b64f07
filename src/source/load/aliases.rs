//! Further names of units.

use std::collections::BTreeMap;
use std::path::Path;

use super::Loader;
use crate::model::Diagnostic;
use crate::source::error::Result;
use crate::source::unit::Name;

impl Loader<'_, '_> {
    /// Gives a unit its further name. One that another unit has as its name is an error; where two want the same further
    /// name, the first keeps it, as systemctl(1) enable makes no second link.
    pub(crate) fn alias(
        &mut self,
        name: &Name,
        alias: String,
        complaint: Diagnostic,
        owners: &mut BTreeMap<String, Option<String>>,
    ) -> Result<()> {
        match owners.get(&alias) {
            None => {
                owners.insert(alias, Some(name.to_string()));
            }
            Some(None) => {
                let message = format!("unit {alias} is defined twice: this alias and another unit");
                let twice = Diagnostic {
                    message,
                    expected: "expected a name that no other unit has".into(),
                    ..complaint
                };
                return Err(twice.into());
            }
            Some(Some(owner)) => {
                let message =
                    format!("{owner} has the alias {alias} already: {name} is enabled without it");
                let warning = Diagnostic {
                    message,
                    ..complaint
                };
                self.out.warnings.push(warning.to_string());
                if let Some(unit) = self.out.desired.units.get_mut(name.as_str()) {
                    unit.install.links.remove(Path::new(&alias));
                }
            }
        }
        Ok(())
    }
}
