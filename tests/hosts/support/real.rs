//! Images of real services: PostgreSQL, Redis, and web services in Python (FastAPI, Uvicorn), from packages of Debian, and an
//! S3-compatible storage of crates.io. They
//! answer to the variables, files and commands that the images of the same names on Docker Hub answer to, as far as
//! tests use them. They share one layer, which is built once, on this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::Host;
use super::images::{Image, Layer};

/// Users of the images that they stand for: `postgres` and `redis` are 999 there.
const USERS: &str = "root:x:0:0:root:/root:/bin/sh
postgres:x:999:999::/var/lib/postgresql:/bin/sh
app:x:10001:10001::/srv:/bin/sh
nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin
";

const POSTGRES: &str = include_str!("../image/services/postgres-entrypoint.sh");
const REDIS: &str = include_str!("../image/services/redis-entrypoint.sh");
const STORAGE: &str = include_str!("../image/services/storage-entrypoint.sh");

/// An image of a real service.
pub(crate) struct Real<'a> {
    /// Name and tag, such as `redis:7-alpine`.
    pub image: &'a str,
    pub program: Program<'a>,
}

/// What runs in a real service.
pub(crate) enum Program<'a> {
    /// PostgreSQL on 5432, with its own programs (`pg_isready`, `psql`, `pg_dump`) in the path. `POSTGRES_USER`,
    /// `POSTGRES_DB`, `POSTGRES_PASSWORD` or `POSTGRES_PASSWORD_FILE`; data in `PGDATA`, /var/lib/postgresql/data.
    Postgres,
    /// Redis on 6379, with `redis-cli`; data in /data.
    Redis,
    /// An S3-compatible storage on 8000, s3s-fs. Its key is in the file that `STORAGE_KEY_FILE` names, `ACCESS:SECRET`; data in /data.
    Storage,
    /// The module `main` of a folder of this machine, with an ASGI application `app`, on port 8000; as user 10001.
    /// Variables, `NAME=VALUE`, tell versions of it apart.
    Web {
        code: &'a Path,
        variables: &'a [&'a str],
    },
}

impl Host {
    /// Loads images of real services with the command of an engine, `docker` or `podman`.
    #[track_caller]
    pub(crate) fn load_real_images(&self, command: &str, services: &[Real<'_>]) {
        let images = services.iter().map(|real| {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let config = fill(folder.path(), &real.program);
            Image {
                name: real.image,
                layers: vec![shared_layer().clone(), Layer::of_folder(folder.path())],
                config,
            }
        });
        self.load(command, &images.collect::<Vec<_>>());
    }
}

/// Puts what a service has beyond the shared layer into a folder, and returns what runs.
fn fill(folder: &Path, program: &Program<'_>) -> Value {
    const PATH: &str = "PATH=/usr/lib/postgresql/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    const ENTRY: &str = "/usr/local/bin/docker-entrypoint.sh";
    place(folder, "/etc/passwd", USERS);
    match program {
        Program::Postgres => {
            place(folder, ENTRY, POSTGRES);
            let variables = [PATH, "PGDATA=/var/lib/postgresql/data"];
            json!({
                "Env": variables, "Entrypoint": [ENTRY], "Cmd": ["postgres"], "StopSignal": "SIGINT",
                "ExposedPorts": {"5432/tcp": {}}, "Volumes": {"/var/lib/postgresql/data": {}},
            })
        }
        Program::Redis => {
            place(folder, ENTRY, REDIS);
            json!({
                "Env": [PATH], "Entrypoint": [ENTRY], "Cmd": ["redis-server"], "WorkingDir": "/data",
                "ExposedPorts": {"6379/tcp": {}}, "Volumes": {"/data": {}},
            })
        }
        Program::Storage => {
            place(folder, ENTRY, STORAGE);
            let program = folder.join("usr/local/bin/s3s-fs");
            fs::copy(printed_path("storage"), program).expect("the program of the storage");
            json!({
                "Env": [PATH], "Entrypoint": [ENTRY], "StopSignal": "SIGINT",
                "ExposedPorts": {"8000/tcp": {}}, "Volumes": {"/data": {}},
            })
        }
        Program::Web { code, variables } => {
            for entry in fs::read_dir(code).expect("the code of a service") {
                let entry = entry.expect("a file of the service");
                let text = fs::read_to_string(entry.path()).expect("a text file");
                place(
                    folder,
                    &format!("/srv/{}", entry.file_name().display()),
                    &text,
                );
            }
            let variables = [&[PATH, "PYTHONUNBUFFERED=1"], *variables].concat();
            json!({
                "Env": variables, "WorkingDir": "/srv", "User": "10001:10001",
                "Cmd": ["python3", "-m", "uvicorn", "main:app", "--host", "0.0.0.0", "--port", "8000"],
                "ExposedPorts": {"8000/tcp": {}},
            })
        }
    }
}

fn place(folder: &Path, path: &str, text: &str) {
    let file = folder.join(path.trim_start_matches('/'));
    fs::create_dir_all(file.parent().expect("a folder")).expect("folders for a file");
    fs::write(&file, text).expect("a file of the image");
    let mode = if text.starts_with("#!") { 0o755 } else { 0o644 };
    fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("its mode");
}

/// The layer that all of them begin with; made on first use.
fn shared_layer() -> &'static Layer {
    static LAYER: OnceLock<Layer> = OnceLock::new();
    LAYER.get_or_init(|| Layer::of_tar(printed_path("build")))
}

/// Runs a script of the recipe, which prints the path of what it made.
fn printed_path(script: &str) -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/hosts/image/services")
        .join(script);
    let made = Command::new(&script).stderr(Stdio::inherit()).output();
    let made = made.unwrap_or_else(|error| panic!("cannot run {}: {error}", script.display()));
    assert!(
        made.status.success(),
        "no real services: {} failed, see above",
        script.display()
    );
    PathBuf::from(String::from_utf8_lossy(&made.stdout).trim())
}
