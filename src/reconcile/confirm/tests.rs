//! What the records of a wait mean, and what is said of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::timer::minutes;
use super::*;
use crate::model::{Desired, Hash, Inventory, Loaded, Origin, ResourceId, layout};
use crate::plan::Gates;
use crate::plan::draft::change;
use crate::root::Root;
use crate::source::Which;
use crate::state::Undo;

#[test]
fn what_may_lock_somebody_out_is_confirmed() {
    for (kind, name, expected) in [
        (Kind::Etc, "ssh/sshd_config.d/10-app.conf", true),
        (Kind::Etc, "sudoers.d/app", true),
        (Kind::Etc, "netplan/50-cloud-init.yaml", true),
        (Kind::Etc, "logrotate.d/ssh", false),
        (Kind::Firewall, "watchme_apply", true),
        (Kind::Unit, "ssh.service", true),
        (Kind::Unit, "web.service", false),
        (Kind::Site, "ssh/x", false),
    ] {
        let id = ResourceId::new(kind, name);
        let found = is_risky(&change(id, Effect::ReloadNginx, "x"));
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn pauses_grow_to_a_quarter_of_an_hour() {
    let pauses: Vec<u64> = (0..6).map(minutes).collect();
    assert_eq!(pauses, [1, 2, 4, 8, 15, 15]);
    assert_eq!(minutes(u32::MAX), 15);
}

struct Records {
    _folder: tempfile::TempDir,
    host: Host,
    state: State,
}

/// Generation 1 is applied, and an apply began that is to be confirmed.
fn begun() -> Records {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(folder.path()).unwrap();
    for path in [layout::STATE, layout::GENERATIONS] {
        root.make_folder(Path::new(path)).unwrap();
    }
    let records = Records {
        _folder: folder,
        host: Host::offline(root.clone()),
        state: State::new(root),
    };
    records.commit(run(1, RunKind::Apply));
    records.wait(None, 60);
    records
}

fn run(number: u64, kind: RunKind) -> RunRecord {
    RunRecord {
        number: Some(number),
        back_to: (kind == RunKind::Rollback).then_some(1),
        by: "ubuntu".to_owned(),
        ..RunRecord::new(kind, Origin::default(), Timestamp::now())
    }
}

fn request() -> Request {
    Request {
        folder: PathBuf::new(),
        which: Which::Head,
        host: None,
        only: Vec::new(),
        allow_empty: false,
        take_over: false,
        lock_timeout: Duration::ZERO,
        by: "ubuntu".to_owned(),
        unattended: false,
        confirm: Confirm::Never,
        retry: false,
        asks: false,
        gates: Gates::None,
        lenient: false,
        sealed: false,
        interrupted: Arc::default(),
    }
}

impl Records {
    fn commit(&self, run: RunRecord) {
        let mut journal = self.state.journal().unwrap();
        let (number, desired) = (run.number.unwrap(), Desired::default());
        let inventory = Inventory {
            generation: run.number,
            ..Inventory::default()
        };
        let generation = Some((number, &run, &desired, &[][..]));
        let loaded = Loaded::default();
        self.state
            .commit(&mut journal, generation, &inventory, &loaded)
            .unwrap();
    }

    fn wait(&self, generation: Option<u64>, seconds: i64) {
        let waiting = Waiting {
            generation,
            back_to: 1,
            until: Timestamp::now() + SignedDuration::from_secs(seconds),
            by: "ubuntu".to_owned(),
            inputs: Some(Hash::of(b"new")),
        };
        self.state.write_waiting(&waiting).unwrap();
    }

    fn confirm(&self) -> Result<Waiting, ReconcileError> {
        wait_for(confirm(&self.host, &request()))
    }

    fn admit(&self) -> Result<(), ReconcileError> {
        wait_for(admit(&self.host, &self.state))
    }
}

fn wait_for<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

/// What an error says, and the command that helps.
fn said<T: std::fmt::Debug>(result: Result<T, ReconcileError>) -> String {
    let error = result.unwrap_err();
    format!("{error}; {}", error.hint().unwrap_or_default())
}

#[test]
fn a_run_that_was_cut_off_is_not_confirmed() {
    let records = begun();
    let cut_off = "the run was interrupted before its end: there is nothing to confirm until it is undone; sudo watchme-apply recover, then apply again";
    let mut journal = records.state.journal().unwrap();
    journal
        .record(Undo::Stop("web.service".to_owned()))
        .unwrap();
    assert_eq!(said(records.confirm()), cut_off);
    // The same of one that waited, as another run was cut off.
    records.wait(Some(2), 60);
    assert_eq!(said(records.confirm()), cut_off);
    assert!(
        records.state.waiting().unwrap().is_some(),
        "the record stays"
    );
    journal.clear().unwrap();
    records.wait(None, 60);
    assert_eq!(said(records.confirm()), cut_off);

    // It is undone: another run may begin, and no unattended one applies the same.
    records.admit().unwrap();
    assert_eq!(records.state.waiting().unwrap(), None);
    let hold = records.state.attempts().unwrap().hold.unwrap();
    assert_eq!((hold.back_to, hold.inputs.len()), (1, 1));
    assert!(hold.inputs.contains(&Hash::of(b"new")));
    assert!(said(records.confirm()).starts_with("nothing waits for confirmation"));
}

#[test]
fn a_run_that_was_killed_behind_its_commit_waits() {
    let records = begun();
    records.commit(run(2, RunKind::Apply));
    let refused = "generation 2 waits for confirmation, and will be rolled back to 1 in 60 s; sudo watchme-apply confirm keeps it; \
                   sudo watchme-apply rollback 1 rolls it back at once";
    assert_eq!(said(records.admit()), refused);
    assert_eq!(said(demand_none(&records.state)), refused);
    assert_eq!(waiting(&records.host).unwrap().unwrap().generation, Some(2));
    assert_eq!(records.confirm().unwrap().generation, Some(2));
    records.admit().unwrap();
}

#[test]
fn what_is_over_can_only_be_rolled_back() {
    let records = begun();
    records.commit(run(2, RunKind::Apply));
    records.wait(Some(2), -1);
    assert_eq!(
        said(records.admit()),
        "generation 2 was not confirmed in time, and is not rolled back to 1 yet; it cannot be confirmed any more: \
         sudo watchme-apply rollback 1 rolls it back now"
    );
    assert!(
        said(records.confirm()).starts_with("too late: generation 2 was not confirmed in time")
    );
    // The same once it is rolled back; a run later, nothing is to be said of it.
    wait_for(over(&records.host, &records.state)).unwrap();
    let by_itself = RunRecord {
        by: not_confirmed("ubuntu"),
        ..run(3, RunKind::Rollback)
    };
    records.commit(by_itself);
    let late = said(records.confirm());
    assert!(
        late.starts_with(
            "too late: generation 2 was not confirmed in time, and will be rolled back to generation 1"
        ),
        "{late}"
    );
    records.commit(run(4, RunKind::Apply));
    assert!(said(records.confirm()).starts_with("nothing waits"));
}

#[test]
fn only_a_roll_back_is_called_one() {
    let records = begun();
    records.commit(run(2, RunKind::Apply));
    records.wait(Some(2), 60);
    let waited = records.state.waiting().unwrap().unwrap();
    assert!(!kept(&records.host, &waited).unwrap());
    records.state.end_waiting().unwrap();
    assert!(kept(&records.host, &waited).unwrap());
    records.commit(run(3, RunKind::Apply));
    assert_eq!(
        said(kept(&records.host, &waited)),
        "it is not known whether generation 2 was confirmed or rolled back: now generation 3 is applied; \
         watchme-apply history shows the runs since then"
    );
    // What went back later did not go back from the one that waited.
    records.commit(run(4, RunKind::Rollback));
    let later = kept(&records.host, &waited).unwrap_err();
    assert!(
        matches!(
            later,
            ReconcileError::Confirm(ConfirmError::EndUnknown { .. })
        ),
        "{later}"
    );

    let records = begun();
    records.commit(run(2, RunKind::Apply));
    records.wait(Some(2), 60);
    let waited = records.state.waiting().unwrap().unwrap();
    records.state.end_waiting().unwrap();
    records.commit(run(3, RunKind::Rollback));
    let taken_back = kept(&records.host, &waited).unwrap_err();
    assert!(matches!(
        taken_back,
        ReconcileError::Confirm(ConfirmError::TakenBack { .. })
    ));
}

#[test]
fn a_record_that_is_damaged_is_named_with_what_helps() {
    let records = begun();
    assert_eq!(reminder(&records.state), None, "a run that was cut off");
    records.commit(run(2, RunKind::Apply));
    let waits = reminder(&records.state).unwrap();
    assert!(
        waits.starts_with("generation 2 waits for confirmation, and will be rolled back to 1 in ")
            && waits.contains("sudo watchme-apply confirm keeps it"),
        "{waits}"
    );
    let path = records
        ._folder
        .path()
        .join("var/lib/watchme-apply/confirm.json");
    std::fs::write(path, "{").unwrap();
    let damaged = reminder(&records.state).unwrap();
    for words in [
        "confirm.json is damaged",
        "nothing waits for confirmation then",
        ": sudo mv ",
        "confirm.json.damaged",
    ] {
        assert!(damaged.contains(words), "{words}: {damaged}");
    }
}
