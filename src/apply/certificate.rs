//! A self-signed pair for the first day, so that nginx can load a site before certbot ran.

use super::{Run, StepError};
use crate::host::self_signed::self_signed;
use crate::model::Certificate;

impl Run<'_> {
    pub(super) fn write_certificate(&mut self, paths: &Certificate) -> Result<(), StepError> {
        self.make_parent(&paths.key)?;
        self.make_parent(&paths.certificate)?;
        self.journal.save(&paths.key)?;
        self.journal.save(&paths.certificate)?;
        let pair = self_signed(&paths.names)?;
        let root = self.host.root();
        root.write(&paths.key, pair.key.as_bytes(), 0o600)?;
        Ok(root.write(&paths.certificate, pair.certificate.as_bytes(), 0o644)?)
    }
}
