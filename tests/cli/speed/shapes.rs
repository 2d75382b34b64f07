//! Configurations of nginx that name much in few lines: what each part means must not be looked up among all others.

use super::{Place, time_of};
use std::time::Duration;

/// Files, each with its text.
type Files = Vec<(&'static str, String)>;
/// A name, and what makes files of so many lines.
type Shape = (&'static str, fn(usize) -> Files);

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

fn site(inside: String) -> Files {
    let locations = |text: &str| format!("server {{ server_name a.example.com; {text} }}\n");
    vec![("sites-available/a.example.com", locations(&inside))]
}

/// An address of this host, of which each number has another one.
fn address(number: usize) -> String {
    let [_, a, b, c] = u32::try_from(number).unwrap().to_be_bytes();
    format!("10.{a}.{b}.{c}")
}

fn locations(count: usize) -> String {
    lines(count, |number| {
        format!("location /p{number} {{ return 204; }}\n")
    })
}

/// Of half of the lines each location asks all.
fn before_locations(count: usize, line: impl Fn(usize) -> String) -> Files {
    site(lines(count / 2, line) + &locations(count / 2))
}

fn conditions(count: usize) -> Files {
    before_locations(count, |number| {
        format!("if ($http_x{number}) {{ set $a{number} b; }}\n")
    })
}

fn conditions_of_one_location(count: usize) -> Files {
    let inside = lines(count, |number| {
        format!("if ($http_x{number}) {{ set $a{number} b; }}\n")
    });
    site(format!("location / {{ {inside} }}"))
}

fn rewrites(count: usize) -> Files {
    before_locations(count, |number| format!("rewrite ^/a{number}$ /b;\n"))
}

fn expressions(count: usize) -> Files {
    before_locations(count, |number| {
        format!("location ~ ^/r{number}$ {{ return 204; }}\n")
    })
}

fn missing_includes(count: usize) -> Files {
    before_locations(count, |number| format!("include /opt/x{number}.conf;\n"))
}

fn listens(count: usize) -> Files {
    before_locations(count, |number| format!("listen {}:80;\n", address(number)))
}

fn names_on_listens(count: usize) -> Files {
    let names = lines(count / 2, |number| {
        format!("server_name n{number}.example.com;\n")
    });
    let listens = lines(count / 2, |number| {
        format!("listen {}:80;\n", address(number))
    });
    site(listens + &names + "location / { return 204; }")
}

/// Locations that pass requests on to a group of as many servers.
fn servers_of_a_group(count: usize) -> Files {
    let servers = lines(count / 2, |number| {
        format!("server {}:80;\n", address(number))
    });
    let location = |number| format!("location /p{number} {{ proxy_pass http://u; }}\n");
    let server = format!(
        "upstream u {{ {servers} }}\nserver {{ server_name a.example.com; {} }}\n",
        lines(count / 2, location)
    );
    vec![("sites-available/a.example.com", server)]
}

fn own_addresses(count: usize) -> Files {
    let server = |number| {
        let address = address(number);
        format!(
            "server {{ listen {address}:80; server_name h{number}.example.com; location / {{ return 204; }} }}\n"
        )
    };
    vec![("sites-available/a.example.com", lines(count, server))]
}

fn ranges_of_ports(count: usize) -> Files {
    let server = |number| {
        let address = address(number);
        format!("server {{ listen {address}:1-65535; location / {{ return 204; }} }}\n")
    };
    vec![("sites-available/a.example.com", lines(count / 8, server))]
}

fn names_that_are_expressions(count: usize) -> Files {
    let servers = |number| {
        format!(
            "server {{ server_name ~^r{number}$; }}\nserver {{ server_name _; location /p{number} {{ return 204; }} }}\n"
        )
    };
    vec![("sites-available/a.example.com", lines(count / 2, servers))]
}

/// So many servers that include a file of so many locations.
fn included(count: usize) -> Files {
    let server = |number| {
        format!("server {{ server_name h{number}.example.com; include snippets/a.conf; }}\n")
    };
    let location = |number| {
        format!("location /p{number} {{ proxy_pass http://127.0.0.1:8001; add_header X a; }}\n")
    };
    vec![
        ("sites-available/a.example.com", lines(count, server)),
        ("etc/nginx/snippets/a.conf", lines(count, location)),
    ]
}

fn time(files: &Files, arguments: &[&str]) -> Duration {
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .collect();
    let place = Place::git(&files);
    let (command, arguments) = arguments.split_first().unwrap();
    time_of(&place, command, arguments)
}

const CHECK: [&str; 3] = ["check", "--deny", "nothing"];

/// Ten times the lines take about ten times as long.
#[test]
fn time_is_linear_in_lines_of_any_shape() {
    let shapes: [Shape; 13] = [
        ("conditions", conditions),
        ("conditions of one location", conditions_of_one_location),
        ("rewrites", rewrites),
        ("expressions", expressions),
        ("missing includes", missing_includes),
        ("listens", listens),
        ("names on listens", names_on_listens),
        ("own addresses", own_addresses),
        ("servers of a group", servers_of_a_group),
        ("ranges of ports", ranges_of_ports),
        ("names that are expressions", names_that_are_expressions),
        ("locations", |count| site(locations(count))),
        ("included by one", |count| {
            vec![
                (
                    "sites-available/a.example.com",
                    "server { include snippets/a.conf; }\n".to_owned(),
                ),
                ("etc/nginx/snippets/a.conf", locations(count)),
            ]
        }),
    ];
    for (shape, files) in shapes {
        for arguments in [&CHECK[..], &["routes"]] {
            let (few, many) = (time(&files(600), arguments), time(&files(6000), arguments));
            let most = few.max(Duration::from_millis(100)) * 25;
            assert!(
                many < most,
                "{shape} {arguments:?}: {few:?}, ten times: {many:?}"
            );
        }
    }
}

/// A file that many servers include is checked once; `routes` has a line for each location of each server.
#[test]
fn time_is_linear_in_includes() {
    let (few, many) = (time(&included(60), &CHECK), time(&included(600), &CHECK));
    let most = few.max(Duration::from_millis(100)) * 25;
    assert!(many < most, "{few:?}, ten times the lines: {many:?}");
    let (few, many) = (
        time(&included(60), &["routes"]),
        time(&included(190), &["routes"]),
    );
    let most = few.max(Duration::from_millis(100)) * 25;
    assert!(many < most, "{few:?}, ten times the routes: {many:?}");
}
