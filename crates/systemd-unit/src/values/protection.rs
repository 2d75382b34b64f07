//! What a service may do: system calls, capabilities, namespaces, and what its end means.

use source_text::word_list;

use super::extract::Syntax;
use super::numbers::{integer, unsigned};
use super::reader::Reader;
use super::types::{is_truth, signal};
use crate::table;

/// System calls and groups of them, behind a `~` all others; each may have the error that it fails with.
pub(super) static CALLS: Reader = Reader::inverted(Syntax::Plain, is_filter)
    .expects("expected system calls such as openat, or groups such as @system-service")
    .of(calls);
/// The same without errors.
pub(super) static LOGGED_CALLS: Reader = Reader::list(Syntax::Plain, is_call)
    .expects("expected system calls such as openat, or groups such as @system-service")
    .inverts()
    .of(calls);
/// Architectures of system calls.
pub(super) static ARCHITECTURES: Reader =
    Reader::list(Syntax::Quoted, |word| CALL_ARCHITECTURES.contains(&word))
        .expects("expected native, or names such as x86-64 and arm64")
        .literal()
        .of(|| CALL_ARCHITECTURES.to_vec());
/// What a forbidden system call fails with.
pub(super) static ERROR: Reader = Reader::whole(|text| text == "kill" || is_error(text))
    .expects("expected an error such as EPERM, or kill")
    .literal()
    .of(|| table::names("errors").collect());
/// Capabilities, behind a `~` all others. systemd ignores unknown ones without a word.
pub(super) static CAPABILITIES: Reader = Reader::list(Syntax::Quoted, |word| {
    table::has("capabilities", &word.to_ascii_uppercase())
        || integer(word).is_some_and(|number| (0..64).contains(&number))
})
.expects("expected capabilities such as CAP_NET_BIND_SERVICE")
.inverts()
.of(|| table::names("capabilities").collect());
/// Namespaces, behind a `~` all others, or yes or no.
pub(super) static NAMESPACES: Reader =
    Reader::list(Syntax::Plain, |word| NAMES_OF_NAMESPACES.contains(&word))
        .expects("expected yes, no, or some of cgroup, ipc, net, mnt, pid, user, uts")
        .inverts()
        .at_once()
        .or(is_truth)
        .of(|| NAMES_OF_NAMESPACES.to_vec());
/// Names of file systems, which may be any, and groups of them.
pub(super) static FILE_SYSTEMS: Reader = Reader::list(Syntax::Quoted, |word| {
    !word.starts_with('@') || table::has("filesystem groups", word)
})
.expects("expected file systems such as ext4, or groups such as @basic-api")
.inverts()
.of(|| table::names("filesystem groups").collect());
/// Bits of a process. systemd ignores unknown ones without a word.
pub(super) static SECURE_BITS: Reader = Reader::list(Syntax::Quoted, |word| BITS.contains(&word))
    .expects("expected keep-caps, no-setuid-fixup, noroot, each also with -locked")
    .literal()
    .of(|| BITS.to_vec());
/// Exit statuses and signals.
pub(super) static STATUSES: Reader = Reader::list(Syntax::Plain, is_status)
    .expects("expected numbers to 255, words such as TEMPFAIL, and signals such as SIGTERM")
    .literal()
    .of(|| table::names("exit statuses").collect());
/// One exit status.
pub(super) static EXIT_STATUS: Reader =
    Reader::whole(|text| unsigned(text).is_some_and(|number| number <= 255))
        .expects("expected a number to 255")
        .literal();
/// The parts of a process that a dump has.
pub(super) static DUMP: Reader = Reader::list(Syntax::Plain, |word| {
    let digits = word.strip_prefix("0x").unwrap_or(word);
    DUMPED.contains(&word) || u64::from_str_radix(digits, 16).is_ok()
})
.expects("expected words such as default and private-anonymous, or bits in hexadecimal")
.literal()
.at_once()
.of(|| DUMPED.to_vec());

/// `seccomp_arch_from_string` in `src/shared/seccomp-util.c` of systemd; `loongarch64` since 257.
const CALL_ARCHITECTURES: &[&str] = &word_list::<21>(
    "native x86 x86-64 x32 arm arm64 loongarch64 mips mips64 mips64-n32 mips-le mips64-le \
    mips64-le-n32 parisc parisc64 ppc ppc64 ppc64-le riscv64 s390 s390x",
);
/// `namespace_info` in `src/basic/namespace-util.c` of systemd; `time` since 258.
const NAMES_OF_NAMESPACES: &[&str] = &["cgroup", "ipc", "net", "mnt", "pid", "user", "uts", "time"];
const BITS: &[&str] = &word_list::<6>(
    "keep-caps keep-caps-locked no-setuid-fixup no-setuid-fixup-locked noroot noroot-locked",
);
/// `src/shared/coredump-util.c` of systemd.
const DUMPED: &[&str] = &word_list::<11>(
    "default all private-anonymous shared-anonymous private-file-backed shared-file-backed \
    elf-headers private-huge shared-huge private-dax shared-dax",
);
/// The last number of an error, `ERRNO_MAX`.
const ERROR_MAX: i32 = 4095;

fn calls() -> Vec<&'static str> {
    table::names("call groups")
        .chain(table::names("calls"))
        .collect()
}

fn is_call(word: &str) -> bool {
    table::has("calls", word) || table::has("call groups", word)
}

fn is_error(word: &str) -> bool {
    table::has("errors", &word.to_ascii_uppercase())
        || integer(word).is_some_and(|number| (1..=ERROR_MAX).contains(&number))
}

/// Only what is forbidden can fail.
fn is_filter(word: &str, is_forbidden: bool) -> bool {
    match word.split_once(':') {
        Some((call, error)) => {
            is_forbidden && is_call(call) && (["kill", "0"].contains(&error) || is_error(error))
        }
        None => is_call(word),
    }
}

fn is_status(word: &str) -> bool {
    table::has("exit statuses", word)
        || unsigned(word).is_some_and(|number| number <= 255)
        || signal(word)
}
