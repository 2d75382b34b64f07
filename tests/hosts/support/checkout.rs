//! Files of a host, and the checkout that the tool applies.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::Host;
use super::exec::{Caller, Output, outer};

/// Where the servers have their checkout, as user `ubuntu`.
pub(crate) const CHECKOUT: &str = "/home/ubuntu/watchme-server-configs";

impl Host {
    /// The bytes of a file as text; panics if it cannot be read.
    #[track_caller]
    pub(crate) fn read(&self, path: &str) -> String {
        self.run(&["cat", "--", path]).expect(0).stdout
    }

    /// Writes a file as root, its folders included; a file that stands there keeps its inode, mode and owner.
    #[track_caller]
    pub(crate) fn write(&self, path: &str, content: &str) {
        let script = "mkdir -p -- \"$(dirname -- \"$0\")\"; cat >\"$0\"";
        self.exec(
            Caller::default(),
            &["sh", "-eu", "-c", script, path],
            content.as_bytes(),
        )
        .expect(0);
    }

    /// Copies what is in a folder of this machine into a folder of the host, over what is there.
    /// Below `/home/ubuntu` it belongs to ubuntu, elsewhere to root.
    #[track_caller]
    pub(crate) fn copy_in(&self, local: &Path, path: &str) {
        let owner = if path.starts_with("/home/ubuntu/") {
            "ubuntu"
        } else {
            ""
        };
        let owner = Caller {
            user: owner,
            ..Caller::default()
        };
        let archive = tempfile::NamedTempFile::new().expect("a temporary file");
        let (local, archived) = (local.to_string_lossy(), archive.path().to_string_lossy());
        outer(
            &[
                "tar",
                "-C",
                &local,
                "--owner=0",
                "--group=0",
                "-cf",
                &archived,
                ".",
            ],
            b"",
        )
        .expect(0);
        // As the owner, so that the files are theirs and no umask or mode of this machine's folder comes along.
        self.exec(owner, &["mkdir", "-p", path], b"").expect(0);
        let bytes = fs::read(archive.path()).expect("the archive just made");
        let unpack = [
            "tar",
            "-C",
            path,
            "--no-same-owner",
            "--no-overwrite-dir",
            "-xf",
            "-",
        ];
        self.exec(owner, &unpack, &bytes).expect(0);
    }

    /// Copies a program of this machine into the host. Not below /run: what lies there in memory is out of reach.
    #[track_caller]
    pub(crate) fn copy_program(&self, local: &Path, path: &str) {
        let place = format!("{}:{path}", self.name());
        outer(&["docker", "cp", &local.to_string_lossy(), &place], b"").expect(0);
    }

    /// Makes the checkout: a git repository of `ubuntu` at [`CHECKOUT`] with one commit of these files.
    /// Files that begin with `#!` are executable.
    #[track_caller]
    pub(crate) fn checkout(&self, files: &[(&str, &str)]) -> String {
        self.sh_as("ubuntu", &format!("git init -q {CHECKOUT}"));
        let files: Vec<_> = files
            .iter()
            .map(|(path, content)| (*path, Some(*content)))
            .collect();
        self.commit(&files, "first")
    }

    /// Commits changed files (content `None` deletes) and whatever else lies changed in the checkout.
    /// Returns the commit's id.
    #[track_caller]
    pub(crate) fn commit(&self, files: &[(&str, Option<&str>)], message: &str) -> String {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("its mode");
        for (path, content) in files {
            match content {
                Some(content) => place(&folder.path().join(path), content),
                None => drop(self.sh_as("ubuntu", &format!("rm -rf '{CHECKOUT}/{path}'"))),
            }
        }
        self.copy_in(folder.path(), CHECKOUT);
        self.sh_as(
            "ubuntu",
            &format!("cd {CHECKOUT}; git add -A; git commit -q --allow-empty -m '{message}'; git rev-parse HEAD"),
        )
    }

    /// Runs `watchme-apply ARGS` in the checkout as a person does: `ubuntu`, through sudo.
    pub(crate) fn tool(&self, args: &[&str]) -> Output {
        let person = Caller {
            user: "ubuntu",
            folder: CHECKOUT,
            ..Caller::default()
        };
        self.exec(person, &[&["sudo", "watchme-apply"], args].concat(), b"")
    }

    /// `tool` with the command `apply`.
    pub(crate) fn apply(&self, args: &[&str]) -> Output {
        self.tool(&[&["apply"], args].concat())
    }
}

fn place(path: &Path, content: &str) {
    let mode = if content.starts_with("#!") {
        0o755
    } else {
        0o644
    };
    fs::create_dir_all(path.parent().expect("a path inside the checkout"))
        .expect("folders for a file");
    fs::write(path, content).expect("a file of the checkout");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its mode");
}
