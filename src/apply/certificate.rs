//! A self-signed pair for the first day, so that nginx can load a site before certbot ran.

use std::path::Path;

use tokio::process::Command;

use super::{Run, StepError};
use crate::host::openssl;
use crate::model::Certificate;

impl Run<'_> {
    pub(super) async fn write_certificate(&mut self, pair: &Certificate) -> Result<(), StepError> {
        self.make_parent(&pair.key)?;
        self.make_parent(&pair.certificate)?;
        self.journal.save(&pair.key)?;
        self.journal.save(&pair.certificate)?;
        let root = self.host.root();
        // Killed before the key is in its place, it is not left where nobody looks for it.
        let private = root.join(self.journal.private_folder()?);
        let folder = tempfile::tempdir_in(&private).map_err(|source| crate::root::RootError {
            doing: "make a temporary folder below",
            path: private,
            source,
        })?;
        let (key, certificate) = (folder.path().join("key"), folder.path().join("certificate"));
        let command = openssl::self_signed(&pair.names, &key, &certificate);
        let ran = Command::from(command).output().await;
        openssl::outcome(&pair.names, ran)?;
        let read = |path: &Path| {
            std::fs::read(path).map_err(|source| crate::root::RootError {
                doing: "read",
                path: path.to_owned(),
                source,
            })
        };
        root.write(&pair.key, &read(&key)?, 0o600)?;
        Ok(root.write(&pair.certificate, &read(&certificate)?, 0o644)?)
    }
}
