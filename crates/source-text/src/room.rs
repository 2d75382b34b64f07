//! Memory for threads that read much.

use std::hint::black_box;

/// How much memory a thread gets at once. It is only taken from the machine where something is written to it.
const ROOM: usize = 16 << 20;

/// Makes room for a thread that keeps many small pieces of memory. glibc enlarges the heap of any thread but the first by what is
/// asked for just then, a page and a call of mprotect(2) each time, and other threads wait for it (`sysmalloc` in malloc/malloc.c).
/// What is given back at the end of such a heap stays in it below a bound, which rises to twice the largest piece that was
/// given back before: `M_TRIM_THRESHOLD` in mallopt(3).
pub fn make_room() {
    drop(black_box(Vec::<u8>::with_capacity(ROOM + (1 << 20))));
    drop(black_box(Vec::<u8>::with_capacity(ROOM)));
}
