//! A checkout and an offline root in a temporary folder, and the program run on the two.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_watchme-apply");

/// A small desired state with a resource of most kinds.
pub(crate) const STATE: &[(&str, &str)] = &[
    ("watchme.toml", "absent = [\"sites-enabled/default\"]\n"),
    (
        "sites-available/api.example.com",
        "server {\n    listen 80;\n    server_name api.example.com;\n    include proxy_params;\n    location /hello/ {\n        proxy_pass http://localhost:8001/;\n    }\n}\n",
    ),
    (
        "systemd/hello.service",
        "[Unit]\nDescription=Hello\n\n[Service]\nExecStart=/usr/bin/sleep infinity\n\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "systemd/hello.service.d/limits.conf",
        "[Service]\nMemoryMax=64M\n",
    ),
    (
        "etc/logrotate.d/hello",
        "/var/log/hello.log {\n    weekly\n}\n",
    ),
];

/// The same, with a site of which no rule has anything to say.
pub(crate) const CLEAN: &[(&str, &str)] = &[
    STATE[0],
    (
        "sites-available/api.example.com",
        "server {\n    listen 80;\n    server_name api.example.com;\n    return 404;\n}\n",
    ),
    STATE[2],
    STATE[3],
    STATE[4],
];

/// A folder with `checkout/` and `root/` in it.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    /// A checkout in git with these files committed.
    pub(crate) fn git(files: &[(&str, &str)]) -> Self {
        let place = Self::empty();
        git2::Repository::init(place.checkout()).unwrap();
        place.write(files);
        place.commit("First");
        place
    }

    /// The same without git.
    pub(crate) fn plain(files: &[(&str, &str)]) -> Self {
        let place = Self::empty();
        place.write(files);
        place
    }

    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Whoever the tests run as, a program that runs as somebody else has to get in.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["checkout", "root"] {
            let path = folder.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { folder }
    }

    pub(crate) fn checkout(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("checkout")
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("root")
    }

    /// A path beside checkout and root.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    /// Where an absolute path of the offline root lies.
    pub(crate) fn on_host(&self, path: &str) -> PathBuf {
        self.root().join(path.trim_start_matches('/'))
    }

    /// Writes files of the checkout.
    pub(crate) fn write(&self, files: &[(&str, &str)]) {
        for (path, content) in files {
            put(&self.checkout().join(path), content);
        }
    }

    /// Removes files of the checkout.
    pub(crate) fn remove(&self, paths: &[&str]) {
        for path in paths {
            fs::remove_file(self.checkout().join(path)).unwrap();
        }
    }

    /// Commits the checkout as it lies.
    pub(crate) fn commit(&self, subject: &str) -> git2::Oid {
        let repo = git2::Repository::open(self.checkout()).unwrap();
        let mut index = repo.index().unwrap();
        index
            .add_all(["*"], git2::IndexAddOption::DEFAULT, None)
            .unwrap();
        index.update_all(["*"], None).unwrap();
        index.write().unwrap();
        let tree = index.write_tree().unwrap();
        commit_tree(&repo, tree, subject)
    }

    /// Writes a file of the offline root.
    pub(crate) fn write_host(&self, path: &str, content: &str) {
        put(&self.on_host(path), content);
    }

    /// Puts a link into the offline root.
    pub(crate) fn link_host(&self, path: &str, target: &str) {
        let place = self.on_host(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        symlink(target, place).unwrap();
    }

    /// A file of the offline root, its links followed as the host would: absolute ones below the root.
    pub(crate) fn read_host(&self, path: &str) -> String {
        let mut place = self.on_host(path);
        while let Ok(target) = fs::read_link(&place) {
            place = match target.strip_prefix("/") {
                Ok(below) => self.root().join(below),
                Err(_) => place.with_file_name("").join(target),
            };
        }
        fs::read_to_string(&place).unwrap_or_else(|error| panic!("{}: {error}", place.display()))
    }

    /// What a link of the offline root says.
    pub(crate) fn target(&self, path: &str) -> Option<String> {
        let target = fs::read_link(self.on_host(path)).ok()?;
        Some(target.to_str().unwrap().to_owned())
    }

    /// Everything below the offline root, to the last change of an inode.
    pub(crate) fn host(&self) -> BTreeMap<PathBuf, Entry> {
        entries(&self.root())
    }

    /// Runs the program in the checkout, on the offline root.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, |_| {})
    }

    /// [`Place::run`] with a command that is changed first.
    pub(crate) fn run_with(
        &self,
        arguments: &[&str],
        change: impl FnOnce(&mut assert_cmd::Command),
    ) -> Output {
        let mut command = self.command();
        command.args(arguments).arg("--root").arg(self.root());
        change(&mut command);
        self.output(arguments, command)
    }

    /// Runs the program in the checkout, with no host at all.
    pub(crate) fn run_here(&self, arguments: &[&str]) -> Output {
        let mut command = self.command();
        command.args(arguments);
        self.output(arguments, command)
    }

    fn output(&self, arguments: &[&str], mut command: assert_cmd::Command) -> Output {
        let output = command.output().unwrap();
        Output {
            asked: arguments.join(" "),
            status: output.status.code().expect("the program was killed"),
            stdout: self.named(&String::from_utf8(output.stdout).unwrap()),
            stderr: self.named(&String::from_utf8(output.stderr).unwrap()),
        }
    }

    /// The program, in the checkout. No program can be found, and no daemon: an offline root needs none.
    pub(crate) fn command(&self) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::new(PROGRAM);
        command
            .current_dir(self.checkout())
            .timeout(Duration::from_secs(60))
            .env_clear()
            .env("PATH", "/nonexistent")
            .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
            .env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")
            .env("TZ", "UTC");
        command
    }

    /// Text with the temporary paths named for what they are.
    pub(crate) fn named(&self, text: &str) -> String {
        let folder = self.folder.path().canonicalize().unwrap();
        let folder = folder.to_str().unwrap();
        text.replace(&format!("{folder}/checkout"), "[CHECKOUT]")
            .replace(&format!("{folder}/root"), "[ROOT]")
            .replace(folder, "[FOLDER]")
    }
}

