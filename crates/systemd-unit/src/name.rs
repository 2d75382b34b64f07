//! Unit names, systemd.unit(5).

use std::fmt;

use source_text::word_list;

/// Suffixes of the unit types that a file can define.
pub const TYPES: [&str; 11] =
    word_list("service socket timer target path mount automount slice swap device scope");

/// A valid unit name, in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    full: String,
    at: Option<usize>,
    dot: usize,
}

impl Name {
    /// Reads a name; the error says in words what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((stem, suffix)) = text.rsplit_once('.') else {
            return Err(format!("{text:?} has no type; the types are {}", types()));
        };
        if !TYPES.contains(&suffix) {
            return Err(format!(
                "its type .{suffix} is unknown; the types are {}",
                types()
            ));
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
        if let Some(wrong) = stem.chars().find(|c| !allowed(*c)) {
            return Err(format!(
                "its name has {wrong:?}; only letters, digits and :-_.\\@ are allowed"
            ));
        }
        if stem.is_empty() || stem.starts_with('@') {
            return Err("it has a type and no name".into());
        }
        if text.len() > 255 {
            return Err("its name has more than 255 characters".into());
        }
        Ok(Self {
            full: text.into(),
            at: stem.find('@'),
            dot: stem.len(),
        })
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.full
    }

    /// The type, such as `service`.
    pub fn suffix(&self) -> &str {
        self.full.get(self.dot + 1..).unwrap_or_default()
    }

    /// The name without its type: specifier `%N`.
    pub fn stem(&self) -> &str {
        self.full.get(..self.dot).unwrap_or_default()
    }

    /// What is before `@`: specifier `%p`.
    pub fn prefix(&self) -> &str {
        self.full
            .get(..self.at.unwrap_or(self.dot))
            .unwrap_or_default()
    }

    /// What is after `@`: specifier `%i`; empty for a template.
    pub fn instance(&self) -> Option<&str> {
        let at = self.at?;
        self.full.get(at + 1..self.dot)
    }

    /// Whether it is a template, such as `worker@.service`.
    pub fn is_template(&self) -> bool {
        self.instance() == Some("")
    }

    /// The template of an instance.
    pub fn template(&self) -> Option<String> {
        match self.instance() {
            Some("") | None => None,
            Some(_) => Some(format!("{}@.{}", self.prefix(), self.suffix())),
        }
    }

    /// The instance of this template with that name.
    pub(crate) fn with_instance(&self, instance: &str) -> String {
        format!("{}@{instance}.{}", self.prefix(), self.suffix())
    }

    /// Resolves specifiers, systemd.unit(5). `None` when one is used whose value depends on
    /// the host or, in a template, on the instance.
    pub fn expand(&self, text: &str) -> Option<String> {
        let mut expanded = String::with_capacity(text.len());
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                expanded.push(c);
                continue;
            }
            match chars.next() {
                Some('%') => expanded.push('%'),
                Some('n') => expanded.push_str(&self.full),
                Some('N') => expanded.push_str(self.stem()),
                Some('p') => expanded.push_str(self.prefix()),
                Some('P') => expanded.push_str(&unescape(self.prefix())),
                Some('i' | 'I') if self.is_template() => return None,
                Some('i') => expanded.push_str(self.instance().unwrap_or_default()),
                Some('I') => expanded.push_str(&unescape(self.instance().unwrap_or_default())),
                Some('j') => expanded.push_str(last_part(self.prefix())),
                Some('J') => expanded.push_str(&unescape(last_part(self.prefix()))),
                Some('h') => expanded.push_str("/root"),
                Some('t') => expanded.push_str("/run"),
                Some('S') => expanded.push_str("/var/lib"),
                Some('C') => expanded.push_str("/var/cache"),
                Some('L') => expanded.push_str("/var/log"),
                Some('E') => expanded.push_str("/etc"),
                _ => return None,
            }
        }
        Some(expanded)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full)
    }
}

/// All types, for a message.
pub fn types() -> String {
    TYPES.join(", ")
}

fn last_part(prefix: &str) -> &str {
    prefix.rsplit('-').next().unwrap_or(prefix)
}

/// The reverse of systemd-escape(1).
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = match rest {
            [b'\\', b'x', high, low, ..] => std::str::from_utf8(&[*high, *low])
                .ok()
                .and_then(|digits| u8::from_str_radix(digits, 16).ok()),
            _ => None,
        };
        match code {
            Some(code) => {
                bytes.push(code);
                rest = rest.get(4..).unwrap_or_default();
            }
            None => {
                bytes.push(if *first == b'-' { b'/' } else { *first });
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_parts() {
        let name = Name::parse("a-b@c.d.service").unwrap();
        assert_eq!(
            (name.prefix(), name.instance(), name.suffix()),
            ("a-b", Some("c.d"), "service")
        );
        assert_eq!(name.template().as_deref(), Some("a-b@.service"));
        assert!(Name::parse("a@.timer").unwrap().is_template());
        assert_eq!(
            Name::parse("a@.timer").unwrap().with_instance("x"),
            "a@x.timer"
        );
        assert_eq!(Name::parse("a.timer").unwrap().instance(), None);
    }

    #[test]
    fn bad_names_are_explained() {
        for (name, expected) in [
            ("a", "has no type"),
            (
                "a.conf",
                "its type .conf is unknown; the types are service, ",
            ),
            ("a b.service", "its name has ' '"),
            ("../a.service", "its name has '/'"),
            (".service", "it has a type and no name"),
            ("@x.service", "it has a type and no name"),
        ] {
            let error = Name::parse(name).unwrap_err();
            assert!(error.contains(expected), "{name}: {error}");
        }
    }

    #[test]
    fn specifiers_are_resolved() {
        let name = Name::parse("a-b@c-d\\x2de.service").unwrap();
        for (text, expected) in [
            ("%n %N", Some("a-b@c-d\\x2de.service a-b@c-d\\x2de")),
            ("%p %j %i %I", Some("a-b b c-d\\x2de c/d-e")),
            ("100%%", Some("100%")),
            ("%H", None),
            ("%", None),
        ] {
            assert_eq!(name.expand(text).as_deref(), expected, "{text}");
        }
        assert_eq!(Name::parse("a@.service").unwrap().expand("x%i"), None);
    }
}
