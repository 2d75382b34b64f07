//! Which certificate pairs a site names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Directive;

/// A certificate and its key, as absolute paths on the host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Certificate {
    /// PEM file of the chain.
    pub certificate: PathBuf,
    /// PEM file of the key.
    pub key: PathBuf,
    /// Names for a self-signed one, from `server_name`.
    pub names: Vec<String>,
}

/// The pairs that the servers of a site name, each with the names it has to be good for.
///
/// A site file is included at nginx's `http` level, so that a pair outside any server belongs
/// to all that name none, as <https://nginx.org/en/docs/http/ngx_http_ssl_module.html> says.
/// Pairs with variables or relative paths are left out: where they lie is not known here.
pub fn certificates(directives: &[Directive]) -> Vec<Certificate> {
    let mut found: BTreeMap<(PathBuf, PathBuf), BTreeSet<String>> = BTreeMap::new();
    collect(directives, &[], &mut found);
    found
        .into_iter()
        .map(|((certificate, key), names)| Certificate {
            certificate,
            key,
            names: names.into_iter().collect(),
        })
        .collect()
}

type Pairs = BTreeMap<(PathBuf, PathBuf), BTreeSet<String>>;

fn collect(level: &[Directive], outer: &[(PathBuf, PathBuf)], found: &mut Pairs) {
    let own = pairs(level);
    let own = if own.is_empty() { outer.to_vec() } else { own };
    for directive in level {
        let Some(block) = &directive.block else {
            continue;
        };
        if directive.name != "server" {
            collect(block, &own, found);
            continue;
        }
        let inside = pairs(block);
        let names = server_names(block);
        for pair in if inside.is_empty() {
            own.clone()
        } else {
            inside
        } {
            found.entry(pair).or_default().extend(names.clone());
        }
    }
}

/// Certificates and keys of one level. Several (RSA beside ECDSA) pair up in their order.
fn pairs(level: &[Directive]) -> Vec<(PathBuf, PathBuf)> {
    let all = |name: &str| -> Vec<&str> {
        level
            .iter()
            .filter(|directive| directive.name == name)
            .filter_map(|directive| directive.args.first())
            .map(|word| word.text.as_str())
            .collect()
    };
    let usable = |path: &str| path.starts_with('/') && !path.contains('$');
    all("ssl_certificate")
        .into_iter()
        .zip(all("ssl_certificate_key"))
        .filter(|(certificate, key)| usable(certificate) && usable(key))
        .map(|(certificate, key)| (certificate.into(), key.into()))
        .collect()
}

/// Names that a certificate can carry: no regular expressions, no catch-alls.
fn server_names(server: &[Directive]) -> BTreeSet<String> {
    server
        .iter()
        .filter(|directive| directive.name == "server_name")
        .flat_map(|directive| &directive.args)
        .map(|word| word.text.to_lowercase())
        .map(|name| match name.strip_prefix('.') {
            Some(domain) => domain.to_owned(),
            None => name,
        })
        .filter(|name| {
            let plain = name.strip_prefix("*.").unwrap_or(name);
            !plain.is_empty()
                && plain != "_"
                && plain
                    .chars()
                    .all(|c| c.is_alphanumeric() || ".-_".contains(c))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::parse;

    fn found(source: &str) -> Vec<String> {
        certificates(&parse(Path::new("s"), source).unwrap())
            .into_iter()
            .map(|pair| {
                let names = pair.names.join(" ");
                format!(
                    "{} {} {names}",
                    pair.certificate.display(),
                    pair.key.display()
                )
            })
            .collect()
    }

    #[test]
    fn pairs_come_with_the_names_of_their_servers() {
        let source =
            "server { server_name api.example.org; ssl_certificate /c; ssl_certificate_key /k; }
            server { server_name www.example.org ~x _; ssl_certificate /c; ssl_certificate_key /k; }
            server { listen 80; server_name plain.example.org; }";
        assert_eq!(found(source), ["/c /k api.example.org www.example.org"]);
    }

    #[test]
    fn pairs_outside_servers_are_inherited() {
        let source = "ssl_certificate /c; ssl_certificate_key /k;
            server { server_name a; } server { server_name b; ssl_certificate /d; ssl_certificate_key /l; }";
        assert_eq!(found(source), ["/c /k a", "/d /l b"]);
    }

    #[test]
    fn what_is_not_a_known_file_is_left_out() {
        for pair in [
            "ssl_certificate $c; ssl_certificate_key $k;",
            "ssl_certificate c.pem; ssl_certificate_key k.pem;",
            "ssl_certificate /c;",
        ] {
            assert!(found(&format!("server {{ {pair} }}")).is_empty(), "{pair}");
        }
    }
}
