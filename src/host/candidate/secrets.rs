//! What of a host's files no program that reads a candidate gets to see, and what it gets instead.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::conf::{Conf, Statement, small_file};
use super::sandbox::View;
use crate::host::self_signed::SelfSigned;
use crate::model::layout;
use crate::root::Root;

/// Keys and certificates are small.
const SIZE: u64 = 1 << 20;
/// Parts of names of files that hold secrets.
const NAMES: [&str; 8] = [
    "key",
    "pem",
    "env",
    "secret",
    "passw",
    "token",
    "credential",
    "shadow",
];
/// Folders in which nobody looks for secrets: what is there belongs to packages, and is public.
const PUBLIC: [&str; 3] = [
    "/etc/ssl/certs",
    "/etc/ca-certificates",
    "/etc/alternatives",
];

/// Labels of PEM blocks that hold nothing secret.
const PUBLIC_BLOCKS: [&str; 5] = [
    "CERTIFICATE",
    "TRUSTED CERTIFICATE",
    "X509 CERTIFICATE",
    "X509 CRL",
    "DH PARAMETERS",
];

fn is_private(content: &[u8]) -> bool {
    let mark = b"PRIVATE KEY-----";
    content.windows(mark.len()).any(|window| window == mark)
}

/// Closes files of /etc in the namespace of the candidate that everybody may read and that look like
/// secrets, and all of this program's own but what would be live.
pub(super) fn close(root: &Root) {
    let own = Path::new(layout::LIVE)
        .parent()
        .unwrap_or(Path::new("/etc/watchme-apply"));
    for entry in root.list(own).unwrap_or_default() {
        let path = own.join(entry.file_name().unwrap_or_default());
        if path != Path::new(layout::LIVE) {
            let _ = fs::set_permissions(root.join(&path), Permissions::from_mode(0o700));
        }
    }
    open_folders(&root.join(Path::new(layout::LIVE)));
    let _ = fs::set_permissions(root.join(own), Permissions::from_mode(0o755));
    close_folder(root, Path::new("/etc"));
}

/// Lets everybody into folders; files keep their modes.
fn open_folders(folder: &Path) {
    let Ok(metadata) = fs::symlink_metadata(folder) else {
        return;
    };
    if !metadata.is_dir() {
        return;
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o005 != 0o005 {
        let _ = fs::set_permissions(folder, Permissions::from_mode(mode | 0o055));
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_folders(&entry.path());
        }
    }
}

fn close_folder(root: &Root, folder: &Path) {
    if PUBLIC.iter().any(|public| folder == Path::new(public)) || folder == Path::new(layout::LIVE)
    {
        return;
    }
    for entry in fs::read_dir(root.join(folder))
        .into_iter()
        .flatten()
        .flatten()
    {
        let path = folder.join(entry.file_name());
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            close_folder(root, &path);
        } else if kind.is_file() && is_named_like_one(&path) {
            let public = small_file(root, &path, SIZE).is_some_and(|content| {
                content.starts_with(b"-----BEGIN CERTIFICATE") && !is_private(&content)
            });
            if !public {
                let _ = fs::set_permissions(entry.path(), Permissions::from_mode(0o600));
            }
        }
    }
}

fn is_named_like_one(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_lowercase();
    !["environment", "passwd", "passwd-"].contains(&name.as_str())
        && NAMES.iter().any(|part| name.contains(part))
}

/// Puts stand-ins for the keys that nginx reads into a view, and shows the certificates. A pair that is wrong
/// stays wrong, so that nginx says what it would say.
pub(super) fn stand_in(conf: &Conf, root: &Root, stand_in: &SelfSigned, view: &mut View) {
    let mut pairs: BTreeMap<&str, (Vec<PathBuf>, Vec<PathBuf>)> = BTreeMap::new();
    for statement in &conf.statements {
        let Some(path) = path_of(statement) else {
            continue;
        };
        let name = statement.name();
        if let Some(kind) = name.strip_suffix("certificate_key") {
            pairs.entry(kind).or_default().1.push(path);
        } else if let Some(kind) = name.strip_suffix("ssl_certificate") {
            // `ssl_` and `proxy_ssl_`, as of the key.
            let kind = name.get(..kind.len() + "ssl_".len()).unwrap_or_default();
            pairs.entry(kind).or_default().0.push(path);
        } else if is_public_part(name) {
            if let Some(content) = small_file(root, &path, SIZE * 8) {
                view.contents.insert(path, public_blocks(&content));
            }
        } else if name == "ssl_session_ticket_key" {
            if let Some(content) = small_file(root, &path, SIZE) {
                view.contents.insert(path, vec![0; content.len()]);
            }
        } else if name.ends_with("ssl_password_file") && root.resolve(&path).is_some() {
            view.contents.insert(path, b"x\n".to_vec());
        }
    }
    let (own_key, own_certificate) = (stand_in.key.as_bytes(), stand_in.certificate.as_bytes());
    for (certificates, keys) in pairs.into_values() {
        let together = certificates.len() == keys.len();
        for (at, key) in keys.iter().enumerate() {
            let certificate = certificates.get(at).filter(|_| together);
            let Some(content) = small_file(root, key, SIZE) else {
                continue;
            };
            if !is_private(&content) {
                view.contents.insert(key.clone(), Vec::new());
                continue;
            }
            let mut shown = own_key.to_vec();
            if let Some(certificate) = certificate
                && let Some(own) = small_file(root, certificate, SIZE)
            {
                if fits(&own, &content) {
                    view.contents
                        .insert(certificate.clone(), own_certificate.to_vec());
                } else {
                    view.contents
                        .insert(certificate.clone(), public_blocks(&own));
                }
                if certificate == key {
                    shown = [own_certificate, own_key].concat();
                }
            }
            view.contents.insert(key.clone(), shown);
        }
        if !together {
            for certificate in certificates
                .iter()
                .filter(|path| root.resolve(path).is_some())
            {
                view.contents
                    .insert(certificate.clone(), own_certificate.to_vec());
            }
        }
    }
}

