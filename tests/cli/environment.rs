//! How a run meets its environment: other runs, terminals, readers that went away, users who are not root.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use nix::fcntl::{Flock, FlockArg};

use crate::support::{Output, PROGRAM, Place, STATE, put, shows};

#[test]
fn another_run_in_progress() {
    let place = Place::git(STATE);
    put(
        &place.on_host("var/lib/watchme-apply/lock"),
        "pid 4711 (watchme-apply apply)\n",
    );
    let lock = fs::File::open(place.on_host("var/lib/watchme-apply/lock")).unwrap();
    let held = Flock::lock(lock, FlockArg::LockExclusiveNonblock).unwrap();
    let before = place.host();
    let apply = place.run(&["apply", "--lock-timeout", "0"]).expect(1);
    assert_eq!(place.host(), before);
    assert!(apply.stderr.contains("4711"), "{}", apply.shown());
    place.run(&["plan"]).expect(0);
    place.run(&["status"]).expect(0);
    place.run(&["drift"]).expect(2);
    // It waits as long as it was told to.
    let second = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| place.run(&["apply", "--lock-timeout", "50"]));
        drop(held);
        waiting.join().unwrap()
    });
    second.expect(0);
    shows!("another_run_in_progress", apply.shown());
}

/// Kernels before 5.6, and seccomp profiles of old containers. Files alone can be checked there.
#[test]
fn a_kernel_that_does_not_know_openat2() {
    let place = Place::git(STATE);
    for errno in [nix::libc::ENOSYS, nix::libc::EPERM] {
        let (plan, check) = std::thread::scope(|scope| {
            let without = || {
                use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
                let calls = [(nix::libc::SYS_openat2, Vec::new())].into();
                let arch = std::env::consts::ARCH.try_into().unwrap();
                let refuse = SeccompAction::Errno(errno.unsigned_abs());
                let filter = SeccompFilter::new(calls, SeccompAction::Allow, refuse, arch).unwrap();
                // Of this thread, and what it starts.
                apply_filter(&BpfProgram::try_from(filter).unwrap()).unwrap();
                (place.run(&["plan"]), place.run(&["check"]))
            };
            scope.spawn(without).join().unwrap()
        });
        check.expect(0);
        let plan = plan.expect(1);
        if errno == nix::libc::ENOSYS {
            shows!("a_kernel_that_does_not_know_openat2", plan.shown());
        }
        assert!(plan.stderr.contains("seccomp"), "{}", plan.shown());
    }
}

#[test]
fn colour_only_where_it_is_wanted() {
    let place = Place::git(STATE);
    let is_coloured = |run: &Output| run.stdout.contains("\u{1b}[");
    assert!(
        !is_coloured(&place.run(&["plan"]).expect(0)),
        "a pipe gets none"
    );
    assert!(!is_coloured(
        &place.run(&["plan", "--color", "never"]).expect(0)
    ));
    assert!(is_coloured(
        &place.run(&["plan", "--color", "always"]).expect(0)
    ));
    assert!(!is_coloured(
        &place
            .run(&["plan", "--json", "--color", "always"])
            .expect(0)
    ));
    place.run(&["apply"]).expect(0);
    place.write(&[(
        "sites-available/api.example.com",
        &STATE[1].1.replace("8001", "8002"),
    )]);
    place.commit("Move the API to 8002");
    let plan = place.run(&["plan", "--color", "always"]).expect(0).stdout;
    assert!(
        plan.contains("8002") && plan.contains("\u{1b}[1m") && plan.contains("\u{1b}[4m"),
        "what changed within a line is emphasised: {plan:?}"
    );
    place.write(&[("sites-available/api.example.com", "server {\n")]);
    place.commit("A mistake");
    assert!(!place.run(&["plan"]).expect(1).stderr.contains('\u{1b}'));
    assert!(
        place
            .run(&["plan", "--color", "always"])
            .expect(1)
            .stderr
            .contains('\u{1b}')
    );
}

/// A pipeline that keeps a report must not take half of one for whole.
#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let place = Place::git(STATE);
    let run = |arguments: &[&str]| {
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = Command::new(PROGRAM)
            .args(arguments)
            .arg("--root")
            .arg(place.root())
            .current_dir(place.checkout())
            .stdin(Stdio::null())
            .stdout(full)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    };
    for arguments in [
        vec!["check"],
        vec!["check", "--format", "sarif"],
        vec!["routes", "--json"],
        vec!["ports"],
        vec!["plan", "--json"],
    ] {
        let (status, said) = run(&arguments);
        assert_eq!(status, Some(1), "{arguments:?} {said}");
        let expected = "error: could not write the result to standard output\ncaused by: No space left on device";
        assert!(said.contains(expected), "{arguments:?} {said}");
    }
    // What was done is done.
    assert_eq!(run(&["apply"]).0, Some(0));
}

