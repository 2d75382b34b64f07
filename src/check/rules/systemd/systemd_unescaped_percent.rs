//! `%` in command lines: systemd resolves it, "Specifiers" in systemd.unit(5).

use std::ops::Range;

use crate::check::rules::systemd::prelude::*;

pub(crate) static RULE: Rule = rule!(systemd_unescaped_percent, Error, run);

/// What has no meaning behind a `%`: systemd leaves out the whole line. `%` before another character is
/// a plain one.
const NOTHING: &str = "ekxzFKOQXZ0123456789";

fn run(context: &Context, findings: &mut Findings) {
    for line in context.units().all.iter().flat_map(|unit| &unit.lines) {
        let value = &line.value;
        let Some((part, is_known)) = percent(&value.text) else {
            continue;
        };
        let written = value.text.get(part.clone()).unwrap_or_default();
        let message = match is_known {
            true => format!("systemd replaces {written} with a value of its own"),
            false => format!(
                "systemd does not know {written}, and ignores all of {}",
                value.key
            ),
        };
        let place = value.complain_about(part, message, "resolved by systemd");
        let help = format!("write %{written} for a plain {written}");
        findings.push(RULE.at(place.helped(help)));
    }
}

/// A `%` and its letter that systemd does not know, or that `date` was to read; whether systemd knows it.
fn percent(text: &str) -> Option<(Range<usize>, bool)> {
    let mut chars = text.char_indices();
    let mut of_date = None;
    while let Some((at, c)) = chars.next() {
        if c != '%' {
            continue;
        }
        let Some((_, letter)) = chars.next() else {
            break;
        };
        let part = at..at + 1 + letter.len_utf8();
        if NOTHING.contains(letter) {
            return Some((part, false));
        }
        let before = text.get(..at).unwrap_or_default();
        let before = before.trim_end_matches(['"', '\'']);
        let is_format = before.strip_suffix('+').is_some_and(|before| {
            let words = before.trim_end_matches(['"', '\'']).trim_end();
            words.len() < before.len() && ends_in_date(words)
        });
        if is_format && letter.is_ascii_alphabetic() {
            of_date.get_or_insert((part, true));
        }
    }
    of_date
}

/// Whether the last word is `date`, perhaps with options such as `-u`.
fn ends_in_date(text: &str) -> bool {
    let mut words = text.rsplit([' ', '\t', '(', '`', ';', '&', '|', '\'', '"']);
    let word = words.find(|word| !word.starts_with('-'));
    word.is_some_and(|word| word == "date" || word.ends_with("/date"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifiers_are_told_from_formats() {
        for (text, expected) in [
            (
                "/bin/sh -c 'tar cf /srv/$(date +%Y-%m-%d).tar /srv/a'",
                Some("%Y"),
            ),
            ("/bin/date \"+%H\"", Some("%H")),
            ("/bin/sh -c \"date -u +'%F'\"", Some("%F")),
            ("/usr/bin/curl -w %{http_code} -o /x%F", Some("%F")),
            ("/bin/printf %0d", Some("%0")),
            ("/bin/sh -c 'date +%%Y%%m%%d'", None),
            ("/bin/a %i %H %n %h/b %t 100% 50% c", None),
            ("/usr/bin/curl -w %{http_code}", None),
            ("/bin/a --update +%i", None),
            ("/bin/a 100%", None),
        ] {
            let found = percent(text).map(|(part, _)| &text[part]);
            assert_eq!(found, expected, "{text}");
        }
    }
}
