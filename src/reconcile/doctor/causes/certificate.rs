//! Certificates: over, nearly over, for another name, without a key.

use super::{Cause, What};
use crate::reconcile::doctor::facts::Facts;
use crate::reconcile::doctor::way::Way;

/// Days that are few.
const FEW: i64 = 14;
const RENEW: &str = "sudo certbot renew && sudo systemctl reload nginx; sudo certbot certificates shows what there is";

/// What is wrong with the certificate that a URL is answered with.
pub(super) fn of_way(way: &Way) -> Option<Cause> {
    let (text, fix) = way.certificate.clone()?;
    let text = format!("{}: {text}", way.url.host());
    let cause = Cause::new(What::Certificate, way.url.to_string(), text);
    Some(cause.shown(way.server.clone()).fixed(fix))
}

/// What is wrong with certificates of enabled sites.
pub(super) fn find(facts: &Facts) -> Vec<Cause> {
    let mut found = Vec::new();
    for one in &facts.certificates {
        let path = one.path.display().to_string();
        let sites: Vec<&str> = one.sites.iter().map(String::as_str).collect();
        let sites = format!("of the sites {}", sites.join(", "));
        let cause = |text: String| {
            let cause = Cause::new(What::Certificate, path.clone(), text);
            cause.shown([sites.clone()])
        };
        if let Some(why) = one.unknown {
            let cause = cause(format!("the certificate {path}: {why}"));
            found.push(cause.fixed("sudo certbot certificates; sudo nginx -t"));
        }
        match one.days_left {
            Some(left) if left < 0 => {
                let on = one
                    .not_after
                    .map(|end| end.strftime(" on %Y-%m-%d").to_string());
                let on = on.unwrap_or_default();
                let cause = cause(format!("the certificate {path} expired{on}"));
                found.push(cause.fixed(RENEW));
            }
            Some(left) if left < FEW => {
                let cause = cause(format!("the certificate {path} expires in {left} days"));
                found.push(cause.fixed(RENEW));
            }
            _ => {}
        }
        if one.stale {
            let cause = cause(format!(
                "{path} was renewed, but nginx still serves the old one"
            ));
            found.push(cause.fixed("sudo systemctl reload nginx"));
        }
    }
    for (key, sites) in &facts.keyless {
        let path = key.display().to_string();
        let sites: Vec<&str> = sites.iter().map(String::as_str).collect();
        let text = format!("the key {path} is not there: nginx cannot load it");
        let cause = Cause::new(What::Certificate, path, text);
        found.push(
            cause
                .shown([format!("of the sites {}", sites.join(", "))])
                .fixed("sudo certbot certificates; sudo nginx -t"),
        );
    }
    found
}
