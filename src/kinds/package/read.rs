//! Packages are a table of watchme.toml.

use super::Packages;
use crate::model::Package;
use crate::source::error::Result;
use crate::source::load::{Loader, Reads};

impl Reads for Packages {
    fn read(&self, loader: &mut Loader<'_, '_>) -> Result<()> {
        let wanted = loader.policy().packages.wanted();
        let wanted = wanted.map(|(name, version)| (name, Package { version }));
        let wanted: Vec<_> = wanted.collect();
        loader.out.desired.packages.extend(wanted);
        Ok(())
    }
}
