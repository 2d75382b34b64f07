//! The directives of the rewrite module, in the order in which they stand:
//! src/http/modules/ngx_http_rewrite_module.c, src/http/ngx_http_script.c.

use super::block::Block;
use super::regex::Captures;
use super::run::{Run, shown};
use super::uri::unescape_redirect;
use super::values::{Piece, pieces};
use super::way::{Conf, End, Stop};
use crate::files::Located;

/// How a script goes on.
enum Go<'a> {
    On,
    /// `last`, `break`: no more of it.
    Enough,
    End(End<'a>),
}

/// What a script remembers from one directive to the next.
struct Engine {
    /// Whether groups are escaped where the path had an escape.
    quote: bool,
    /// Whether a `?` was written: nginx 1.22 never forgets it.
    in_args: bool,
    at_server: bool,
}

impl<'a> Run<'_, 'a> {
    /// Runs the rewrite directives of a block. `None`: the request goes on.
    pub(super) fn script(
        &mut self,
        block: &Block<'a>,
        at_server: bool,
    ) -> Result<Option<End<'a>>, Stop> {
        let mut engine = Engine {
            quote: true,
            in_args: false,
            at_server,
        };
        match self.run_block(block, &mut engine)? {
            Go::On | Go::Enough => Ok(None),
            Go::End(end) => Ok(Some(end)),
        }
    }

    fn run_block(&mut self, block: &Block<'a>, engine: &mut Engine) -> Result<Go<'a>, Stop> {
        for place in block.script() {
            self.work.spend(1)?;
            let go = match place.name() {
                "rewrite" => self.rewrite(*place, engine)?,
                "return" => Go::End(self.return_(*place)?),
                "set" => self.set(*place, engine)?,
                "break" => self.break_(*place),
                "if" => self.if_(*place, engine)?,
                _ => Go::On,
            };
            if !matches!(go, Go::On) {
                return Ok(go);
            }
        }
        Ok(Go::On)
    }

    fn rewrite(&mut self, place: Located<'a>, engine: &mut Engine) -> Result<Go<'a>, Stop> {
        let uri = self.uri.clone();
        let Some(captures) = self.matches(place.word(0), false, &uri)? else {
            self.captures = Captures::default();
            self.step(Some(place), format!("does not match {}", shown(&uri)));
            return Ok(Go::On);
        };
        self.captured(captures);
        let written = place.word(1);
        let (text, keeps_args) = match written.strip_suffix('?') {
            Some(text) => (text, false),
            None => (written, true),
        };
        let absolute = ["http://", "https://", "$scheme"]
            .iter()
            .any(|start| text.starts_with(start));
        let status = match place.word(2) {
            "permanent" => Some(301),
            "redirect" => Some(302),
            _ if absolute => Some(302),
            _ => None,
        };
        self.internal = true;
        self.valid_unparsed = false;
        let breaks = place.word(2) == "break";
        self.uri_changed = !breaks;
        self.valid_location &= !breaks;
        engine.quote = status.is_some();
        if let Some(status) = status {
            let to = self.redirect(text, keeps_args, engine)?;
            self.step(
                Some(place),
                format!("matches {}: redirected to {}", shown(&uri), shown(&to)),
            );
            return Ok(Go::End(End::Redirect { status, to }));
        }
        let replaced = self.replace(text, keeps_args, engine);
        engine.quote = false;
        replaced?;
        if self.uri.is_empty() {
            self.step(Some(place), "leaves no path".to_owned());
            return Ok(Go::End(End::Status(500)));
        }
        self.step(
            Some(place),
            format!("matches {}: rewritten to {}", shown(&uri), self.target()),
        );
        match breaks || place.word(2) == "last" {
            true => Ok(Go::Enough),
            false => Ok(Go::On),
        }
    }

    /// Path and query as they are now.
    fn target(&self) -> String {
        match self.args.is_empty() {
            true => shown(&self.uri),
            false => format!("{}?{}", shown(&self.uri), shown(&self.args)),
        }
    }

    fn redirect(
        &mut self,
        text: &'a str,
        keeps_args: bool,
        engine: &Engine,
    ) -> Result<Vec<u8>, Stop> {
        let value = self.value_with(text, engine.quote || engine.in_args)?;
        let mut to = unescape_redirect(&value);
        if keeps_args && !self.args.is_empty() {
            let literal =
                |piece: &Piece| matches!(piece, Piece::Literal(text) if text.contains('?'));
            to.push(if pieces(text).iter().any(literal) {
                b'&'
            } else {
                b'?'
            });
            to.extend_from_slice(&self.args);
        }
        Ok(to)
    }

    fn replace(
        &mut self,
        text: &'a str,
        keeps_args: bool,
        engine: &mut Engine,
    ) -> Result<(), Stop> {
        let mut path = Vec::new();
        let mut args: Option<Vec<u8>> = None;
        for piece in pieces(text) {
            let piece = match (piece, &args) {
                (Piece::Literal(text), None) => match text.split_once('?') {
                    Some((before, behind)) => {
                        path.extend_from_slice(before.as_bytes());
                        engine.in_args = true;
                        args = Some(Vec::new());
                        Piece::Literal(behind)
                    }
                    None => piece,
                },
                _ => piece,
            };
            let quote = engine.quote || engine.in_args;
            self.append(piece, quote, args.as_mut().unwrap_or(&mut path))?;
        }
        match args {
            Some(mut args) => {
                if keeps_args && !self.args.is_empty() {
                    args.push(b'&');
                    args.extend_from_slice(&self.args);
                    self.bounded(args.len())?;
                }
                self.args = args;
            }
            None if !keeps_args => self.args.clear(),
            None => {}
        }
        self.uri = path;
        Ok(())
    }

    fn return_(&mut self, place: Located<'a>) -> Result<End<'a>, Stop> {
        let (status, text) = match place.word(0).parse::<u16>() {
            Ok(status) => (status, place.word(1)),
            Err(_) => (302, place.word(0)),
        };
        let value = self.value(text)?;
        self.step(Some(place), "answers".to_owned());
        Ok(match status {
            301 | 302 | 303 | 307 | 308 => End::Redirect { status, to: value },
            _ if status >= 400 && text.is_empty() => End::Status(status),
            _ => End::Sent {
                status,
                text: value,
            },
        })
    }

    fn set(&mut self, place: Located<'a>, engine: &Engine) -> Result<Go<'a>, Stop> {
        let Some(name) = place.word(0).strip_prefix('$') else {
            return Ok(Go::On);
        };
        match self.value_with(place.word(1), engine.quote || engine.in_args) {
            Ok(value) if name == "args" => self.args = value,
            Ok(value) => {
                self.unknown.remove(name);
                self.vars.insert(name, value);
            }
            // It may be used for a header only.
            Err(Stop::Unknown(why)) => {
                self.vars.remove(name);
                self.unknown.insert(name, why);
            }
        }
        Ok(Go::On)
    }

    fn break_(&mut self, place: Located<'a>) -> Go<'a> {
        if self.uri_changed {
            self.valid_location = false;
            self.uri_changed = false;
        }
        self.step(Some(place), "no more rewriting here".to_owned());
        Go::Enough
    }

    fn if_(&mut self, place: Located<'a>, engine: &mut Engine) -> Result<Go<'a>, Stop> {
        let words = condition(place);
        let written = words.join(" ");
        let holds = match self.holds(&words, engine.quote || engine.in_args) {
            Ok(Some(holds)) => {
                let text = if holds { "is true" } else { "is false" };
                self.step(Some(place), text.to_owned());
                holds
            }
            Ok(None) => {
                let holds = self.ask(format!("whether if ({written}) is true"));
                let text = if holds {
                    "may be true; taken as true"
                } else {
                    "may be true; taken as false"
                };
                self.step(Some(place), text.to_owned());
                holds
            }
            Err(stop) => return Err(stop),
        };
        if !holds {
            return Ok(Go::On);
        }
        let block = self.config.inner.block(self.files, place);
        if !engine.at_server {
            // The last one that is true is in force, around which only the location is.
            self.confs.retain(|conf| !conf.is_if);
            self.confs.push(Conf {
                block: block.clone(),
                is_if: true,
            });
        }
        self.run_block(&block, engine)
    }

    /// Whether a condition is true; `None` where only the request or the host tells.
    fn holds(&mut self, words: &[&'a str], quote: bool) -> Result<Option<bool>, Stop> {
        let known = |value: Result<Vec<u8>, Stop>| value.ok();
        match words {
            [file, ..] if file.starts_with('-') || file.starts_with("!-") => Ok(None),
            [variable] => {
                let value = known(self.value(variable));
                Ok(value.map(|value| !value.is_empty() && value != b"0"))
            }
            [variable, mark @ ("=" | "!="), other] => {
                let (one, other) = (
                    known(self.value(variable)),
                    known(self.value_with(other, quote)),
                );
                let same = one.and_then(|one| Some(one == other?));
                Ok(same.map(|same| same == (*mark == "=")))
            }
            [variable, mark @ ("~" | "~*" | "!~" | "!~*"), regex] => {
                let Some(value) = known(self.value(variable)) else {
                    self.captures = Captures::default();
                    return Ok(None);
                };
                let found = self.matches(regex, mark.ends_with('*'), &value)?;
                let fits = found.is_some();
                self.captured(found.unwrap_or_default());
                Ok(Some(fits != mark.starts_with('!')))
            }
            _ => Ok(None),
        }
    }
}

/// The words of an `if` without its parentheses.
pub fn condition(place: Located<'_>) -> Vec<&str> {
    let mut words: Vec<&str> = place.words().collect();
    if let Some(first) = words.first_mut() {
        *first = first.strip_prefix('(').unwrap_or(first);
    }
    if words.first().is_some_and(|first| first.is_empty()) {
        words.remove(0);
    }
    match words.last_mut() {
        Some(last) if *last == ")" => {
            words.pop();
        }
        Some(last) => *last = last.strip_suffix(')').unwrap_or(last),
        None => {}
    }
    words
}
