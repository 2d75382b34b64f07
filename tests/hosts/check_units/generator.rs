//! Units as a tired person might leave them.

use std::fmt::Write;

const KEYS: &str = include_str!("../../../crates/systemd-unit/src/tables/keys.txt");

/// The same numbers on each run.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("a small number")
    }

    pub(super) fn of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }
}

pub(super) const TYPES: [&str; 9] = [
    "service",
    "socket",
    "timer",
    "target",
    "path",
    "mount",
    "automount",
    "slice",
    "swap",
];
const SECTIONS: [&str; 16] = [
    "Unit",
    "Install",
    "Service",
    "Socket",
    "Timer",
    "Target",
    "Path",
    "Mount",
    "Slice",
    "Swap",
    "unit",
    "Services",
    "X-Mine",
    "Unit ",
    "ユニット",
    "",
];

/// A key, most of them of that section, some misspelt.
fn key(chance: &mut Chance, section: &str) -> String {
    let of_section = |section: &str| -> Vec<&'static str> {
        let text = KEYS
            .split_once(&format!("[{section}]\n"))
            .map_or("", |(_, behind)| behind);
        let lines = text.lines().take_while(|line| !line.starts_with('['));
        lines
            .filter_map(|line| Some(line.split_once('=')?.0))
            .collect()
    };
    let other = chance.of(&SECTIONS[..9]);
    let from = if chance.below(4) == 0 { other } else { section };
    let mut known = of_section(from);
    known.push("Description");
    let key = chance.of(&known);
    let at = chance.below(key.len());
    match chance.below(12) {
        0 => key.to_lowercase(),
        1 => format!("{}{}", &key[..at], &key[at + 1..]),
        2 => format!("{}x{}", &key[..at], &key[at..]),
        3 => format!("X-{key}"),
        4 => format!("\u{3000}{key}"),
        5 => format!("{key} {key}"),
        _ => key.to_owned(),
    }
}

/// A unit as a tired person might leave it.
pub(super) fn unit(chance: &mut Chance, kind: &str) -> String {
    let mut text = String::new();
    // A comment behind such a mark is none for systemd; it is left alone all the same.
    if chance.below(8) == 0 {
        text.push_str("\u{feff}[Unit]\n");
    }
    let mut section = "";
    for _ in 0..4 + chance.below(10) {
        let indent = chance.of(&["", "", "", " ", "\t"]);
        text.push_str(indent);
        match chance.below(16) {
            0..=2 => {
                section = match chance.below(3) {
                    0 => chance.of(&SECTIONS),
                    1 => "Unit",
                    _ => SECTIONS
                        .iter()
                        .find(|section| section.to_lowercase() == kind)
                        .unwrap_or(&"Install"),
                };
                let _ = writeln!(text, "[{section}]{indent}");
            }
            3 => text.push_str("# a comment = [x]\n"),
            4 => text.push_str("; another \\\n"),
            5 => text.push('\n'),
            6 => text.push_str(chance.of(&[
                "stray\n",
                "sudo systemctl restart x\n",
                "メモ\n",
                "] x\n",
                "\u{3000}\n",
            ])),
            7 => text.push_str(chance.of(&[
                "=\n",
                " = x\n",
                "stray \\\n# inside\n  more\n",
                "x \\\n\n",
                "y\\\\\n",
            ])),
            _ => {
                let key = key(chance, section);
                // For some, no value is so wrong that systemd reads no further.
                let is_truth = KEYS.contains(&format!("\n{key}=BOOLEAN\n"));
                let value = if is_truth { "yes" } else { "" };
                let blank = chance.of(&["", " ", "\t"]);
                let end = chance.of(&["", "", "", "\\\n# inside\n; too\n\t"]);
                let _ = writeln!(text, "{key}{blank}={blank}{value}{end}");
            }
        }
    }
    if chance.below(10) == 0 {
        text.push_str("[Open\nRestart always\n");
    }
    match chance.below(6) {
        0 => text.replace('\n', "\r\n"),
        1 => text.trim_end().to_owned(),
        _ => text,
    }
}
