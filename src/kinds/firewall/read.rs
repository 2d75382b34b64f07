//! The firewall is a table of watchme.toml.

use super::Firewalls;
use crate::model::FIREWALL_TABLE;
use crate::source::error::Result;
use crate::source::load::{Loader, Reads};

impl Reads for Firewalls {
    fn read(&self, loader: &mut Loader<'_, '_>) -> Result<()> {
        let wanted = loader.policy().firewall().map_err(Into::into);
        let wanted = loader.pass(wanted)?.flatten();
        let wanted = wanted.map(|firewall| (FIREWALL_TABLE.to_owned(), firewall));
        loader.out.desired.firewalls.extend(wanted);
        Ok(())
    }
}
