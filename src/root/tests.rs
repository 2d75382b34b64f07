//! Links, writes and errors below a root.

use std::os::unix::fs::symlink;

use proptest::strategy::Strategy;

use super::*;

fn root() -> (tempfile::TempDir, Root) {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(folder.path()).unwrap();
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

/// One such path must not end a look at all others.
#[test]
fn what_no_file_can_be_at_is_something_else() {
    let (_folder, root) = root();
    root.link(Path::new("/etc/loop"), Path::new("/etc/loop"))
        .unwrap();
    root.link(Path::new("/etc/magic"), Path::new("/proc/self/root"))
        .unwrap();
    let long = Path::new("/etc").join("x".repeat(300));
    for path in [Path::new("/etc/loop/x"), &long] {
        assert_eq!(
            root.entry(path).unwrap(),
            Entry::Other,
            "{}",
            path.display()
        );
    }
    let live = Root::open("/").unwrap();
    let magic = Path::new("/proc/self/root/etc/hostname");
    assert_eq!(live.entry(magic).unwrap(), Entry::Other);
}

#[test]
fn folders_are_made_where_a_link_leads() {
    let (_folder, root) = root();
    let (link, inside) = (Path::new("/etc/app"), Path::new("/srv/app/conf"));
    root.link(link, Path::new("../../srv/app")).unwrap();
    root.make_folder(Path::new("/etc/app/conf")).unwrap();
    assert!(root.is_folder(inside));
    let resolved = root.resolve(Path::new("/etc/app/conf/.."));
    assert_eq!(resolved.as_deref(), Some(Path::new("/srv/app")));
    root.link(Path::new("/etc/again"), link).unwrap();
    let links: Vec<PathBuf> = root
        .links(Path::new("/etc/again/conf"))
        .into_iter()
        .map(|link| link.path)
        .collect();
    assert_eq!(links, ["/etc/again", "/etc/app"].map(PathBuf::from));
    root.remove_folder(Path::new("/etc/app/conf")).unwrap();
    assert!(!root.is_there(inside) && root.is_there(link));
}

/// Nobody writes to it, and nobody waits.
#[test]
fn a_pipe_is_not_waited_for() {
    let (folder, root) = root();
    let mode = nix::sys::stat::Mode::S_IRUSR;
    nix::unistd::mkfifo(&folder.path().join("etc/pipe"), mode).unwrap();
    let pipe = Path::new("/etc/pipe");
    assert_eq!(root.entry(pipe).unwrap(), Entry::Other);
    assert_eq!(root.read(pipe).unwrap().as_deref(), Some(&b""[..]));
}

/// A target of a link, out of a few names.
fn target() -> impl proptest::strategy::Strategy<Value = String> {
    proptest::sample::select(vec![
        "",
        "/",
        "a",
        "b",
        "c",
        "d",
        "/a",
        "/b/c",
        "/d/a",
        "../a",
        "../../b/",
        "./c/..",
        "d/../a",
        "/../d",
        "a/b",
        "nosuch",
        "/a/nosuch/..",
    ])
    .prop_map(str::to_owned)
}

/// Found by the test below.
#[test]
fn a_link_to_a_folder_does_not_lead_to_a_file() {
    let (_folder, root) = root();
    let below = root.directory();
    fs::write(below.join("file"), "").unwrap();
    for (target, leads_to) in [("file", true), ("file/", false), ("file/.", false)] {
        let link = below.join("link");
        let _ = fs::remove_file(&link);
        symlink(target, &link).unwrap();
        assert_eq!(
            root.resolve(Path::new("/link")).is_some(),
            leads_to,
            "{target}"
        );
        assert_eq!(fs::metadata(&link).is_ok(), leads_to, "{target}");
    }
}

proptest::proptest! {
    /// What a path leads to by its links is what the kernel finds.
    #[test]
    fn links_lead_where_the_kernel_goes(
        links in proptest::collection::vec((proptest::sample::select(vec!["a", "b", "d/a", "d/b", "d/c"]), target()), 0..5),
        path in proptest::collection::vec(target(), 1..3),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("root");
        fs::create_dir_all(below.join("d")).unwrap();
        fs::write(below.join("c"), "").unwrap();
        for (name, target) in links {
            let _ = symlink(target, below.join(name));
        }
        let root = Root::open(&below).unwrap();
        let path = Path::new("/").join(path.join("/").trim_start_matches('/'));
        let resolved = root.resolve(&path);
        let inode = |path: &Path| root.metadata(path).map(|found| found.ino());
        let plain = resolved.as_deref().map(|path| {
            let found = fs::symlink_metadata(root.join(path)).unwrap();
            assert!(!found.is_symlink(), "{}", path.display());
            found.ino()
        });
        // A slash at the end asks for a folder, which only the kernel minds.
        proptest::prop_assert_eq!(plain, inode(&path.components().collect::<PathBuf>()), "{:?}", resolved);
    }
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
