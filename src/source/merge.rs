//! Two changes of the same text, as git-merge-file(1) merges them.

use git2::{MergeFileInput, MergeFileOptions, merge_file};

/// What has both changes of `base`; `None` where they touch the same lines.
pub(crate) fn merge(base: &[u8], ours: &[u8], theirs: &[u8]) -> Option<Vec<u8>> {
    // libgit2 has no address for a result that is empty.
    if [base, ours, theirs].iter().any(|text| text.is_empty()) {
        return None;
    }
    let [mut ancestor, mut left, mut right] = [(); 3].map(|()| MergeFileInput::new());
    ancestor.content(base);
    left.content(ours);
    right.content(theirs);
    let mut options = MergeFileOptions::new();
    let merged = merge_file(&ancestor, &left, &right, Some(&mut options));
    let merged = merged.ok().filter(|merged| merged.is_automergeable())?;
    Some(merged.content().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_different_lines_merge_and_others_do_not() {
        let base = b"a\nb\nc\nd\ne\n";
        let ours = b"A\nb\nc\nd\ne\n";
        assert_eq!(
            merge(base, ours, b"a\nb\nc\nd\nE\n").as_deref(),
            Some(&b"A\nb\nc\nd\nE\n"[..])
        );
        assert_eq!(merge(base, ours, b"X\nb\nc\nd\ne\n"), None);
    }
}
