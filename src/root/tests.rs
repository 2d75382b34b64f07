//! Links, writes and errors below a root.

use super::*;

fn root() -> (tempfile::TempDir, Root) {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::new(folder.path());
    root.make_folder(Path::new("/etc/nginx")).unwrap();
    (folder, root)
}

#[test]
fn links_are_followed_inside_the_root() {
    let (_folder, root) = root();
    root.write(Path::new("/etc/nginx/a"), b"A", 0o644).unwrap();
    root.link(Path::new("/etc/b"), Path::new("/etc/nginx/a"))
        .unwrap();
    root.link(Path::new("/etc/c"), Path::new("../../../etc/b"))
        .unwrap();
    assert_eq!(
        root.entry(Path::new("/etc/c")).unwrap(),
        Entry::Link {
            target: "../../../etc/b".into(),
            leads_to: Some("/etc/nginx/a".into())
        }
    );
    assert_eq!(
        root.read(Path::new("/etc/c")).unwrap().as_deref(),
        Some(&b"A"[..])
    );
}

#[test]
fn a_link_out_of_the_root_stays_inside() {
    let (folder, root) = root();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "x").unwrap();
    symlink(outside.path(), folder.path().join("etc/out")).unwrap();
    assert_eq!(root.read(Path::new("/etc/out/secret")).unwrap(), None);
    assert!(root.write(Path::new("/etc/out/new"), b"x", 0o644).is_err());
    assert!(!outside.path().join("new").exists());
}

#[test]
fn loops_and_dangling_links_lead_nowhere() {
    let (_folder, root) = root();
    root.link(Path::new("/etc/x"), Path::new("/etc/y")).unwrap();
    root.link(Path::new("/etc/y"), Path::new("/etc/x")).unwrap();
    root.link(Path::new("/etc/z"), Path::new("/gone")).unwrap();
    assert_eq!(root.resolve(Path::new("/etc/x")), None);
    assert_eq!(root.resolve(Path::new("/etc/z")), None);
}

#[test]
fn a_write_replaces_whole_and_sets_the_mode() {
    let (_folder, root) = root();
    let path = Path::new("/etc/f");
    root.write(path, b"one", 0o600).unwrap();
    root.write(path, b"two", 0o755).unwrap();
    let Entry::File { content, mode, .. } = root.entry(path).unwrap() else {
        panic!("no file");
    };
    assert_eq!((&*content, mode), (&b"two"[..], 0o755));
    assert_eq!(root.list(Path::new("/etc")).unwrap().len(), 2);
}

#[test]
fn only_temporary_names_are_cleared() {
    let (_folder, root) = root();
    for name in ["a", ".watchme-apply-x1Y2z3", ".watchme-apply"] {
        root.write(&Path::new("/etc").join(name), b"", 0o644)
            .unwrap();
    }
    root.remove_temporary(Path::new("/etc")).unwrap();
    let left = ["/etc/.watchme-apply", "/etc/a", "/etc/nginx"];
    assert_eq!(
        root.list(Path::new("/etc")).unwrap(),
        left.map(PathBuf::from)
    );
    root.remove_temporary(Path::new("/gone")).unwrap();
}

#[test]
fn errors_name_the_path_below_the_root() {
    let (_folder, root) = root();
    let error = root.write(Path::new("/gone/f"), b"", 0o644).unwrap_err();
    let place = root.directory().join("gone/f");
    assert_eq!(
        error.to_string(),
        format!("could not write {}", place.display())
    );
}
