//! Log files, which may be of any size: their lines from the end, in blocks, and what is added to them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::root::Root;

/// How much is read at once.
const BLOCK: u64 = 64 << 10;
/// What is kept of a longer line.
const LONGEST: usize = 64 << 10;
/// How much of a file is read in all.
const MOST: u64 = 64 << 20;
/// How much of what was added is read at once.
const ADDED: u64 = 1 << 20;

/// The lines of a file, the last one first.
#[derive(Debug)]
pub(crate) struct FromEnd {
    file: File,
    /// What lies before this offset is not read yet.
    at: u64,
    until: u64,
    /// What was read and not told yet: whole lines but for the first.
    unread: Vec<u8>,
}

impl FromEnd {
    /// Opens a file of the host, to read what is before an offset, or all of it.
    ///
    /// # Errors
    /// When it cannot be opened, or is no regular file.
    pub(crate) fn open(root: &Root, path: &Path, end: Option<u64>) -> io::Result<Self> {
        let file = regular(root, path)?;
        let length = file.metadata()?.len();
        let at = end.map_or(length, |end| end.min(length));
        Ok(Self {
            file,
            at,
            until: at.saturating_sub(MOST),
            unread: Vec::new(),
        })
    }

    /// Whether there is more in the file than is read.
    pub(crate) fn is_cut(&self) -> bool {
        self.until > 0 && self.at <= self.until
    }

    /// Reads the block before.
    fn block(&mut self) -> io::Result<()> {
        let size = BLOCK.min(self.at - self.until);
        let from = self.at - size;
        self.file.seek(SeekFrom::Start(from))?;
        let mut block = Vec::new();
        (&mut self.file).take(size).read_to_end(&mut block)?;
        let has_end = block.contains(&b'\n');
        block.append(&mut self.unread);
        if !has_end && block.len() > LONGEST {
            block.truncate(LONGEST);
        }
        self.unread = block;
        self.at = from;
        Ok(())
    }
}

impl Iterator for FromEnd {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.iter().rposition(|byte| *byte == b'\n') {
                let line = self.unread.split_off(end + 1);
                self.unread.pop();
                if !line.is_empty() {
                    return Some(text(line));
                }
            } else if self.at > self.until {
                // One that was emptied meanwhile has nothing more to tell.
                if self.block().is_err() {
                    self.at = self.until;
                }
            } else {
                let line = std::mem::take(&mut self.unread);
                // The first line that is read of a file that is not read to its start may be a part of one.
                return (!line.is_empty() && self.until == 0).then(|| text(line));
            }
        }
    }
}

/// What is added to a file, also after it was rotated.
#[derive(Debug)]
pub(crate) struct Growing {
    root: Root,
    path: PathBuf,
    file: Option<File>,
    at: u64,
    /// A line whose end was not written yet.
    rest: Vec<u8>,
}

impl Growing {
    /// From the end that the file has now. One that is not there may come.
    pub(crate) fn of(root: &Root, path: &Path) -> Self {
        let file = regular(root, path).ok();
        let length = file.as_ref().and_then(|file| file.metadata().ok());
        Self {
            root: root.clone(),
            path: path.to_owned(),
            at: length.map_or(0, |metadata| metadata.len()),
            file,
            rest: Vec::new(),
        }
    }

    /// How far it is read.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// The whole lines that came since the last look.
    pub(crate) fn more(&mut self) -> Vec<String> {
        let mut lines = self.rest_of_it();
        let is_same = |file: &File, other: &File| {
            let both = file.metadata().ok().zip(other.metadata().ok());
            both.is_some_and(|(one, two)| (one.dev(), one.ino()) == (two.dev(), two.ino()))
        };
        if let Ok(now) = regular(&self.root, &self.path)
            && !self.file.as_ref().is_some_and(|file| is_same(file, &now))
        {
            self.file = Some(now);
            self.at = 0;
            lines.extend(self.rest_of_it());
        }
        lines
    }

    fn rest_of_it(&mut self) -> Vec<String> {
        let read = || -> io::Result<Vec<u8>> {
            let Some(file) = &mut self.file else {
                return Ok(Vec::new());
            };
            // It was emptied in its place.
            if file.metadata()?.len() < self.at {
                self.at = 0;
                self.rest.clear();
            }
            file.seek(SeekFrom::Start(self.at))?;
            let mut added = Vec::new();
            file.take(ADDED).read_to_end(&mut added)?;
            Ok(added)
        };
        let mut read = read;
        let added = read().unwrap_or_default();
        self.at += u64::try_from(added.len()).unwrap_or_default();
        self.rest.extend(added);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else {
            self.rest.truncate(LONGEST);
            return Vec::new();
        };
        let behind = self.rest.split_off(end + 1);
        let whole = std::mem::replace(&mut self.rest, behind);
        let lines = whole.split(|byte| *byte == b'\n');
        let lines = lines.filter(|line| !line.is_empty());
        lines.map(|line| text(line.to_vec())).collect()
    }
}

fn regular(root: &Root, path: &Path) -> io::Result<File> {
    let file = root.open_to_read(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is not a regular file")),
    }
}

fn text(mut line: Vec<u8>) -> String {
    line.truncate(LONGEST);
    String::from_utf8_lossy(&line).into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    fn place() -> (tempfile::TempDir, Root, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        let path = folder.path().join("log");
        (folder, root, path)
    }

    #[test]
    fn lines_come_from_the_end_over_blocks() {
        let (_folder, root, path) = place();
        let lines: Vec<String> = (0..9000)
            .map(|number| format!("line {number:04} {}", "x".repeat(40)))
            .collect();
        fs::write(&path, lines.join("\n") + "\n\n").unwrap();
        let read: Vec<String> = FromEnd::open(&root, Path::new("/log"), None)
            .unwrap()
            .collect();
        let back: Vec<String> = lines.into_iter().rev().collect();
        assert_eq!(read, back);
    }

    #[test]
    fn a_line_without_end_is_cut_and_a_folder_is_no_log() {
        let (folder, root, path) = place();
        fs::write(&path, "first\n".to_owned() + &"y".repeat(400_000)).unwrap();
        let read: Vec<String> = FromEnd::open(&root, Path::new("/log"), None)
            .unwrap()
            .collect();
        assert_eq!(read.len(), 2);
        assert!(read[0].len() <= LONGEST);
        assert_eq!(read[1], "first");
        fs::create_dir(folder.path().join("sub")).unwrap();
        let error = FromEnd::open(&root, Path::new("/sub"), None).unwrap_err();
        assert_eq!(error.to_string(), "it is not a regular file");
    }

    #[test]
    fn what_is_added_is_told_after_a_rotation_too() {
        let (folder, root, path) = place();
        fs::write(&path, "old\n").unwrap();
        let mut growing = Growing::of(&root, Path::new("/log"));
        assert!(growing.more().is_empty());
        let append = |text: &str| {
            let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        append("one\ntw");
        assert_eq!(growing.more(), ["one"]);
        append("o\n");
        fs::rename(&path, folder.path().join("log.1")).unwrap();
        fs::write(&path, "three\n").unwrap();
        assert_eq!(growing.more(), ["two", "three"]);
        fs::write(&path, "4\n").unwrap();
        assert_eq!(growing.more(), ["4"]);
    }
}
