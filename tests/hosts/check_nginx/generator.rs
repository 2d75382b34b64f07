//! Servers whose names, sockets and locations meet.

use proptest::prelude::*;

/// A server, as words from which its directives are made.
pub(super) type Server = (Vec<(usize, bool)>, Option<usize>, Vec<usize>, Vec<usize>);

/// No names: what they resolve to is the host's affair.
const LISTENS: [&str; 8] = [
    "80",
    "*:80",
    "0.0.0.0:80",
    "[::]:80",
    "127.0.0.1:80",
    "8080",
    "8079-8081",
    "[::1]:80",
];
/// Of these only one in a server: nginx says that it has a name twice, which harms nobody.
const SIMILAR: [&str; 6] = ["a.org", "A.Org", ".a.org", "*.a.org", "www.a.org", "\"\""];
const NAMES: [&str; 5] = ["b.org", "www.b.*", "~^a\\.org$", "_", "*.b.org"];
const LOCATIONS: [&str; 10] = [
    "/a", "^~ /a", "^~/a", "= /a", "=/a", "/a/", "\"/a\"", "/", "~ ^/a", "~* ^/a",
];

pub(super) fn servers() -> impl Strategy<Value = Vec<Server>> {
    let some = |length: usize, most: usize| {
        let all: Vec<usize> = (0..length).collect();
        prop::sample::subsequence(all, 0..=most)
    };
    let listens = (
        some(LISTENS.len(), 2),
        prop::collection::vec(prop::bool::weighted(0.35), 2),
    );
    let listens =
        listens.prop_map(|(listens, defaults)| listens.into_iter().zip(defaults).collect());
    let similar = prop::option::of(0..SIMILAR.len());
    let server = (
        listens,
        similar,
        some(NAMES.len(), 2),
        some(LOCATIONS.len(), 2),
    );
    prop::collection::vec(server, 1..4)
}

pub(super) fn written((listens, similar, names, locations): &Server) -> String {
    let mut text = String::from("server {\n");
    for (listen, is_default) in listens {
        let option = if *is_default { " default_server" } else { "" };
        text.push_str(&format!("listen {}{option};\n", LISTENS[*listen]));
    }
    let names = names.iter().map(|name| NAMES[*name]);
    for name in similar.iter().map(|name| SIMILAR[*name]).chain(names) {
        text.push_str(&format!("server_name {name};\n"));
    }
    for location in locations {
        text.push_str(&format!(
            "location {} {{ return 204; }}\n",
            LOCATIONS[*location]
        ));
    }
    text + "}\n"
}
