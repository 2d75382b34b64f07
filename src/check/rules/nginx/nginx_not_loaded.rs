//! Sites that no include of nginx.conf loads.

use std::path::Path;

use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_not_loaded, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    // A file that is not here may load it.
    if !view.is_complete() {
        return;
    }
    let (desired, parsed) = (
        &view.subject.revision.desired,
        &view.subject.revision.parsed,
    );
    for (name, site) in desired.sites.iter().filter(|(_, site)| site.enabled) {
        let is_empty = parsed.sites.get(name).is_none_or(Vec::is_empty);
        if !is_empty && !view.includes.has(&site.file.source) {
            let place = Path::new("/etc/nginx/sites-enabled").join(name);
            let help = "write include /etc/nginx/sites-enabled/*; in the http block of nginx.conf";
            findings.push(RULE.at(complaint(view, &site.file.source, &place, help)));
        }
    }
    for (path, directives) in &parsed.etc {
        let is_there = path.parent() == Some(Path::new("nginx/conf.d"))
            && path
                .extension()
                .is_some_and(|extension| extension == "conf");
        let Some(file) = desired.etc.get(path).filter(|_| is_there) else {
            continue;
        };
        let source = &file.file.source;
        let is_used = directives.is_empty() || view.includes.has(source);
        if !is_used {
            let place = Path::new("/etc").join(path);
            let help = "write include /etc/nginx/conf.d/*.conf; in the http block of nginx.conf";
            findings.push(RULE.at(complaint(view, source, &place, help)));
        }
    }
}

fn complaint(view: &View<'_>, source: &Path, place: &Path, help: &str) -> Diagnostic {
    let message = format!(
        "no include loads {}: nginx.conf and what it includes do not name it",
        place.display()
    );
    view.complain(source, 0..0, message, "", help)
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::said;

    #[test]
    fn includes_load_it_or_not() {
        let site = "server { listen 80; server_name a.example.com; return 204; }";
        let found = |http: &str, more: &[(&str, &str)]| {
            let main = format!("events {{ }}\nhttp {{ {http} }}\n");
            let mut files = vec![
                ("etc/nginx/nginx.conf", main.as_str()),
                ("sites-available/a", site),
            ];
            files.extend(more);
            said("nginx-not-loaded", &files)
        };
        assert_eq!(
            found("include /etc/nginx/conf.d/*.conf;", &[]),
            [
                "E sites-available/a:1:1: no include loads /etc/nginx/sites-enabled/a: nginx.conf and what it includes do not name it"
            ]
        );
        assert_eq!(found("include sites-enabled/*.conf;", &[]).len(), 1);
        for http in [
            "include /etc/nginx/sites-enabled/*;",
            "include sites-enabled/a;",
            // It is on the host, and may include it.
            "include /etc/nginx/more.conf;",
        ] {
            assert_eq!(found(http, &[]), [""; 0], "{http}");
        }
        let more = ("etc/nginx/more.conf", "include sites-enabled/*;");
        assert_eq!(found("include more.conf;", &[more]), [""; 0]);
        let map = ("etc/nginx/conf.d/map.conf", "gzip on;");
        assert_eq!(found("include sites-enabled/*;", &[map]).len(), 1);
        let empty = ("etc/nginx/conf.d/map.conf", "# nothing");
        assert_eq!(found("include sites-enabled/*;", &[empty]), [""; 0]);
        assert_eq!(
            said("nginx-not-loaded", &[("sites-available/a", site)]),
            [""; 0]
        );
    }
}
