//! Texts at the edges of the syntax.

use proptest::prelude::*;

/// `gzip_types` takes any number of any words, wherever it stands: only the syntax matters.
const WORDS: [&str; 34] = [
    "gzip_types a;",
    "gzip_types a b\tc\r\n d ;",
    "gzip_types \"a b;{}#\" 'c \\' \"';",
    "gzip_types \"a\\\"\\\\\\t\\n\\x\" 'é 日本語';",
    "gzip_types \"\" '';",
    "gzip_types a\"b c'd;",
    "gzip_types a#b; # a comment; { \" '\n",
    "gzip_types \"a\"'b';",
    "gzip_types \"a\"b;",
    "gzip_types \"a\"#b\n;",
    "gzip_types \"a\");",
    "gzip_types ($a = \"b\");",
    "gzip_types \"a\"}",
    "gzip_types ${a} ${{b $c{d};",
    "gzip_types $a{b};",
    "gzip_types a\\ b \\; \\{ \\\"c;",
    "gzip_types a\\\nb;",
    "gzip_types a};",
    "gzip_types }a;",
    "gzip_types a }",
    "gzip_types a",
    "gzip_types a;;",
    ";",
    "{",
    "}",
    "{ gzip_types a; }",
    "server { gzip_types a; }",
    "server{gzip_types a;}server{location /{gzip_types a;}}",
    "server { gzip_types a; } }",
    "server { gzip_types a;",
    "\"server\" { 'gzip_types' a; }",
    "gzip_types \"a;",
    "gzip_types 'a;\n",
    "# no end",
];

pub(super) fn hand_made() -> Vec<String> {
    let mut texts: Vec<String> = WORDS.iter().map(|text| wrapped(text)).collect();
    texts.extend(WORDS.iter().map(|text| wrapped(text).replace('\n', "\r\n")));
    texts.extend(
        [
            "",
            "\n",
            "events {}",
            "events {} #",
            "events {} \"",
            "events {} http { } \\",
        ]
        .map(str::to_owned),
    );
    texts.push(format!("\u{feff}{}", wrapped("")));
    for length in [4000, 4093, 4094, 4095, 4096, 4097, 9000] {
        let long = "x".repeat(length);
        texts.push(wrapped(&format!("gzip_types {long};")));
        texts.push(wrapped(&format!("gzip_types \"{long}\";")));
        texts.push(wrapped(&format!("#{long}\n")));
        texts.push(wrapped(&format!("gzip_types a;{};", " ".repeat(length))));
    }
    texts
}

pub(super) fn wrapped(inside: &str) -> String {
    format!("events {{}}\nhttp {{\n{inside}\n}}\n")
}

/// Words as people write them and as they do not, in blocks that mostly match.
pub(super) fn texts() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        3 => "[a-z/*.]{1,6}",
        3 => "[a-z$é日\\\\#}=]{0,3}[a-z]",
        2 => "\"[a-z ;{}'\\n#$é]{0,6}\"",
        2 => "'[a-z ;{}\"\\r\\n#$]{0,6}'",
        1 => "\\$\\{[a-z]{1,3}\\}",
        1 => "[\"']?[a-z\\\\\"' (){};$]{1,4}[\"']?",
    ];
    let blank =
        prop_oneof![4 => Just(" "), 1 => Just("\n"), 1 => Just("\r\n\t"), 1 => Just(" # x;{\n")];
    let end = prop_oneof![12 => Just(";"), 1 => Just(" ;"), 1 => Just(""), 1 => Just("}"), 1 => Just(";;")];
    let words = prop::collection::vec((blank, word), 1..4);
    let directive = (words, end).prop_map(|(words, end)| {
        let words: String = words
            .iter()
            .map(|(blank, word)| format!("{blank}{word}"))
            .collect();
        format!("gzip_types {words}{end}\n")
    });
    let server = (
        prop::collection::vec(directive.clone(), 0..3),
        prop_oneof![12 => Just("}"), 1 => Just(""), 1 => Just("}}")],
    )
        .prop_map(|(inside, end)| format!("server {{\n{}{end}\n", inside.concat()));
    let pieces =
        prop_oneof![3 => directive, 1 => server, 1 => Just("# 日本語 { ; \"\n".to_owned())];
    prop::collection::vec(pieces, 1..4).prop_map(|pieces| wrapped(&pieces.concat()))
}
