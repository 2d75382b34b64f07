//! Values that directives read with code of their own.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use source_text::word_list;

use super::{Wrong, unless};
use crate::source::nginx::variables::is_fixed;
use crate::source::nginx::{Word, size, time};

/// `err_levels` and `debug_levels` in src/core/ngx_log.c.
const LEVELS: [&str; 15] = word_list(
    "emerg alert crit error warn notice info debug debug_core debug_alloc debug_mutex debug_event \
    debug_http debug_mail debug_stream",
);

/// What is wrong with a directive in `http`, or in what is there.
pub(super) fn wrong<'n>(name: &str, args: &'n [Word]) -> Option<Wrong<'n>> {
    match (name, args) {
        ("allow" | "deny", [address]) => (!is_address(&address.text)).then(|| Wrong {
            word: address,
            message: format!("{} is not a client address", address.text),
            help: "write an address, a network such as 192.0.2.0/24, unix: or all",
        }),
        ("expires", [when]) => expires(when, false),
        ("expires", [modified, when]) => match modified.text.as_str() {
            "modified" => expires(when, true),
            other => Some(Wrong {
                word: modified,
                message: format!("{other} is not a parameter of expires"),
                help: "write modified in front of the time, or the time alone",
            }),
        },
        ("set" | "auth_request_set", [variable, _]) => variable_name(variable),
        ("map" | "geo" | "split_clients", [.., variable]) => variable_name(variable),
        ("set_real_ip_from", [address]) => {
            // Else it is the name of a host.
            let is_wrong = address.text.contains('/') && !is_address(&address.text);
            is_wrong.then(|| Wrong {
                word: address,
                message: format!("{} is not a network", address.text),
                help: "write an address, or a network such as 192.0.2.0/24",
            })
        }
        ("keepalive_timeout", times) => times.iter().find_map(|word| {
            let is_time = time(&word.text).is_some();
            unless(is_time, word, "is not a time", "write a time such as 65s")
        }),
        ("fastcgi_param" | "uwsgi_param" | "scgi_param", [_, _, last])
            if last.text != "if_not_empty" =>
        {
            Some(Wrong {
                word: last,
                message: format!("{name} allows only if_not_empty here"),
                help: "write if_not_empty, or put a value with spaces in quotes",
            })
        }
        ("access_log", [off, more, ..]) if off.text == "off" => Some(Wrong {
            word: more,
            message: format!(
                "access_log off takes no other argument, but {} follows it",
                more.text
            ),
            help: "remove it, or write a path instead of off",
        }),
        ("access_log", [_, _, parameters @ ..]) => parameters.iter().find_map(log_parameter),
        ("error_log", [_, level, more, ..]) if !level.text.starts_with("debug") => Some(Wrong {
            word: more,
            message: format!("error_log has one level, but {} follows it", more.text),
            help: "keep the level that logs more",
        }),
        ("error_log", [_, levels @ ..]) => levels.iter().find_map(|level| {
            (!LEVELS.contains(&level.text.as_str())).then(|| Wrong {
                word: level,
                message: format!("{} is not a level of error_log", level.text),
                help: "write debug, info, notice, warn, error, crit, alert or emerg",
            })
        }),
        _ => None,
    }
}

/// What is wrong with a directive at the top, or in `events`.
pub(super) fn of_main<'n>(name: &str, args: &'n [Word]) -> Option<Wrong<'n>> {
    let is_count = |word: &Word| word.text.parse::<u32>().is_ok_and(|count| count > 0);
    match (name, args) {
        ("worker_processes", [count]) if count.text != "auto" && !is_count(count) => {
            let help = "write a number from 1 on, or auto";
            Some(Wrong::of(count, "is not a number of processes", help))
        }
        ("worker_connections", [count]) if !is_count(count) => {
            let help = "write a number from 1 on";
            Some(Wrong::of(count, "is not a number of connections", help))
        }
        ("error_log", _) => wrong(name, args),
        _ => None,
    }
}

/// `invalid variable name`
fn variable_name(word: &Word) -> Option<Wrong<'_>> {
    let name = word.text.strip_prefix('$').filter(|name| !name.is_empty());
    let Some(name) = name else {
        return {
            let help = "write $ in front of its name";
            Some(Wrong::of(word, "is not a variable", help))
        };
    };
    is_fixed(name).then(|| Wrong {
        word,
        message: format!("${name} is nginx's own, and nothing else may set it"),
        help: "give the variable another name",
    })
}

/// Whether `allow` takes it: `ngx_ptocidr` in src/core/ngx_inet.c, and two words.
pub(in crate::check::nginx) fn is_address(text: &str) -> bool {
    if matches!(text, "all" | "unix:") {
        return true;
    }
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let most = if is_v4(address) {
        32
    } else if address.parse::<Ipv6Addr>().is_ok() {
        128
    } else {
        return false;
    };
    bits.is_none_or(|bits| {
        let digits = bits.bytes().all(|byte| byte.is_ascii_digit());
        digits && bits.parse::<u32>().is_ok_and(|bits| bits <= most)
    })
}

/// Numbers may be empty or begin with zeros: `ngx_inet_addr`, which also reads none of the broadcast address.
fn is_v4(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let is_octet = |part: &&str| {
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        digits && (part.is_empty() || part.parse::<u64>().is_ok_and(|octet| octet <= 255))
    };
    parts.len() == 4 && parts.iter().all(is_octet) && text.parse() != Ok(Ipv4Addr::BROADCAST)
}

/// `ngx_http_parse_expires` in src/http/modules/ngx_http_headers_filter_module.c.
fn expires(word: &Word, is_modified: bool) -> Option<Wrong<'_>> {
    let text = word.text.as_str();
    let is_word = !is_modified && matches!(text, "epoch" | "max" | "off");
    if is_word || text.contains('$') {
        return None;
    }
    let is_time = |text: &str| time(text).filter(|_| !text.is_empty() && !text.contains("ms"));
    let fits = match text.strip_prefix('@') {
        Some(clock) => {
            let day = Duration::from_secs(24 * 60 * 60);
            !is_modified && is_time(clock).is_some_and(|clock| clock <= day)
        }
        None => is_time(text.strip_prefix(['+', '-']).unwrap_or(text)).is_some(),
    };
    let help =
        "write a time such as 30d, 1h or -1, a time of day such as @15h30m, or epoch, max or off";
    unless(fits, word, "is not a time for expires", help)
}

/// `ngx_http_log_set_log` in src/http/modules/ngx_http_log_module.c.
fn log_parameter(word: &Word) -> Option<Wrong<'_>> {
    let text = word.text.as_str();
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let has_value = match name {
        "buffer" => size(value).is_some_and(|size| size > 0),
        "flush" => time(value).is_some_and(|time| !time.is_zero()) && !value.contains("ms"),
        "gzip" => text == "gzip" || matches!(value.parse(), Ok(1..=9_u8)),
        _ => true,
    };
    if !has_value {
        return Some(Wrong {
            word,
            message: format!("{value:?} is not a valid value of {name}"),
            help: "write buffer=SIZE, flush=TIME, gzip=1 to 9 or if=CONDITION",
        });
    }
    let known = ["buffer=", "flush=", "gzip=", "if="];
    let fits = text == "gzip" || known.iter().any(|start| text.starts_with(start));
    (!fits).then(|| Wrong {
        word,
        message: format!("access_log has no parameter {text}"),
        help: "write buffer=, flush=, gzip or if=",
    })
}
