//! Links, writes and errors below a root.

use std::os::unix::fs::symlink;

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

/// Whoever owns a folder may put anything there at any moment: what is written lands in the folder
/// that was looked at, or nowhere.
#[test]
fn a_link_of_another_user_is_not_followed_for_writing() {
    if !nix::unistd::Uid::effective().is_root() {
        return;
    }
    let (folder, root) = root();
    let (etc, secret) = (folder.path().join("etc"), folder.path().join("secret"));
    fs::create_dir(&secret).unwrap();
    fs::write(secret.join("f"), "victim").unwrap();
    let link = etc.join("app");
    symlink("/secret", &link).unwrap();
    let (path, user) = (Path::new("/etc/app/f"), Some(1234));
    root.write(path, b"follows root's link", 0o644).unwrap();
    fs::write(secret.join("f"), "victim").unwrap();
    std::os::unix::fs::lchown(&link, user, user).unwrap();
    let error = root.write_owned(path, b"x", 0o666, Some((1234, 1234)));
    let error = std::error::Error::source(&error.unwrap_err())
        .unwrap()
        .to_string();
    assert!(
        error.contains("etc/app is a link of another user"),
        "{error}"
    );
    assert!(root.link(path, Path::new("/x")).is_err());
    assert!(root.remove(path).is_err());
    assert!(root.make_folder(Path::new("/etc/app/new")).is_err());
    assert_eq!(fs::read_to_string(secret.join("f")).unwrap(), "victim");
    assert_eq!(fs::read_dir(&secret).unwrap().count(), 1);
}
