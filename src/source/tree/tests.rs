use super::*;

#[test]
fn names_are_checked_byte_by_byte() {
    for (name, expected) in [
        (&b"a"[..], Ok("a".to_owned())),
        (b"a/b", Err("f/a/b: the name has a slash".to_owned())),
        (b"..", Err("f/..: this is not a file name".to_owned())),
        (b"\xff", Err("f/\u{fffd}: the name is not UTF-8".to_owned())),
        (
            b"a\n",
            Err("f/a\\n: the name has a control character".to_owned()),
        ),
        (
            b"-a",
            Err("f/-a: the name begins with a dash, as options do".to_owned()),
        ),
    ] {
        let checked = checked_name(Path::new("f"), name).map_err(|error| error.to_string());
        assert_eq!(checked, expected);
    }
}

#[test]
fn submodules_are_no_files() {
    let folder = tempfile::tempdir().unwrap();
    let repo = git2::Repository::init(folder.path()).unwrap();
    let mut builder = repo.treebuilder(None).unwrap();
    let id = git2::Oid::from_str("1234567890123456789012345678901234567890").unwrap();
    builder.insert("sub", id, 0o160000).unwrap();
    let tree = repo.find_tree(builder.write().unwrap()).unwrap();
    let tree = Tree::from(CommitTree::new(&repo, &tree));
    let error = tree.read(Path::new("sub")).unwrap_err();
    assert_eq!(error.to_string(), "sub is a submodule, not a file");
    assert_eq!(tree.resolve(Path::new("sub/x")).unwrap(), None);
}

#[test]
fn links_are_followed_as_the_kernel_does() {
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    std::fs::create_dir_all(at("a/b")).unwrap();
    std::fs::write(at("a/b/f"), "x").unwrap();
    std::os::unix::fs::symlink("a/b", at("l")).unwrap();
    std::os::unix::fs::symlink("../a/../l/f", at("a/m")).unwrap();
    let tree = Tree::from(FolderTree::new(folder.path()));
    for path in ["l/f", "a/m", "a/./b/f"] {
        let (resolved, node) = tree.resolve(Path::new(path)).unwrap().unwrap();
        assert_eq!(
            (resolved, node),
            ("a/b/f".into(), Node::File { executable: false })
        );
        assert_eq!(tree.read(Path::new(path)).unwrap().unwrap().0, b"x");
    }
    assert_eq!(tree.list(Path::new("l")).unwrap(), ["f"]);
    assert_eq!(tree.resolve(Path::new("l/f/g")).unwrap(), None);
}
