//! What cannot be read at all: an apply refuses it too.

use crate::check::nginx::includes::broken;
use crate::check::rules::prelude::*;

pub(crate) static RULE: Rule = rule!(syntax, Error, run).fixed();

fn run(context: &Context, findings: &mut Findings) {
    let wrong = context.subject.wrong.iter().cloned();
    findings.extend(wrong.map(|place| RULE.at(place)));
    findings.extend(broken(context.nginx()).map(|(place, is_loaded)| {
        let finding = RULE.at(place.clone());
        finding.weighing_where(!is_loaded, Severity::Warning)
    }));
}

#[cfg(test)]
mod tests {
    use crate::check::check;
    use crate::check::tests::surveyed;

    /// The names of the rules that find something.
    fn rules(files: &[(&str, &str)]) -> Vec<&'static str> {
        surveyed(files, |subject| {
            check(subject)
                .iter()
                .map(|finding| finding.rule.name)
                .collect()
        })
    }

    #[test]
    fn what_a_watchme_toml_says_that_cannot_be_read_is_not_guessed() {
        let old = "server { listen 80 default_server; server_name a.example.com; lisen 81; }";
        let new = "server { listen 80 default_server; server_name a.example.com; }";
        let with = |policy: &str| {
            rules(&[
                ("watchme.toml", policy),
                ("sites-available/old", old),
                ("sites-available/new", new),
            ])
        };
        let disabled = "[site.old]\nenabled = false\n";
        assert_eq!(with(disabled), [""; 0]);
        assert!(with("").len() > 2, "{:?}", with(""));
        assert_eq!(with(&format!("{disabled}nonsense")), ["syntax"]);
        assert_eq!(with(&format!("{disabled}x = 1\n")), ["syntax"]);
    }

    #[test]
    fn what_is_declared_in_a_broken_file_is_not_said_to_be_nowhere() {
        let main = "events { } http { include conf.d/*.conf; include sites-enabled/*; }";
        let with = |file: &str| {
            let site = "server { listen 80; server_name a.example.com; limit_req zone=api; add_header X $kind; }";
            rules(&[
                ("etc/nginx/nginx.conf", main),
                ("etc/nginx/conf.d/a.conf", file),
                ("sites-available/a", site),
            ])
        };
        let all = "limit_req_zone $uri zone=api:1m rate=1r/s; map $uri $kind { default a; }";
        assert_eq!(with(all), [""; 0]);
        assert_eq!(
            with(""),
            ["nginx-undeclared-name", "nginx-unknown-variable"]
        );
        assert_eq!(with(&format!("{all} gzip on")), ["syntax"]);
        // A site that another one refers to.
        let files = [
            ("etc/nginx/nginx.conf", main),
            (
                "sites-available/a",
                "server { listen 80; server_name a.example.com; location / { fastcgi_pass php; } }",
            ),
            (
                "sites-available/b",
                "upstream php { server unix:/run/php.sock; ",
            ),
        ];
        assert_eq!(rules(&files), ["syntax"]);
    }
}
