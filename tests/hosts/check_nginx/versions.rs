//! The table of what only some versions know, compared with the nginx of the host.

use super::{Host, tested};

const TABLE: &str = include_str!("../../../crates/nginx-conf/src/tables/versions.txt");

fn numbers(version: &str) -> Vec<u32> {
    version
        .split('.')
        .map(|number| number.parse().unwrap())
        .collect()
}

#[test]
fn a_version_knows_what_the_table_says() {
    let host = Host::boot();
    let installed = host.sh("nginx -v 2>&1 | sed 's|.*/||; s| .*||'");
    let installed = numbers(installed.trim());
    let mut cases: Vec<(&str, bool, String)> = Vec::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        let (name, since, until) = (words[1], words[3], words[4]);
        let known = (since == "-" || installed >= numbers(since))
            && (until == "-" || installed < numbers(until));
        let text = match (words[0], words[2], name.strip_prefix('$')) {
            ("http", "-", Some(variable)) => {
                let variable = variable.replace('*', "alpn");
                format!(
                    "events {{ }} http {{ log_format a '${variable}'; access_log /dev/null a; }}\n"
                )
            }
            ("http", "-", None) => format!("events {{ }} http {{ {name} x; }}\n"),
            ("main", "-", None) => format!("{name} x; events {{ }} http {{ }}\n"),
            _ => continue,
        };
        cases.push((line, known, text));
    }
    let texts: Vec<String> = cases.iter().map(|(.., text)| text.clone()).collect();
    let (mut known, mut unknown) = (0, 0);
    for ((line, expected, _), said) in cases.iter().zip(tested(&host, &texts)) {
        let is_unknown = said.contains("unknown directive") || said.contains("unknown \"");
        match expected {
            // What belongs to a module that this nginx lacks is unknown, too.
            true => known += usize::from(!is_unknown),
            false => {
                assert!(is_unknown, "{line}: {said}");
                unknown += 1;
            }
        }
    }
    println!("known to nginx {installed:?} and not: {known} {unknown}");
    assert!(known > 8 && unknown > 20, "{known} {unknown}");
}
