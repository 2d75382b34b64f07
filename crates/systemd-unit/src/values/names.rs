//! Names that follow rules: variables, users, units, descriptors, pages.

use super::extract::{Syntax, parts};
use super::paths::is_normal;
use super::reader::Reader;
use super::types::is_truth;
use crate::Name;

/// Variables with their values.
pub(super) static ENVIRONMENT: Reader = Reader::list(Syntax::Escaped, is_assignment)
    .expects("expected NAME=VALUE, in quotes if the value has blanks");
/// Names of variables.
pub(super) static PASSED: Reader = Reader::list(Syntax::Quoted, is_variable)
    .expects("expected names of variables, separated by blanks")
    .open();
/// Names of variables, or variables with one value.
pub(super) static UNSET: Reader = Reader::list(Syntax::Escaped, |word| {
    is_variable(word) || is_assignment(word)
})
.expects("expected names of variables, separated by blanks")
.open();
/// Fields of the journal.
pub(super) static FIELDS: Reader = Reader::list(Syntax::Escaped, |word| {
    let name = word.split_once('=').map(|(name, _)| name);
    name.is_some_and(|name| name.contains('%') || is_field(name))
})
.expects("expected NAME=VALUE with a name of A-Z, 0-9 and _");
/// A user or group.
pub(super) static ACCOUNT: Reader =
    Reader::whole(is_account).expects("expected a name or a number");
/// Groups.
pub(super) static ACCOUNTS: Reader = Reader::list(Syntax::Plain, is_account)
    .expects("expected names or numbers, separated by blanks")
    .open()
    .at_once();
/// A slice.
pub(super) static SLICE: Reader =
    Reader::whole(is_slice).expects("expected a name such as background.slice");
/// Socket units.
pub(super) static SOCKETS: Reader = Reader::list(Syntax::Plain, |word| is_unit(word, ".socket"))
    .expects("expected names that end in .socket")
    .open();
/// A service.
pub(super) static SERVICE: Reader = Reader::whole(|text| is_unit(text, ".service"))
    .expects("expected a name that ends in .service");
/// A name on the bus, `service_name_is_valid` in `src/libsystemd/sd-bus/bus-internal.c` of systemd.
pub(super) static BUS: Reader =
    Reader::whole(is_bus_name).expects("expected a name such as com.example.Api");
/// A name of a file descriptor.
pub(super) static DESCRIPTOR: Reader =
    Reader::whole(is_descriptor).expects("expected a name without : and of at most 255 letters");
/// A journal of its own.
pub(super) static NAMESPACE: Reader =
    Reader::whole(is_namespace).expects("expected a name of letters, digits and :-_.");
/// Pages, `src/shared/web-util.c` of systemd.
pub(super) static PAGES: Reader = Reader::list(Syntax::Quoted, is_page)
    .expects("expected addresses that begin with https://, http://, file:/, info: or man:")
    .open();
/// A secret with its file.
pub(super) static LOADED: Reader =
    Reader::whole(is_loaded).expects("expected NAME or NAME:PATH, with an absolute path");
/// A secret.
pub(super) static SET: Reader = Reader::whole(is_set).expects("expected NAME:VALUE");
/// An encrypted one.
pub(super) static ENCRYPTED: Reader =
    Reader::whole(is_encrypted).expects("expected NAME: and the output of systemd-creds encrypt");
/// Whether a service may change the name of the host, and since systemd 258 the name that it sees.
pub(super) static HOST: Reader = Reader::whole(|text| {
    let mode = text.split_once(':').map_or(text, |(mode, _)| mode);
    is_truth(mode) || mode == "private"
})
.expects("expected yes, no, or private");
/// What is passed to a reboot.
pub(super) static ARGUMENT: Reader =
    Reader::whole(|text| text.is_ascii() && text.len() <= NAME_MAX)
        .expects("expected at most 255 characters of ASCII");

const NAME_MAX: usize = 255;
/// The longest name of a field of the journal.
const FIELD_MAX: usize = 64;
/// `LOG_NAMESPACE_MAX` in `src/basic/syslog-util.h` of systemd.
const NAMESPACE_MAX: usize = NAME_MAX - 33;

/// `env_name_is_valid` in `src/basic/env-util.c` of systemd.
fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_assignment(word: &str) -> bool {
    match word.split_once('=') {
        Some((name, _)) => name.contains('%') || is_variable(name),
        None => word.contains('%'),
    }
}

