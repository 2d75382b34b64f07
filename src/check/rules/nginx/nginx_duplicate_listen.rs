//! Servers that listen on a socket twice.

use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_duplicate_listen, Error, picks servers);

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::said;

    /// TCP and QUIC do not meet at one port.
    #[test]
    fn quic_beside_tcp() {
        let quic = "server { listen 443 ssl; listen 443 quic reuseport; ssl_certificate /c; ssl_certificate_key /k; return 204; }";
        let found = said("nginx-duplicate-listen", &[("sites-available/a", quic)]);
        assert_eq!(found, [""; 0]);
        let twice = quic.replace("443 ssl;", "443 quic;");
        let found = said("nginx-duplicate-listen", &[("sites-available/a", &twice)]);
        assert_eq!(found.len(), 1, "{found:?}");
    }
}
