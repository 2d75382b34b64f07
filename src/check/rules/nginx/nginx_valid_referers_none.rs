//! Checks of the referer that a client passes by sending none.

use crate::check::nginx::paths::{Match, matches};
use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_valid_referers_none, Warning, run);

/// File names that occur where a site protects its pictures from being shown elsewhere: that costs traffic, not access.
const MEDIA: [&str; 12] = [
    "jpg", "jpe?g", "jpeg", "png", "gif", "webp", "svg", "ico", "mp4", "mp3", "woff", "css",
];

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    findings.extend(context.blocks().iter().filter_map(|block| {
        let (node, word) = block.own("valid_referers").iter().find_map(|node| {
            let mut words = node.args().iter();
            Some((node, words.find(|word| word.text == "none")?))
        })?;
        let pattern = block.location().and_then(matches);
        if let Some((Match::Regex, pattern)) = pattern
            && MEDIA.iter().any(|media| pattern.contains(media))
        {
            return None;
        }
        let message = "none lets through every request without a Referer, and any page can make browsers send no Referer";
        let help = "remove none; to protect against other sites, check a token or the Origin";
        Some(view.find_at(&RULE, node, &word.span, message, help))
    }));
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::table;

    #[test]
    fn referers_that_may_be_missing() {
        table(
            "nginx-valid-referers-none",
            &[
                (
                    "valid_referers none server_names *.example.com;",
                    "W sites-available/a:2:16: none lets through",
                ),
                ("valid_referers server_names\n example.com\n none;", ":4:2:"),
                (
                    "location /a { valid_referers example.com none example.org; }",
                    "none",
                ),
                (
                    "valid_referers server_names example.com *.none.com none.example.com;",
                    "",
                ),
                (
                    "location ~* \\.(gif|jpe?g|png)$ { valid_referers none blocked server_names; }",
                    "",
                ),
            ],
        );
    }
}
