//! What a test failed with, for the end of its output: the journal of its host is long, and a log may be cut before it.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;

thread_local! {
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Has panics of all threads remembered from now on.
pub(super) fn remember() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            LAST.with_borrow_mut(|last| *last = info.to_string());
            before(info);
        }));
    });
}

/// The last panic of this thread.
pub(super) fn last() -> String {
    LAST.with_borrow(Clone::clone)
}
