//! URIs: how nginx reads, escapes and unescapes them.

/// The target of a request as nginx has it after reading, `ngx_http_parse_complex_uri` in src/http/ngx_http_parse.c.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Uri {
    /// The path: decoded, slashes merged, `.` and `..` resolved.
    pub path: Vec<u8>,
    /// What is after the `?`.
    pub args: Vec<u8>,
    /// Whether the path had an escape.
    pub quoted: bool,
    /// Whether the path had a `+`, escaped or not.
    pub plus: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Usual,
    Slash,
    Dot,
    DotDot,
}

impl Uri {
    /// Reads a request's target. `None`: nginx answers 400.
    pub(super) fn read(target: &[u8], merge_slashes: bool) -> Option<Self> {
        let target = target.split(|byte| *byte == b'#').next()?;
        let (path, args) = match target.iter().position(|byte| *byte == b'?') {
            Some(at) => (target.get(..at)?, target.get(at + 1..)?),
            None => (target, &[][..]),
        };
        let mut uri = Self {
            args: args.to_vec(),
            ..Self::default()
        };
        uri.read_path(path, merge_slashes)?;
        Some(uri)
    }

    fn read_path(&mut self, path: &[u8], merge_slashes: bool) -> Option<()> {
        let mut at = At::Usual;
        let mut rest = path.iter().copied();
        while let Some(byte) = rest.next() {
            let byte = match byte {
                b'%' => {
                    self.quoted = true;
                    let (high, low) = (hex(rest.next()?)?, hex(rest.next()?)?);
                    let decoded = high << 4 | low;
                    if decoded == 0 {
                        return None;
                    }
                    if matches!(decoded, b'%' | b'#' | b'?') {
                        self.path.push(decoded);
                        at = At::Usual;
                        continue;
                    }
                    decoded
                }
                byte => byte,
            };
            self.plus |= byte == b'+';
            at = self.step(at, byte, merge_slashes)?;
        }
        match at {
            At::Dot => {
                self.path.pop();
            }
            At::DotDot => self.up()?,
            At::Usual | At::Slash => {}
        }
        Some(())
    }

    fn step(&mut self, at: At, byte: u8, merge_slashes: bool) -> Option<At> {
        Some(match (at, byte) {
            (At::Usual, b'/') => {
                self.path.push(b'/');
                At::Slash
            }
            (At::Slash, b'/') => {
                if !merge_slashes {
                    self.path.push(b'/');
                }
                At::Slash
            }
            (At::Slash, b'.') => {
                self.path.push(b'.');
                At::Dot
            }
            (At::Dot, b'/') => {
                self.path.pop();
                At::Slash
            }
            (At::Dot, b'.') => {
                self.path.push(b'.');
                At::DotDot
            }
            (At::DotDot, b'/') => {
                self.up()?;
                At::Slash
            }
            (_, byte) => {
                self.path.push(byte);
                At::Usual
            }
        })
    }

    /// Takes `/..` away with the part before it. `None` above the root.
    fn up(&mut self) -> Option<()> {
        let kept = self.path.len().checked_sub(3)?;
        let slash = self
            .path
            .get(..kept)?
            .iter()
            .rposition(|byte| *byte == b'/')?;
        self.path.truncate(slash + 1);
        Some(())
    }
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// What `ngx_escape_uri` escapes, by its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    /// `NGX_ESCAPE_URI`
    Uri,
    /// `NGX_ESCAPE_ARGS`
    Args,
}

/// `ngx_escape_uri` in src/core/ngx_string.c.
pub(super) fn escape(bytes: &[u8], kind: Escape) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for byte in bytes.iter().copied() {
        let special = match kind {
            Escape::Uri => b" \"#%<>?\\^`{|}".contains(&byte),
            Escape::Args => b" \"#%&+;<>?\\^`{|}".contains(&byte),
        };
        match special || !(0x20..0x7f).contains(&byte) {
            true => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
            false => out.push(byte),
        }
    }
    out
}

/// `ngx_unescape_uri` with `NGX_UNESCAPE_REDIRECT`: what a rewrite that redirects does with its text.
pub(super) fn unescape_redirect(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        match byte {
            b'?' => {
                out.push(b'?');
                break;
            }
            b'%' => {}
            byte => {
                out.push(*byte);
                continue;
            }
        }
        // An invalid escape loses its percent sign, and the second digit's place loses all three.
        let Some((first, behind)) = rest.split_first() else {
            break;
        };
        rest = behind;
        let Some(high) = hex(*first) else {
            out.push(*first);
            continue;
        };
        let Some((second, behind)) = rest.split_first() else {
            break;
        };
        rest = behind;
        let Some(low) = hex(*second) else {
            continue;
        };
        let decoded = high << 4 | low;
        if decoded == b'?' {
            out.push(b'?');
            break;
        }
        match decoded > b'%' && decoded < 0x7f {
            true => out.push(decoded),
            false => out.extend([b'%', *first, *second]),
        }
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(target: &str) -> Option<String> {
        let uri = Uri::read(target.as_bytes(), true)?;
        let flags = format!(
            "{}{}",
            if uri.quoted { " %" } else { "" },
            if uri.plus { " +" } else { "" }
        );
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Some(format!("{}|{}{flags}", text(&uri.path), text(&uri.args)))
    }

    #[test]
    fn paths_are_normalised() {
        for (target, expected) in [
            ("/a/b?c=%20/../d", Some("/a/b|c=%20/../d")),
            ("//a///b", Some("/a/b|")),
            ("/a/./b/../c/.", Some("/a/c/|")),
            ("/a/..", Some("/|")),
            ("/a/../..", None),
            ("/..", None),
            ("/a/...", Some("/a/...|")),
            ("/a/..b/.c", Some("/a/..b/.c|")),
            ("/a%2f%2Fb", Some("/a/b| %")),
            ("/a/%2e%2e/b", Some("/b| %")),
            ("/a%25%3f%23b", Some("/a%?#b| %")),
            ("/a%2bb", Some("/a+b| % +")),
            ("/a+b?c+d", Some("/a+b| +").map(|_| "/a+b|c+d +")),
            ("/a%00", None),
            ("/a%4", None),
            ("/a%zz", None),
            ("/%3f/../a", Some("/a| %")),
            ("/a#b?c", Some("/a|")),
        ] {
            assert_eq!(read(target).as_deref(), expected, "{target}");
        }
        let apart = Uri::read(b"//a//b", false).map(|uri| uri.path);
        assert_eq!(apart.as_deref(), Some(&b"//a//b"[..]));
    }

    #[test]
    fn escapes() {
        let bytes = "a b%c?d&e+f;g/é~".as_bytes();
        assert_eq!(escape(bytes, Escape::Uri), b"a%20b%25c%3Fd&e+f;g/%C3%A9~");
        assert_eq!(
            escape(bytes, Escape::Args),
            b"a%20b%25c%3Fd%26e%2Bf%3Bg/%C3%A9~"
        );
        assert_eq!(unescape_redirect(b"/a%26b%20c%3fd%26"), b"/a&b%20c?d%26");
        assert_eq!(unescape_redirect(b"/a?b%26"), b"/a?b%26");
    }

    proptest::proptest! {
        #[test]
        fn never_panics(target in proptest::collection::vec(proptest::sample::select(b"/.%2eEfF0?#+a".to_vec()), 0..24)) {
            let _ = (Uri::read(&target, true), unescape_redirect(&target));
        }
    }
}
