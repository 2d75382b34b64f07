//! Texts with variables, as far as they are known before a request comes.

use std::fmt;

use super::run::Run;
use super::uri::{Escape, escape};
use super::way::Stop;

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'t> {
    /// As it is written.
    Literal(&'t str),
    /// `$1` to `$9`
    Group(usize),
    /// `$name` or `${name}`.
    Variable(&'t str),
}

impl fmt::Display for Piece<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => f.write_str(text),
            Self::Group(number) => write!(f, "${number}"),
            Self::Variable(name) => write!(f, "${name}"),
        }
    }
}

/// The parts of a text, `ngx_http_script_compile` in src/http/ngx_http_script.c.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (literal, behind) = (
            rest.get(..at).unwrap_or_default(),
            rest.get(at + 1..).unwrap_or_default(),
        );
        if !literal.is_empty() {
            out.push(Piece::Literal(literal));
        }
        let word = |text: &str| {
            text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(text.len())
        };
        let group = behind
            .bytes()
            .next()
            .filter(|byte| (b'1'..=b'9').contains(byte));
        rest = if let Some(digit) = group {
            out.push(Piece::Group(usize::from(digit - b'0')));
            behind.get(1..).unwrap_or_default()
        } else if let Some(inside) = behind.strip_prefix('{') {
            let end = word(inside);
            out.push(Piece::Variable(inside.get(..end).unwrap_or_default()));
            inside.get(end + 1..).unwrap_or_default()
        } else {
            let end = word(behind);
            out.push(Piece::Variable(behind.get(..end).unwrap_or_default()));
            behind.get(end..).unwrap_or_default()
        };
    }
    if !rest.is_empty() {
        out.push(Piece::Literal(rest));
    }
    out
}

/// The names of the variables in a text; an empty one for a `$` that begins none.
pub fn variables(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Variable(name) => Some(name),
        _ => None,
    })
}

/// Whether a text has a variable or a group.
pub(super) fn varies(text: &str) -> bool {
    text.contains('$')
}

/// Maps of maps: bounds what refers to itself.
const MAX_MAPS: usize = 8;

/// Bytes of a value: a request line that nginx takes has 8 KiB, and texts that repeat a group grow without end.
pub(super) const MAX_VALUE: usize = 64 * 1024;

