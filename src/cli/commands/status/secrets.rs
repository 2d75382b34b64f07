//! What the status says of secrets.

use super::text::Line;
use crate::cli::render::{BAD, count};
use crate::reconcile::SecretStatus;

/// Secrets that do not lie where they belong, and how many do.
pub(super) fn lines(secrets: &[SecretStatus]) -> Vec<Line> {
    let bad = secrets.iter().filter(|secret| secret.well == Some(false));
    let bad = bad.map(|secret| {
        let users = match secret.used_by.is_empty() {
            true => String::new(),
            false => format!("; used by {}", secret.used_by.join(", ")),
        };
        let why = secret.why_not.as_deref().unwrap_or_default();
        (BAD, format!("secret {}: {why}{users}", secret.name))
    });
    let mut lines: Vec<Line> = bad.collect();
    let well = secrets.iter().filter(|secret| secret.well == Some(true));
    let well = well.count();
    if well > 0 {
        let text = format!("{} decrypted in memory", count(well, "secret"));
        lines.push((anstyle::Style::new(), text));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_of_each_and_the_others_are_counted() {
        let secret = |name: &str, well: Option<bool>| SecretStatus {
            name: name.to_owned(),
            path: String::new(),
            well,
            why_not: (well == Some(false)).then(|| "is gone".to_owned()),
            used_by: vec!["app.service".to_owned()],
        };
        let all = [
            secret("a", Some(true)),
            secret("b", Some(false)),
            secret("c", None),
        ];
        let said: Vec<String> = lines(&all).into_iter().map(|(_, text)| text).collect();
        assert_eq!(
            said,
            [
                "secret b: is gone; used by app.service",
                "1 secret decrypted in memory"
            ]
        );
    }
}