fn is_public_part(name: &str) -> bool {
    [
        "client_certificate",
        "trusted_certificate",
        "ssl_crl",
        "ssl_dhparam",
    ]
    .iter()
    .any(|end| name.ends_with(end))
}

/// The PEM blocks of a file that are public, RFC 7468, and nothing else of it: a statement can name any file of the host
/// as a certificate.
fn public_blocks(content: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(content);
    let mut blocks = String::new();
    let mut rest = text.as_ref();
    while let Some(begin) = rest.find("-----BEGIN ") {
        rest = &rest[begin..];
        let label = rest["-----BEGIN ".len()..].split("-----").next();
        let label = label.filter(|label| PUBLIC_BLOCKS.contains(label));
        let end = label.map(|label| format!("-----END {label}-----"));
        let block = end.and_then(|end| {
            let length = rest.find(&end)? + end.len();
            let body = rest.get("-----BEGIN ".len() + label?.len() + 5..length - end.len())?;
            let is_base64 =
                |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || "+/=".contains(c);
            body.chars().all(is_base64).then(|| &rest[..length])
        });
        let skip = match block {
            Some(block) => {
                blocks.push_str(block);
                blocks.push('\n');
                block.len()
            }
            None => "-----BEGIN ".len(),
        };
        rest = &rest[skip..];
    }
    blocks.into_bytes()
}

/// The file that a statement about certificates and keys names.
fn path_of(statement: &Statement) -> Option<PathBuf> {
    let word = statement.arguments().first()?;
    let plain = !word.contains('$') && !word.starts_with("engine:") && !word.starts_with("data:");
    plain.then(|| Path::new(layout::NGINX).join(word))
}

/// Whether a certificate belongs to a key, as far as is known: kinds that are not known here fit.
fn fits(certificate: &[u8], key: &[u8]) -> bool {
    let chain: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_slice_iter(certificate).collect();
    let Some(chain) = chain.ok().filter(|chain| !chain.is_empty()) else {
        return false;
    };
    let key = PrivateKeyDer::from_pem_slice(key).ok();
    let Some(key) = key.and_then(|key| any_supported_type(&key).ok()) else {
        return true;
    };
    !matches!(
        CertifiedKey::new(chain, key).keys_match(),
        Err(rustls::Error::InconsistentKeys(
            rustls::InconsistentKeys::KeyMismatch
        )) | Err(rustls::Error::InvalidCertificate(_))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_file_named_as_a_certificate_only_the_public_blocks_are_shown() {
        let shown = |text: &str| String::from_utf8(public_blocks(text.as_bytes())).unwrap();
        let certificate = "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n";
        let key = "-----BEGIN PRIVATE KEY-----\nREVG\n-----END PRIVATE KEY-----\n";
        assert_eq!(shown("root:$6$salt$hash:20785:0:99999:7:::\n"), "");
        assert_eq!(shown(certificate), certificate);
        assert_eq!(
            shown(&format!(
                "{key}API=abc\n{certificate}TOKEN=x\n{certificate}"
            )),
            certificate.repeat(2)
        );
        let smuggled = "-----BEGIN CERTIFICATE-----\nAPI_KEY=a-b\n-----END CERTIFICATE-----\n";
        assert_eq!(shown(smuggled), "");
        assert_eq!(
            shown(&format!("-----BEGIN CERTIFICATE-----\n{certificate}")),
            certificate
        );
        assert_eq!(shown("-----BEGIN CERTIFICATE-----\nQUJD\n"), "");
    }
}