impl<'a> Run<'_, 'a> {
    /// A text's value.
    pub(super) fn value(&mut self, text: &'a str) -> Result<Vec<u8>, Stop> {
        self.value_with(text, false)
    }

    /// A text's value; `quote` escapes groups where the request's path had an escape.
    pub(super) fn value_with(&mut self, text: &'a str, quote: bool) -> Result<Vec<u8>, Stop> {
        let mut out = Vec::with_capacity(text.len());
        for piece in pieces(text) {
            self.append(piece, quote, &mut out)?;
        }
        Ok(out)
    }

    pub(super) fn append(
        &mut self,
        piece: Piece<'a>,
        quote: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        match piece {
            Piece::Literal(text) => out.extend_from_slice(text.as_bytes()),
            Piece::Group(number) => {
                let text = self.captures.group(number);
                match quote && (self.quoted || self.plus) {
                    true => out.extend(escape(text, Escape::Args)),
                    false => out.extend_from_slice(text),
                }
            }
            Piece::Variable(name) => out.extend(self.variable(name)?),
        }
        self.bounded(out.len())
    }

    /// Ends the way where a value is too long to be followed.
    pub(super) fn bounded(&mut self, length: usize) -> Result<(), Stop> {
        if length <= MAX_VALUE {
            return Ok(());
        }
        let what = format!("a value of more than {} KiB", MAX_VALUE / 1024);
        self.step(None, format!("{what} is not followed"));
        Err(Stop::Unknown(format!("what comes of {what}")))
    }

    /// A variable's value, <https://nginx.org/en/docs/http/ngx_http_core_module.html#variables>, for a plain GET.
    pub(super) fn variable(&mut self, name: &'a str) -> Result<Vec<u8>, Stop> {
        if let Some(known) = self.vars.get(name) {
            return Ok(known.clone());
        }
        if let Some(why) = self.unknown.get(name) {
            return Err(Stop::Unknown(why.clone()));
        }
        let text = |text: &str| Ok(text.as_bytes().to_vec());
        match name {
            "uri" | "document_uri" => return Ok(self.uri.clone()),
            "request_uri" => return Ok(self.unparsed.clone()),
            "args" | "query_string" => return Ok(self.args.clone()),
            "is_args" => return text(if self.args.is_empty() { "" } else { "?" }),
            "host" => return text(&self.request.host),
            "http_host" => return text(&self.request.authority),
            "scheme" => return text(if self.request.https { "https" } else { "http" }),
            "https" => return text(if self.request.https { "on" } else { "" }),
            "server_port" => return text(&self.request.port.to_string()),
            "request_method" => return text("GET"),
            "server_name" => {
                let first = self.server.each_name().next().unwrap_or_default();
                if first.starts_with('~') {
                    return text(first);
                }
                if first != "$hostname" {
                    return text(&first.strip_prefix('.').unwrap_or(first).to_lowercase());
                }
            }
            _ => {}
        }
        if let Some(argument) = name.strip_prefix("arg_") {
            return Ok(self.argument(argument));
        }
        if self.config.maps.contains_key(name) {
            return self.mapped(name);
        }
        match self.config.declared.contains(name) {
            // Declared, and set nowhere on the way.
            true => Ok(Vec::new()),
            false => Err(Stop::Unknown(format!("what ${name} will be"))),
        }
    }

    /// `$arg_name`, `ngx_http_arg` in src/http/ngx_http_parse.c.
    fn argument(&self, name: &str) -> Vec<u8> {
        let mut parameters = self.args.split(|byte| *byte == b'&');
        let value = parameters.find_map(|parameter| {
            let (key, value) = parameter.split_at_checked(name.len())?;
            let value = value.strip_prefix(b"=")?;
            key.eq_ignore_ascii_case(name.as_bytes()).then_some(value)
        });
        value.unwrap_or_default().to_vec()
    }

    /// A variable that `map` makes, <https://nginx.org/en/docs/http/ngx_http_map_module.html>.
    fn mapped(&mut self, name: &'a str) -> Result<Vec<u8>, Stop> {
        let unknown = |what: &str| Stop::Unknown(format!("what {what} ${name} gives"));
        let config = self.config;
        let Some((map, entries)) = config.maps.get(name) else {
            return Err(unknown("the map of"));
        };
        self.maps += 1;
        if self.maps > MAX_MAPS {
            return Err(unknown("the chain of maps of"));
        }
        if entries
            .iter()
            .any(|entry| ["hostnames", "include", "volatile"].contains(&entry.name()))
        {
            return Err(unknown("the map of"));
        }
        self.work.spend(entries.len())?;
        let source = self.value(map.word(0))?;
        let plain = entries.iter().find(|entry| {
            let key = entry.name();
            let key = key.strip_prefix('\\').unwrap_or(key);
            entry.name() != "default"
                && !key.starts_with('~')
                && key.as_bytes().eq_ignore_ascii_case(&source)
        });
        let mut chosen = plain;
        if chosen.is_none() {
            for entry in entries {
                let Some(regex) = entry.name().strip_prefix('~') else {
                    continue;
                };
                let (regex, caseless) = match regex.strip_prefix('*') {
                    Some(regex) => (regex, true),
                    None => (regex, false),
                };
                if let Some(captures) = self.matches(regex, caseless, &source)? {
                    self.captured(captures);
                    chosen = Some(entry);
                    break;
                }
            }
        }
        let chosen = chosen.or_else(|| entries.iter().find(|entry| entry.name() == "default"));
        let value = match chosen {
            Some(entry) => self.value(entry.word(0))?,
            None => Vec::new(),
        };
        self.maps = self.maps.saturating_sub(1);
        self.vars.insert(name, value.clone());
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_in_pieces() {
        use Piece::{Group, Literal, Variable};
        for (text, expected) in [
            ("/a", vec![Literal("/a")]),
            ("/$1x", vec![Literal("/"), Group(1), Literal("x")]),
            (
                "$uri$is_args$args",
                vec![Variable("uri"), Variable("is_args"), Variable("args")],
            ),
            ("a${b}c", vec![Literal("a"), Variable("b"), Literal("c")]),
            (
                "http://$host/é",
                vec![Literal("http://"), Variable("host"), Literal("/é")],
            ),
            ("$", vec![Variable("")]),
        ] {
            assert_eq!(pieces(text), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "[$a{}1é]{0,8}") {
            let _ = pieces(&text);
        }
    }
}
