//! Self-signed certificates. openssl(1) makes them: an X.509 library would be a tenth of the
//! binary for one file on one day.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::error::HostError;
use crate::model::layout;

/// Days for which a self-signed certificate is valid: long enough to get a real one.
const DAYS: &str = "90";

/// What makes a key and a certificate for `names`, openssl-req(1): `-x509` signs at once,
/// `-noenc`'s old name `-nodes` works in 1.1 and 3.
pub fn self_signed(names: &[String], key: &Path, certificate: &Path) -> Command {
    let alternatives: Vec<String> = names.iter().map(|name| format!("DNS:{name}")).collect();
    let alternatives = match alternatives.is_empty() {
        true => "DNS:localhost".to_owned(),
        false => alternatives.join(","),
    };
    let mut command = Command::new("openssl");
    command
        .args(["req", "-x509", "-newkey", "ec"])
        .args(["-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", DAYS, "-subj"])
        .arg(format!(
            "/O={}/CN={}",
            layout::BOOTSTRAP_ORGANISATION,
            name(names).replace('/', "")
        ))
        .arg("-addext")
        .arg(format!("subjectAltName={alternatives}"))
        .arg("-keyout")
        .arg(key)
        .arg("-out")
        .arg(certificate)
        .stdin(Stdio::null());
    command
}

/// What running [`self_signed`] came to.
///
/// # Errors
/// When openssl could not be run, or could not make a certificate.
pub fn outcome(names: &[String], ran: std::io::Result<Output>) -> Result<(), HostError> {
    let output = ran.map_err(|source| HostError::Program {
        program: "openssl req -x509".to_owned(),
        source,
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(HostError::Certificate {
        name: name(names).to_owned(),
        why: said
            .lines()
            .last()
            .unwrap_or("it printed nothing")
            .to_owned(),
    })
}

fn name(names: &[String]) -> &str {
    names.first().map_or("localhost", String::as_str)
}
