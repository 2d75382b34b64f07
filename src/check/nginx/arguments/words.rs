//! Words that directives read with code of their own.

use std::net::IpAddr;

use source_text::word_list;

use super::super::maps::is_wildcard;
use super::Wrong;
use crate::source::nginx::{Word, size, time};

/// `ngx_methods_names` in src/http/ngx_http_core_module.c.
const METHODS: [&str; 14] = word_list(
    "GET HEAD POST PUT DELETE MKCOL COPY MOVE OPTIONS PROPFIND PROPPATCH LOCK UNLOCK PATCH",
);

/// What is wrong with a directive in `http`, or in what is there.
pub(super) fn wrong<'n>(name: &str, args: &'n [Word]) -> Option<Wrong<'n>> {
    match (name, args) {
        ("resolver", words) => words.iter().find_map(resolver).or_else(|| no_server(words)),
        ("try_files", [.., last]) => code(last),
        ("log_format", [format, ..]) if format.text == "combined" => Some(Wrong {
            word: format,
            message: "combined is nginx's own log format".to_owned(),
            help: "give the format another name",
        }),
        ("log_format", [_, escape, ..]) => {
            let how = escape.text.strip_prefix("escape=")?;
            let help = "write escape=default, escape=json or escape=none";
            (!["default", "json", "none"].contains(&how)).then(|| invalid(escape, name, help))
        }
        ("server_name", names) => names.iter().find_map(server_name),
        ("limit_except", methods) => methods.iter().find_map(|method| {
            let is_known = METHODS
                .iter()
                .any(|known| known.eq_ignore_ascii_case(&method.text));
            let help = "write methods such as GET and POST";
            (!is_known).then(|| invalid(method, name, help))
        }),
        ("root" | "alias", [path]) => {
            let parts = [
                "$document_root",
                "${document_root}",
                "$realpath_root",
                "${realpath_root}",
            ];
            let is_own = parts.iter().any(|part| path.text.contains(part));
            let help = "write the path itself: these variables are derived from it";
            is_own.then(|| invalid(path, name, help))
        }
        (
            "proxy_buffers"
            | "fastcgi_buffers"
            | "uwsgi_buffers"
            | "scgi_buffers"
            | "gzip_buffers"
            | "gunzip_buffers"
            | "output_buffers"
            | "large_client_header_buffers",
            [count, each],
        ) => {
            let is_count = count.text.parse::<u32>().is_ok_and(|count| count > 0);
            let help = "write a number and a size, such as 8 16k";
            if !is_count {
                return Some(invalid(count, name, help));
            }
            let is_size = size(&each.text).is_some_and(|size| size > 0);
            (!is_size).then(|| invalid(each, name, help))
        }
        ("open_file_cache" | "open_log_file_cache", words) => open_files(name, words),
        (
            "proxy_cache_valid" | "fastcgi_cache_valid" | "uwsgi_cache_valid" | "scgi_cache_valid",
            [codes @ .., age],
        ) => {
            let is_code = |code: &&Word| {
                let number = code.text.parse::<u16>();
                code.text == "any" || number.is_ok_and(|number| (100..=599).contains(&number))
            };
            let help = "write codes from 100 to 599 or any, and a time such as 10m";
            if let Some(code) = codes.iter().find(|code| !is_code(code)) {
                return Some(invalid(code, name, help));
            }
            (!is_time(&age.text)).then(|| invalid(age, name, help))
        }
        (
            "proxy_bind" | "fastcgi_bind" | "uwsgi_bind" | "scgi_bind" | "grpc_bind"
            | "memcached_bind",
            [address, options @ ..],
        ) => {
            let help = "write an address of this host, or off; transparent may follow";
            if let Some(option) = options.iter().find(|option| option.text != "transparent") {
                return Some(invalid(option, name, help));
            }
            let text = address.text.as_str();
            let is_off = text == "off" && options.is_empty();
            let has_no_port = text.ends_with(']');
            (!is_off && !text.contains('$') && (has_no_port || !is_socket(text)))
                .then(|| invalid(address, name, help))
        }
        (
            "proxy_redirect" | "proxy_cookie_domain" | "proxy_cookie_path" | "proxy_cookie_flags",
            [one],
        ) if one.text != "off" && (name != "proxy_redirect" || one.text != "default") => {
            Some(invalid(
                one,
                name,
                "write what is replaced and what replaces it, or off",
            ))
        }
        ("gzip_window" | "gzip_hash", [window]) => {
            let most = if name == "gzip_window" { 32 } else { 128 } << 10;
            let is_power = |size: &u64| size.is_power_of_two() && (512..=most).contains(size);
            let help = "write a power of two from 512 on, such as 16k";
            size(&window.text)
                .filter(is_power)
                .is_none()
                .then(|| invalid(window, name, help))
        }
        ("sub_filter", [search, _]) => search.text.is_empty().then(|| Wrong {
            word: search,
            message: "sub_filter replaces an empty text".to_owned(),
            help: "write the text that is replaced",
        }),
        ("directio", [size_]) => {
            let is_right = size_.text == "off" || size(&size_.text).is_some();
            (!is_right).then(|| invalid(size_, name, "write a size such as 4m, or off"))
        }
        ("valid_referers", words) => words.iter().find_map(|word| {
            let name = word.text.split('/').next().unwrap_or_default();
            let is_wrong = !name.starts_with('~') && name.contains('*') && !is_wildcard(name);
            let help = "write *.example.com or www.example.*";
            is_wrong.then(|| invalid(word, "valid_referers", help))
        }),
        _ => None,
    }
}

