//! The statements of an nginx configuration as it is in a candidate's namespace: enough of the syntax to
//! know which files it names, src/core/ngx_conf_file.c. What is wrong with it is nginx's to say.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use glob::MatchOptions;

use crate::model::layout;
use crate::root::Root;

/// More than this nobody includes.
const FILES: usize = 20_000;
/// Files that include files that include files: deeper than anybody writes.
const DEPTH: usize = 50;
const SIZE: u64 = 4 << 20;

/// One statement, or the head of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    /// The directive and its arguments.
    pub words: Vec<String>,
    /// The file, as the configuration names it.
    pub file: PathBuf,
    /// Its line, counted from 1.
    pub line: usize,
}

impl Statement {
    pub(super) fn name(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    pub(super) fn arguments(&self) -> &[String] {
        self.words.get(1..).unwrap_or_default()
    }
}

/// All that nginx reads.
#[derive(Clone, Debug, Default)]
pub(super) struct Conf {
    pub statements: Vec<Statement>,
    /// The files, as the configuration names them.
    pub files: BTreeSet<PathBuf>,
}

impl Conf {
    /// Reads the main configuration and what it includes.
    pub(super) fn read(root: &Root) -> Self {
        let mut conf = Self::default();
        conf.take(root, &Path::new(layout::NGINX).join("nginx.conf"), 0);
        conf
    }

    fn take(&mut self, root: &Root, file: &Path, depth: usize) {
        if depth > DEPTH || self.files.len() >= FILES || self.files.contains(file) {
            return;
        }
        let Some(content) = small_file(root, file, SIZE) else {
            return;
        };
        self.files.insert(file.to_owned());
        for (line, words) in statements(&String::from_utf8_lossy(&content)) {
            let statement = Statement {
                words,
                file: file.to_owned(),
                line,
            };
            if let ("include", [pattern]) = (statement.name(), statement.arguments()) {
                for included in included(pattern) {
                    self.take(root, &included, depth + 1);
                }
            }
            self.statements.push(statement);
        }
    }
}

/// The files that an `include` means. One without a pattern means itself, there or not.
fn included(pattern: &str) -> Vec<PathBuf> {
    let pattern = Path::new(layout::NGINX).join(pattern);
    let Some(text) = pattern
        .to_str()
        .filter(|text| text.contains(['*', '?', '[']))
    else {
        return vec![pattern];
    };
    let options = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let found = glob::glob_with(text, options);
    found.map_or_else(
        |_| Vec::new(),
        |found| found.filter_map(Result::ok).collect(),
    )
}

/// The content of a regular file; `None` for anything else, and for one that is too large.
pub(super) fn small_file(root: &Root, path: &Path, bound: u64) -> Option<Vec<u8>> {
    let there = root.resolve(path)?;
    // What the kernel makes up has no length, and reading it can wait, or take it away.
    let made_up = ["/proc", "/sys", "/dev"];
    if made_up.iter().any(|folder| there.starts_with(folder)) {
        return None;
    }
    let metadata = root.metadata(&there)?;
    if !metadata.is_file() || metadata.len() > bound {
        return None;
    }
    root.read(&there).ok().flatten()
}

/// Statements with their lines.
fn statements(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let (mut line, mut begin) = (1, 1);
    let mut chars = text.chars().peekable();
    while let Some(first) = chars.next() {
        match first {
            '\n' => line += 1,
            ' ' | '\t' | '\r' => {}
            '#' => while chars.next_if(|c| *c != '\n').is_some() {},
            ';' | '{' | '}' => {
                if !words.is_empty() {
                    found.push((begin, std::mem::take(&mut words)));
                }
            }
            _ => {
                if words.is_empty() {
                    begin = line;
                }
                let quote = matches!(first, '"' | '\'').then_some(first);
                let mut word = String::new();
                if quote.is_none() {
                    word.push(first);
                }
                while let Some(c) = chars.peek().copied() {
                    let ends = match quote {
                        Some(quote) => c == quote,
                        None => {
                            matches!(c, ' ' | '\t' | '\r' | '\n' | ';')
                                || (c == '{' && !word.ends_with('$'))
                        }
                    };
                    if ends {
                        if quote.is_some() {
                            chars.next();
                        }
                        break;
                    }
                    chars.next();
                    if c == '\n' {
                        line += 1;
                    }
                    match (c, chars.peek().copied()) {
                        ('\\', Some(next)) if matches!(next, '"' | '\'' | '\\' | ';' | ' ') => {
                            chars.next();
                            word.push(next);
                        }
                        _ => word.push(c),
                    }
                }
                words.push(word);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_lines() {
        let text = "# a\nuser www-data;\nhttp {\n  log_format x '$a; \"b\"'\n    \"c\";\n  set $v ${x}y; }\n";
        let found = statements(text);
        let words: Vec<(usize, Vec<&str>)> = found
            .iter()
            .map(|(line, words)| (*line, words.iter().map(String::as_str).collect()))
            .collect();
        assert_eq!(
            words,
            [
                (2, vec!["user", "www-data"]),
                (3, vec!["http"]),
                (4, vec!["log_format", "x", "$a; \"b\"", "c"]),
                (6, vec!["set", "$v", "${x}y"]),
            ]
        );
    }

    #[test]
    fn includes_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        let conf = Path::new("/etc/nginx/nginx.conf");
        root.make_folder(Path::new("/etc/nginx")).unwrap();
        root.write(
            conf,
            b"include mime.types;\ninclude nginx.conf;\npid /run/x.pid;",
            0o644,
        )
        .unwrap();
        root.write(Path::new("/etc/nginx/mime.types"), b"types { }", 0o644)
            .unwrap();
        let read = Conf::read(&root);
        assert_eq!(read.files.len(), 2);
        let names: Vec<&str> = read.statements.iter().map(Statement::name).collect();
        assert_eq!(names, ["types", "include", "include", "pid"]);
    }
}
