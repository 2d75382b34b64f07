//! Images made of layers, in the archive that `docker load` reads. A host can pull nothing.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Host;
use super::exec::{Caller, outer};

/// A layer: a tar, and its digest.
#[derive(Clone)]
pub(super) struct Layer {
    digest: String,
    content: Content,
}

#[derive(Clone)]
enum Content {
    Bytes(Arc<[u8]>),
    File(PathBuf),
}

impl Layer {
    /// The layer with what is in a folder; the same for the same content.
    pub(super) fn of_folder(folder: &Path) -> Self {
        let bytes = archive(folder);
        Self {
            digest: digest(&bytes),
            content: Content::Bytes(bytes.into()),
        }
    }

    /// A layer that is a tar on this machine, with its digest in the file beside it that ends in `.sha256`.
    pub(super) fn of_tar(path: PathBuf) -> Self {
        let digest = fs::read_to_string(path.with_extension("tar.sha256")).expect("its digest");
        Self {
            digest: digest.trim().to_owned(),
            content: Content::File(path),
        }
    }

    /// Puts it into the folder of an archive, and returns its name there.
    fn place(&self, folder: &Path) -> String {
        let name = format!("{}.tar", self.digest);
        let path = folder.join(&name);
        match &self.content {
            Content::Bytes(bytes) => fs::write(path, bytes).expect("a layer of the archive"),
            Content::File(_) if path.exists() => {}
            Content::File(file) => symlink(file, path).expect("a link to a layer"),
        }
        name
    }
}

/// An image: its name and tag, its layers, and what its containers run (`Env`, `Cmd`, `Entrypoint`, `User`, `StopSignal`).
pub(super) struct Image<'a> {
    pub(super) name: &'a str,
    pub(super) layers: Vec<Layer>,
    pub(super) config: Value,
}

impl Host {
    /// Loads images with the command of an engine, all in one archive; layers that they share are in it once.
    #[track_caller]
    pub(super) fn load(&self, command: &str, images: &[Image<'_>]) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let manifest: Vec<Value> = images
            .iter()
            .map(|image| {
                let layers = image.layers.iter().map(|layer| layer.place(folder.path()));
                let layers: Vec<String> = layers.collect();
                let config = configuration(image).to_string();
                let name = format!("{}.json", digest(config.as_bytes()));
                fs::write(folder.path().join(&name), config).expect("a part of the archive");
                json!({"Config": name, "RepoTags": [image.name], "Layers": layers})
            })
            .collect();
        let manifest = Value::from(manifest).to_string();
        fs::write(folder.path().join("manifest.json"), manifest).expect("the manifest");
        // Through a pipe: an archive with a layer of real services is large.
        let mut tar = Command::new("tar")
            .args(["--dereference", "-cf", "-", "-C"])
            .arg(folder.path())
            .arg(".")
            .stdout(Stdio::piped())
            .spawn()
            .expect("tar runs");
        let line = self.inside(Caller::default(), &[command, "load", "-q"]);
        let loaded = Command::new(&line[0])
            .args(&line[1..])
            .stdin(tar.stdout.take().expect("a pipe"))
            .output()
            .expect("nsenter runs");
        let archived = tar.wait().expect("a child");
        assert!(
            archived.success() && loaded.status.success(),
            "{command} load: {}",
            String::from_utf8_lossy(&loaded.stderr)
        );
    }
}

/// The image's configuration, as `docker load` reads it.
fn configuration(image: &Image<'_>) -> Value {
    let digests = image.layers.iter();
    let digests: Vec<String> = digests
        .map(|layer| format!("sha256:{}", layer.digest))
        .collect();
    let architecture = match cfg!(target_arch = "aarch64") {
        true => "arm64",
        false => "amd64",
    };
    json!({
        "architecture": architecture,
        "os": "linux",
        "created": "2024-01-01T00:00:00Z",
        "config": image.config,
        "rootfs": {"type": "layers", "diff_ids": digests},
    })
}

/// A tar of a folder that is the same for the same content.
fn archive(folder: &Path) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let (folder, archived) = (folder.to_string_lossy(), file.path().to_string_lossy());
    let same = [
        "--sort=name",
        "--mtime=@0",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--mode=go=rX,u+rwX",
    ];
    outer(
        &[&["tar", "-C", &folder], &same[..], &["-cf", &archived, "."]].concat(),
        b"",
    )
    .expect(0);
    fs::read(file.path()).expect("the archive just made")
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