fn invalid<'n>(word: &'n Word, directive: &str, help: &'static str) -> Wrong<'n> {
    Wrong {
        word,
        message: format!("{:?} is not a valid value of {directive}", word.text),
        help,
    }
}

/// Whether a time of whole seconds is meant.
pub(super) fn is_time(text: &str) -> bool {
    !text.is_empty() && time(text).is_some() && !text.contains("ms")
}

/// An address, with a port or without.
fn is_socket(text: &str) -> bool {
    if let Some(inside) = text.strip_prefix('[') {
        let (host, port) = inside.split_once(']').unwrap_or_default();
        let port = port.strip_prefix(':').unwrap_or(port);
        return is_v6(host) && (port.is_empty() || is_port(port));
    }
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => is_v4(host) && is_port(port),
        _ => is_v4(text) || is_v6(text),
    }
}

fn is_v4(text: &str) -> bool {
    text.parse::<IpAddr>()
        .is_ok_and(|address| address.is_ipv4())
}

fn is_v6(text: &str) -> bool {
    text.parse::<IpAddr>()
        .is_ok_and(|address| address.is_ipv6())
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// `ngx_resolver_create` in src/core/ngx_resolver.c. `status_zone` is one of the commercial version; names of hosts are looked up.
fn resolver(word: &Word) -> Option<Wrong<'_>> {
    let text = word.text.as_str();
    let help = "write addresses, and after them valid=TIME, ipv4=off or ipv6=off";
    let is_right = match text.split_once('=') {
        Some(("valid", time)) => is_time(time),
        Some(("ipv4" | "ipv6", switch)) => matches!(switch, "on" | "off"),
        Some(("status_zone", zone)) => !zone.is_empty(),
        Some(_) => false,
        None if text.starts_with('[') || text.starts_with(|c: char| c.is_ascii_digit()) => {
            is_socket(text)
        }
        None => !text.contains(['/', '$']) && text != "off" || text.starts_with("unix:"),
    };
    (!is_right).then(|| invalid(word, "resolver", help))
}

/// `no name servers defined`
fn no_server(words: &[Word]) -> Option<Wrong<'_>> {
    let first = words.first()?;
    words
        .iter()
        .all(|word| word.text.contains('='))
        .then(|| Wrong {
            word: first,
            message: "resolver names no server".to_owned(),
            help: "write the address of a name server in front",
        })
}

/// The status that a `try_files` ends with.
fn code(last: &Word) -> Option<Wrong<'_>> {
    let code = last.text.strip_prefix('=')?;
    let digits = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit());
    let is_code = digits && code.parse::<u16>().is_ok_and(|code| code <= 999);
    (!is_code).then(|| invalid(last, "try_files", "write = and a status, such as =404"))
}

/// `ngx_http_core_server_name` in src/http/ngx_http_core_module.c.
fn server_name(word: &Word) -> Option<Wrong<'_>> {
    let text = word.text.as_str();
    let is_star = text.starts_with('*') && (text.len() < 3 || !text.starts_with("*."));
    let is_wrong = is_star || text == "." || text == "~";
    let help = "write a name, *.DOMAIN, .DOMAIN or ~EXPRESSION; _ for a server without names";
    is_wrong.then(|| invalid(word, "server_name", help))
}

/// `ngx_http_core_open_file_cache` in src/http/ngx_http_core_module.c, `ngx_http_log_open_file_cache` in
/// src/http/modules/ngx_http_log_module.c.
fn open_files<'n>(name: &str, words: &'n [Word]) -> Option<Wrong<'n>> {
    let is_of_logs = name == "open_log_file_cache";
    let help = match is_of_logs {
        true => "write max=NUMBER, and inactive=TIME, valid=TIME or min_uses=NUMBER, or off",
        false => "write max=NUMBER and inactive=TIME, or off",
    };
    let number = |text: &str| text.parse::<u32>().is_ok();
    let is_right = |word: &&Word| match word.text.split_once('=') {
        Some(("max", count)) => number(count) && count.bytes().any(|byte| byte != b'0'),
        Some(("inactive", time)) => is_time(time),
        Some(("valid", time)) => is_of_logs && is_time(time),
        Some(("min_uses", count)) => is_of_logs && number(count),
        _ => word.text == "off",
    };
    if let Some(word) = words.iter().find(|word| !is_right(word)) {
        return Some(invalid(word, name, help));
    }
    let has = |start: &str| words.iter().any(|word| word.text.starts_with(start));
    let first = words.first()?;
    (!has("max=") && !has("off")).then(|| Wrong {
        word: first,
        message: format!("{name} has no max="),
        help,
    })
}
