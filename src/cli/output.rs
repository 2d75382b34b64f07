//! Standard output and standard error. A closed pipe never stops a run.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;

use super::json::Document;
use super::options::Color;

pub(super) struct Output {
    out: AutoStream<io::Stdout>,
    err: AutoStream<io::Stderr>,
    terminal: bool,
    /// The first error of writing.
    lost: Option<io::Error>,
    /// Whether nobody reads any more.
    closed: bool,
}

impl Output {
    pub(super) fn new(color: Color) -> Self {
        let choice = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self {
            out: AutoStream::new(io::stdout(), choice),
            err: AutoStream::new(io::stderr(), choice),
            terminal: io::stdout().is_terminal(),
            lost: None,
            closed: false,
        }
    }

    /// Whether everything was written to standard output. A closed pipe is no error: the reader has what it wanted.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        self.keep(flushed);
        self.lost.take().map_or(Ok(()), Err)
    }

    fn keep(&mut self, written: io::Result<()>) {
        let lost = written.err();
        self.closed |= lost.is_some();
        let lost = lost.filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
        self.lost = self.lost.take().or(lost);
    }

    /// Has what was written read now.
    pub(super) fn flush(&mut self) {
        let flushed = self.out.flush();
        self.keep(flushed);
    }

    /// Whether nobody reads any more what is written.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether standard output is a terminal.
    pub(super) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Columns of the terminal, if there is one.
    pub(super) fn width(&self) -> Option<usize> {
        let (width, _) = terminal_size::terminal_size_of(io::stdout())?;
        Some(usize::from(width.0))
    }

    /// A line on standard output. A closed pipe does not stop a change half-way.
    pub(super) fn line(&mut self, text: &str) {
        let written = writeln!(self.out, "{text}");
        self.keep(written);
    }

    /// Text without a line end, shown at once.
    pub(super) fn part(&mut self, text: &str) {
        let _ = write!(self.out, "{text}");
        let _ = self.out.flush();
    }

    /// A line on standard error.
    pub(super) fn aside(&mut self, text: &str) {
        let _ = writeln!(self.err, "{text}");
    }

    /// A question on standard error, without a line end.
    pub(super) fn ask(&mut self, text: &str) {
        let _ = write!(self.err, "{text}");
        let _ = self.err.flush();
    }

    pub(super) fn json(&mut self, value: &impl Document) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.line(&escaped(&text)),
            Err(error) => self.aside(&format!("error: no JSON: {error}")),
        }
    }
}

pub(super) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Text from the repository or the host, made safe for a terminal: control characters and changes of
/// direction are shown, not executed.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    let unsafe_char = |c: char| is_unsafe(c) && c != '\t';
    if !text.contains(unsafe_char) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len());
    for c in text.chars() {
        match unsafe_char(c) {
            true => cleaned.extend(c.escape_default()),
            false => cleaned.push(c),
        }
    }
    Cow::Owned(cleaned)
}

/// Whether a terminal would execute `c` instead of showing it.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// JSON in which such characters are escaped too. They only occur within strings: between them the
/// serializer writes line ends only.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match is_unsafe(c) && c != '\n' {
            true => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            false => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(clean("a\u{1b}[31mb\tc"), "a\\u{1b}[31mb\tc");
        assert_eq!(clean("x\u{202e}y"), "x\\u{202e}y");
        assert_eq!(clean("日本語"), "日本語");
    }
}