/// What a run said.
#[derive(Debug)]
pub(crate) struct Output {
    asked: String,
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// Checks the exit status.
    #[track_caller]
    pub(crate) fn expect(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{}", self.shown());
        self
    }

    /// The command, what it said, and how it ended, as a person sees it.
    pub(crate) fn shown(&self) -> String {
        let mut text = format!("$ watchme-apply {}\n{}", self.asked, self.stdout);
        if !self.stderr.is_empty() {
            text.push_str(&format!("(stderr)\n{}", self.stderr));
        }
        if self.status != 0 {
            text.push_str(&format!("(exit status {})\n", self.status));
        }
        text
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}:\n{}", self.shown()))
    }
}

/// One object on standard output, whole, of this format, as the schema says.
#[track_caller]
pub(crate) fn keeps_to(name: &str, run: Output) -> serde_json::Value {
    crate::schema::json(name, &run.stdout)
}

/// Something on the offline root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub mode: u32,
    /// Bytes of a file, target of a link.
    pub content: Vec<u8>,
    inode: u64,
    changed: (i64, i64),
}

fn entries(folder: &Path) -> BTreeMap<PathBuf, Entry> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = path.symlink_metadata().unwrap();
        let content = match metadata.file_type() {
            kind if kind.is_symlink() => fs::read_link(&path)
                .unwrap()
                .into_os_string()
                .into_encoded_bytes(),
            kind if kind.is_file() => fs::read(&path).unwrap(),
            _ => Vec::new(),
        };
        if metadata.is_dir() {
            found.extend(entries(&path));
        }
        let entry = Entry {
            mode: metadata.mode(),
            content,
            inode: metadata.ino(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        };
        found.insert(path, entry);
    }
    found
}

/// Writes a file and the folders above it.
pub(crate) fn put(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Makes a tree the commit that is checked out; the work tree stays as it is.
pub(crate) fn commit_tree(repo: &git2::Repository, tree: git2::Oid, subject: &str) -> git2::Oid {
    let time = git2::Time::new(1_750_000_000, 0);
    let author = git2::Signature::new("Hanako", "hanako@example.com", &time).unwrap();
    let parent = repo.head().ok().map(|head| head.peel_to_commit().unwrap());
    let parents: Vec<&git2::Commit> = parent.iter().collect();
    let tree = repo.find_tree(tree).unwrap();
    repo.commit(Some("HEAD"), &author, &author, subject, &tree, &parents)
        .unwrap()
}

/// A tree object with any names and modes: those that git itself refuses, too.
pub(crate) fn raw_tree(repo: &git2::Repository, entries: &[(u32, &[u8], git2::Oid)]) -> git2::Oid {
    let mut sorted = entries.to_vec();
    sorted
        .sort_by_key(|(mode, name, _)| [*name, if *mode == 0o40000 { b"/" } else { b"" }].concat());
    let mut bytes = Vec::new();
    for (mode, name, id) in sorted {
        bytes.extend_from_slice(format!("{mode:o} ").as_bytes());
        bytes.extend_from_slice(name);
        bytes.push(0);
        bytes.extend_from_slice(id.as_bytes());
    }
    repo.odb()
        .unwrap()
        .write(git2::ObjectType::Tree, &bytes)
        .unwrap()
}

/// Compares text with a snapshot; what differs from run to run is named for what it is.
macro_rules! shows {
    ($name:expr, $text:expr) => {
        let mut settings = insta::Settings::clone_current();
        settings.add_filter(r"\b[0-9a-f]{40}\b", "[COMMIT]");
        settings.add_filter(r"\b[0-9a-f]{12} \(", "[COMMIT] (");
        settings.add_filter(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "[TIME]");
        settings.add_filter(r"\d{8}_\d{6}", "[TIME]");
        settings.add_filter(r"\d+\.\d s;", "[SECONDS] s;");
        settings.add_filter(r"(\[TIME\]) by [^,\n]+,", "$1 by [USER],");
        settings.add_filter(r"memory \(\S+\)", "memory ([USER])");
        settings.set_omit_expression(true);
        settings.set_prepend_module_to_snapshot(true);
        settings.bind(|| insta::assert_snapshot!($name, $text));
    };
}
pub(crate) use shows;