#[test]
fn a_reader_that_went_away_stops_nothing() {
    let place = Place::git(STATE);
    let run = |arguments: &[&str]| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status = Command::new(PROGRAM)
            .args(arguments)
            .arg("--root")
            .arg(place.root())
            .current_dir(place.checkout())
            .stdin(Stdio::null())
            .stdout(writer.try_clone().unwrap())
            .stderr(writer)
            .status()
            .unwrap();
        status.code()
    };
    assert_eq!(run(&["plan"]), Some(0));
    assert_eq!(run(&["apply", "-v"]), Some(0));
    assert_eq!(
        place.read_host("/etc/systemd/system/hello.service"),
        STATE[2].1
    );
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert_eq!(run(&["status", "--json"]), Some(0));
    assert_eq!(
        run(&["apply", "--rev", "nonsense"]),
        Some(1),
        "an error keeps its exit status"
    );
}

/// Somebody who is not root, with a program that they may run.
fn as_nobody(place: &Place, arguments: &[&str]) -> std::process::Output {
    use std::os::unix::process::CommandExt;
    let program = place.beside("watchme-apply");
    if !program.exists() {
        // By a process of its own: a child of another test would hold a file open that this one writes, and a file that is open
        // for writing does not run.
        let copied = Command::new("cp").arg(PROGRAM).arg(&program).status();
        assert!(copied.unwrap().success());
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(place.checkout())
        .env_clear()
        .env("PATH", "/nonexistent")
        .stdin(Stdio::null());
    if nix::unistd::geteuid().is_root() {
        command.uid(65534).gid(65534);
    }
    command.output().unwrap()
}

#[test]
fn no_permission_and_no_sudo() {
    let place = Place::git(STATE);
    let mut said = String::new();
    for arguments in [
        &["apply"][..],
        &["drift", "--fix"],
        &["pause", "hello", "--reason", "x"],
    ] {
        let output = as_nobody(&place, arguments);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("sudo") && text.contains("root"), "{text}");
        said.push_str(&text);
    }
    shows!("no_permission_and_no_sudo", said);
}

/// As a newcomer runs it: no root, a checkout and a root of one's own.
#[test]
fn an_offline_root_needs_no_root() {
    let place = Place::git(STATE);
    let everything = [place.checkout(), place.root()];
    if nix::unistd::geteuid().is_root() {
        for path in &everything {
            let nobody = Some(65534);
            std::os::unix::fs::chown(path, nobody, nobody).unwrap();
            std::os::unix::fs::chown(path.join(".git"), nobody, nobody).ok();
        }
    }
    let root = place.root();
    let root = root.to_str().unwrap();
    for (arguments, status) in [
        (&["apply"][..], 0),
        (&["apply"], 0),
        (&["drift"], 0),
        (&["pause", "hello", "--reason", "x"], 0),
        (&["status"], 0),
        (&["drift", "--fix"], 0),
    ] {
        let output = as_nobody(&place, &[arguments, &["--root", root]].concat());
        assert_eq!(
            output.status.code(),
            Some(status),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(output.stderr, b"", "nobody is asked for root");
    }
    assert_eq!(place.read_host("/etc/logrotate.d/hello"), STATE[4].1);
}

#[test]
fn an_input_that_may_not_be_read() {
    let place = Place::plain(STATE);
    let path = place.checkout().join("systemd/hello.service");
    if nix::unistd::geteuid().is_root() {
        std::os::unix::fs::chown(place.root(), Some(65534), None).unwrap();
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let before = place.host();
    let output = as_nobody(&place, &["apply", "--root", place.root().to_str().unwrap()]);
    assert_eq!((output.status.code(), place.host()), (Some(1), before));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("systemd/hello.service") && text.contains("ermission"),
        "{text}"
    );
}

#[test]
fn an_offline_root_that_may_not_be_written() {
    let place = Place::git(STATE);
    fs::set_permissions(place.root(), fs::Permissions::from_mode(0o555)).unwrap();
    let root = place.root();
    let root = root.to_str().unwrap();
    let plan = as_nobody(&place, &["plan", "--root", root]);
    assert_eq!(
        plan.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&plan.stderr)
    );
    let before = place.host();
    let apply = as_nobody(&place, &["apply", "--root", root]);
    assert_eq!(apply.status.code(), Some(1));
    assert_eq!(place.host(), before);
    shows!(
        "an_offline_root_that_may_not_be_written",
        place.named(&String::from_utf8(apply.stderr).unwrap())
    );
}
