//! A site: what nginx's words are, what is read of them, and where they lead a request for the URL of the first line.

use std::path::Path;

use watchme_apply::model::Url;
use watchme_apply::source::nginx::router::{Files, Request, Router, Text};
use watchme_apply::source::nginx::{
    self, Directive, behind_port, behind_url, certificates, listens, read_timeout, zones,
};

/// Reads it, and holds what was read against its text.
pub(crate) fn run(source: &str) {
    let path = Path::new("site");
    let directives = match nginx::parse(path, source) {
        Ok(directives) => directives,
        Err(wrong) => {
            assert!(source.get(wrong.span.clone()).is_some(), "{wrong}");
            assert!(wrong.position() <= wrong.end());
            return;
        }
    };
    spans(source, &directives);
    certificates(&directives);
    read_timeout(&directives);
    zones(&directives);
    listens(&directives);
    let directives = directives.as_slice();
    let files = Files::new([("site", Text { path, directives })].into(), [].into());
    files.http_nodes();
    let router = Router::new(files);
    behind_port(&router, 443);
    let first = source.lines().next().unwrap_or_default();
    let asked = first.trim_start_matches(['#', ' ']);
    for url in [asked, "https://api.example.com/a/b?c=d"] {
        if let Ok(url) = url.parse::<Url>() {
            behind_url(&router, &url);
            router.explain(&Request::of(&url, None));
        }
    }
}

/// Each span lies between characters, and a block's directives in their order.
fn spans(source: &str, level: &[Directive]) {
    let mut before = 0;
    for directive in level {
        assert!(source.get(directive.span.clone()).is_some());
        assert!(before <= directive.span.start);
        before = directive.span.end;
        for word in &directive.args {
            assert!(source.get(word.span.clone()).is_some());
        }
        spans(source, directive.block.as_deref().unwrap_or_default());
    }
}
