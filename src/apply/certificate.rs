//! A self-signed pair for the first day, so that nginx can load a site before certbot ran.

use std::path::Path;

use tokio::process::Command;

use super::{Run, StepError};
use crate::host::HostError;
use crate::model::Certificate;

/// Days for which a self-signed certificate is valid: long enough to get a real one.
const DAYS: &str = "90";

impl Run<'_> {
    pub(super) async fn write_certificate(&mut self, pair: &Certificate) -> Result<(), StepError> {
        self.make_parent(&pair.key)?;
        self.make_parent(&pair.certificate)?;
        self.journal.save(&pair.key)?;
        self.journal.save(&pair.certificate)?;
        let root = self.host.root();
        let folder = tempfile::tempdir().map_err(|source| crate::root::RootError {
            doing: "make a temporary folder below",
            path: std::env::temp_dir(),
            source,
        })?;
        let (key, certificate) = (folder.path().join("key"), folder.path().join("certificate"));
        let name = pair.names.first().map_or("localhost", String::as_str);
        openssl(name, &pair.names, &key, &certificate).await?;
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

/// openssl-req(1): `-x509` signs at once, `-noenc`'s old name `-nodes` works in 1.1 and 3.
async fn openssl(
    name: &str,
    names: &[String],
    key: &Path,
    certificate: &Path,
) -> Result<(), StepError> {
    let alternatives: Vec<String> = names.iter().map(|name| format!("DNS:{name}")).collect();
    let alternatives = match alternatives.is_empty() {
        true => "DNS:localhost".to_owned(),
        false => alternatives.join(","),
    };
    let mut command = Command::new("openssl");
    command
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
        ])
        .args(["-nodes", "-days", DAYS, "-subj"])
        .arg(format!("/CN={}", name.replace('/', "")))
        .arg("-addext")
        .arg(format!("subjectAltName={alternatives}"))
        .arg("-keyout")
        .arg(key)
        .arg("-out")
        .arg(certificate)
        .stdin(std::process::Stdio::null());
    let output = command
        .output()
        .await
        .map_err(|source| HostError::Program {
            program: "openssl req -x509".to_owned(),
            source,
        })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(StepError::Certificate {
        name: name.to_owned(),
        why: said.lines().last().unwrap_or("it said nothing").to_owned(),
    })
}
