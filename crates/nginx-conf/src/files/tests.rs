//! What includes bring in.

use std::path::PathBuf;

use super::*;
use crate::parse;

fn outline(nodes: &[Node<'_>]) -> String {
    let text = |node: &Node<'_>| match &node.block {
        Some(block) => format!("{} {{ {} }}", node.name(), outline(block)),
        None => format!("{} {}", node.name(), node.first())
            .trim()
            .to_owned(),
    };
    nodes.iter().map(text).collect::<Vec<_>>().join("; ")
}

/// What is in `http` where a site says something beside some files below /etc.
fn resolved<T>(files: &[(&str, &str)], site: &str, show: impl Fn(&[Node<'_>]) -> T) -> T {
    let site = parse(Path::new("s"), site).unwrap();
    let text = |path, directives| Text { path, directives };
    let parsed = files.iter().filter_map(|(path, source)| {
        let path = Path::new(*path);
        Some((path, parse(path, source).ok()?))
    });
    let parsed: Vec<(&Path, Vec<Directive>)> = parsed.collect();
    let etc = parsed
        .iter()
        .map(|(path, directives)| (*path, text(*path, directives)));
    let files = Files::new([("s", text(Path::new("s"), &site))].into(), etc.collect());
    show(&files.http_nodes())
}

#[test]
fn what_is_an_input_stands_in_place_of_its_include() {
    let files = [
        ("nginx/snippets/proxy.conf", "a 1; b 2;"),
        (
            "nginx/snippets/deep.conf",
            "c { include snippets/proxy.conf; }",
        ),
        ("nginx/snippets/broken.conf", "c {"),
        ("nginx/snippets/self.conf", "d; include snippets/self.conf;"),
        (
            "nginx/snippets/loop.conf",
            "l { include ./snippets/loop.conf; }",
        ),
        ("app/snippets/proxy.conf", "app;"),
    ];
    for (source, expected) in [
        ("s { include snippets/proxy.conf; }", "s { a 1; b 2 }"),
        ("include /etc/nginx/snippets/proxy.conf; x;", "a 1; b 2; x"),
        ("include ./snippets/deep.conf;", "c { a 1; b 2 }"),
        ("include proxy_params;", "include proxy_params"),
        ("include mime.types; x;", "x"),
        ("include /etc/app/snippets/proxy.conf;", "app"),
        (
            "include /srv/app/proxy.conf;",
            "include /srv/app/proxy.conf",
        ),
        (
            "include snippets/broken.conf;",
            "include snippets/broken.conf",
        ),
        (
            "include snippets/self.conf;",
            "d; include snippets/self.conf",
        ),
        (
            "include snippets/loop.conf;",
            "l { include ./snippets/loop.conf }",
        ),
        (
            "include snippets/p*.conf;",
            "a 1; b 2; include snippets/p*.conf",
        ),
        (
            "include s*/[p]roxy.conf;",
            "a 1; b 2; include s*/[p]roxy.conf",
        ),
        ("include *.conf;", "include *.conf"),
        ("include sites-enabled/s;", "include sites-enabled/s"),
    ] {
        assert_eq!(resolved(&files, source, outline), expected, "{source}");
    }
}

#[test]
fn http_is_that_of_nginx_conf_or_debians() {
    let files = [
        ("nginx/conf.d/b.conf", "b;"),
        ("nginx/conf.d/a.conf", "a;"),
        ("nginx/conf.d/.c.conf", "c;"),
        (
            "nginx/nginx.conf",
            "m; http { include sites-enabled/*; h; }",
        ),
    ];
    assert_eq!(resolved(&files[..3], "s;", outline), "a; b; s");
    let expected = "s; include sites-enabled/*; h";
    assert_eq!(resolved(&files, "s;", outline), expected);
}

#[test]
fn the_file_of_each_directive_is_known() {
    let files = [("nginx/snippets/a.conf", "a 1;")];
    let paths = |nodes: &[Node<'_>]| -> Vec<PathBuf> {
        nodes.iter().map(|node| node.path.to_owned()).collect()
    };
    let found = resolved(&files, "include snippets/a.conf; b 2;", paths);
    assert_eq!(found, ["nginx/snippets/a.conf", "s"].map(PathBuf::from));
}

#[test]
fn files_that_include_each_other_many_times_are_bounded() {
    let many = |name: &str| format!("include {name};").repeat(200);
    let texts: Vec<(String, String)> = (0..7)
        .map(|at| (format!("nginx/{at}"), many(&format!("{}", at + 1))))
        .chain([("nginx/7".to_owned(), "x;".to_owned())])
        .collect();
    let files: Vec<(&str, &str)> = texts
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let length = resolved(&files, "include 0;", |nodes| nodes.len());
    assert!(length <= MAX_DIRECTIVES, "{length}");
}
