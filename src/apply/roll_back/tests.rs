use std::path::Path;

use super::*;
use crate::apply::switch::MARK;
use crate::effect::Change;
use crate::model::{Answer, Gate, layout};
use crate::root::Root;
use crate::state::{Saved, State};

struct Silent;

impl Progress for Silent {
    fn begin(&mut self, _: &Change) {}
    fn done(&mut self, _: &Change) {}
    fn asks(&mut self, _: &Gate, _: u32) {}
    fn holds(&mut self, _: &Gate, _: &Answer) {}
    fn say(&mut self, _: &str) {}
    fn warn(&mut self, _: &str) {}
}

/// A recovery that is killed after the switch, and begun anew: what led into the tree of the run does not come back.
#[test]
fn what_was_put_back_before_the_switch_is_not_put_back_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(folder.path()).unwrap();
    let (live, next) = (Path::new(layout::LIVE), Path::new(layout::NEXT));
    for tree in [
        live,
        next,
        Path::new(layout::STATE),
        Path::new("/etc/nginx"),
    ] {
        root.make_folder(tree).unwrap();
    }
    root.write(&live.join(MARK), b"run", 0o644).unwrap();
    let state = State::new(root.clone());
    let snippet = PathBuf::from("/etc/nginx/snippet.conf");
    let restore = |target: &str| Undo::Restore {
        path: snippet.clone(),
        saved: Saved::Link(target.into()),
    };
    let leaving = layout::live(".leaving/snippet.conf");
    let run = "run".to_owned();
    let mut journal = state.journal().unwrap();
    journal
        .record_all(vec![
            restore("/srv/before"),
            Undo::Exchange { run },
            restore(&leaving.to_string_lossy()),
        ])
        .unwrap();
    let host = Host::offline(root.clone());
    let left = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(roll_back(&host, &mut journal, &mut Silent));
    assert!(left.is_empty(), "{left:?}");
    // As a run finds it that is started after this one was killed.
    let found = state.journal().unwrap();
    assert_eq!(found.undos().len(), 2, "{:?}", found.undos());
    assert_eq!(found.undos()[0], restore("/srv/before"));
}