fn is_field(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    !name.is_empty()
        && name.len() <= FIELD_MAX
        && !name.starts_with(|c: char| c == '_' || c.is_ascii_digit())
        && name.chars().all(fits)
}

/// `valid_user_group_name` in `src/basic/user-util.c` of systemd, as it reads unit files.
fn is_account(name: &str) -> bool {
    let digits = name.strip_prefix('-').unwrap_or(name);
    if !name.is_empty() && digits.chars().all(|c| c.is_ascii_digit()) {
        let number = name.parse::<u32>().ok();
        let is_plain = name == "0" || !name.starts_with(['0', '-', '+']);
        // Those two stand for nobody at all.
        return is_plain && number.is_some_and(|id| id != u32::MAX && id != 0xffff);
    }
    !name.is_empty()
        && ![".", ".."].contains(&name)
        && !name.starts_with(' ')
        && !name.ends_with(' ')
        && !name.chars().any(|c| c.is_control() || c == ':' || c == '/')
}

fn is_unit(name: &str, end: &str) -> bool {
    name.ends_with(end) && Name::parse(name).is_ok()
}

fn is_slice(name: &str) -> bool {
    // `slice_name_is_valid` in src/basic/unit-name.c: each dash is a level.
    let has_levels = |prefix: &str| prefix == "-" || prefix.split('-').all(|part| !part.is_empty());
    Name::parse(name).is_ok_and(|name| {
        name.suffix() == "slice" && name.instance().is_none() && has_levels(name.prefix())
    })
}

fn is_bus_name(name: &str) -> bool {
    let (name, is_unique) = match name.strip_prefix(':') {
        Some(rest) => (rest, true),
        None => (name, false),
    };
    let fits = |part: &str| {
        !part.is_empty()
            && (is_unique || !part.starts_with(|c: char| c.is_ascii_digit()))
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    name.len() <= NAME_MAX && name.contains('.') && name.split('.').all(fits)
}

/// `fdname_is_valid` in `src/basic/fd-util.c` of systemd.
pub(super) fn is_descriptor(name: &str) -> bool {
    name.len() <= NAME_MAX
        && name
            .chars()
            .all(|c| (' '..'\u{7f}').contains(&c) && c != ':')
}

fn is_credential(name: &str) -> bool {
    !["", ".", ".."].contains(&name) && !name.contains('/') && is_descriptor(name)
}

fn is_namespace(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || ":-_.@".contains(c);
    !["", ".", ".."].contains(&name) && name.len() <= NAMESPACE_MAX && name.chars().all(fits)
}

fn is_page(address: &str) -> bool {
    ["http://", "https://", "file:/", "info:", "man:"]
        .iter()
        .any(|start| {
            let rest = address.strip_prefix(start);
            rest.is_some_and(|rest| !rest.is_empty() && rest.is_ascii())
        })
}

fn is_loaded(text: &str) -> bool {
    let (name, source) = text.split_once(':').unwrap_or((text, ""));
    let is_source = match source.starts_with('/') {
        true => {
            let has_dot = source.split('/').any(|part| part == ".");
            is_normal(source) && !source.contains("//") && !has_dot
        }
        false => source.is_empty() || is_credential(source),
    };
    is_credential(name) && is_source
}

fn is_encrypted(text: &str) -> bool {
    let value = text.split_once(':').map_or("", |(_, value)| value);
    is_set(text) && is_base64(value)
}

fn is_base64(text: &str) -> bool {
    let letters: Vec<u8> = text.bytes().filter(|c| !c.is_ascii_whitespace()).collect();
    let padding = letters.iter().rev().take_while(|c| **c == b'=').count();
    let data = letters.get(..letters.len() - padding).unwrap_or_default();
    letters.len().is_multiple_of(4)
        && padding <= 2
        && data
            .iter()
            .all(|c| c.is_ascii_alphanumeric() || b"+/".contains(c))
}

fn is_set(text: &str) -> bool {
    let parts = parts(text, &[':'], Syntax::Plain);
    let name = parts.and_then(|parts| parts.into_iter().next());
    let value = text.split_once(':').map_or("", |(_, value)| value);
    !value.is_empty() && name.is_some_and(|name| is_credential(&name))
}
