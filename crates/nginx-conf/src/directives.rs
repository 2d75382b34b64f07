//! What nginx takes of directives: names, places, numbers of arguments, and kinds of values.
//!
//! `ngx_conf_handler` in src/core/ngx_conf_file.c. Modules that the table does not have bring further directives.

use std::fmt;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::time;
use crate::versions::Area;

/// Where a directive is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// `http`.
    Http,
    /// `server` in it.
    Server,
    /// `location`.
    Location,
    /// `if` in a server.
    IfInServer,
    /// `if` in a location.
    IfInLocation,
    /// `limit_except`.
    LimitExcept,
    /// `upstream`.
    Upstream,
    /// `stream`.
    Stream,
    /// `server` in it.
    StreamServer,
    /// `upstream` in it.
    StreamUpstream,
    /// `mail`.
    Mail,
    /// `server` in it.
    MailServer,
    /// `events`.
    Events,
    /// The top of nginx.conf.
    Main,
}

/// All of them, in their order, in which they are listed to people, each with its letter in the table and its name.
const CONTEXTS: [(Context, char, &str); 14] = [
    (Context::Http, 'H', "http"),
    (Context::Server, 'S', "server"),
    (Context::Location, 'L', "location"),
    (Context::IfInServer, 's', "if in server"),
    (Context::IfInLocation, 'l', "if in location"),
    (Context::LimitExcept, 'X', "limit_except"),
    (Context::Upstream, 'U', "upstream"),
    (Context::Stream, 'T', "stream"),
    (Context::StreamServer, 'R', "server in stream"),
    (Context::StreamUpstream, 'P', "upstream in stream"),
    (Context::Mail, 'A', "mail"),
    (Context::MailServer, 'B', "server in mail"),
    (Context::Events, 'E', "events"),
    (Context::Main, 'M', "the top of nginx.conf"),
];

impl Context {
    /// Its line of [`CONTEXTS`]: letter and name.
    fn line(self) -> (char, &'static str) {
        let (_, letter, name) = CONTEXTS[self as usize];
        (letter, name)
    }

    /// The context in the block of a directive that is here; `None` where there are no directives in it, or nothing is
    /// known of them.
    pub fn inside(self, name: &str) -> Option<Self> {
        match (name, self) {
            ("http", Self::Main) => Some(Self::Http),
            ("stream", Self::Main) => Some(Self::Stream),
            ("mail", Self::Main) => Some(Self::Mail),
            ("events", Self::Main) => Some(Self::Events),
            ("server", Self::Http) => Some(Self::Server),
            ("upstream", Self::Http) => Some(Self::Upstream),
            ("server", Self::Stream) => Some(Self::StreamServer),
            ("upstream", Self::Stream) => Some(Self::StreamUpstream),
            ("server", Self::Mail) => Some(Self::MailServer),
            ("location", _) => Some(Self::Location),
            ("limit_except", _) => Some(Self::LimitExcept),
            ("if", Self::Server) => Some(Self::IfInServer),
            ("if", _) => Some(Self::IfInLocation),
            _ => None,
        }
    }

    /// What the table of versions calls it.
    pub fn area(self) -> Area {
        match self {
            Self::Upstream => Area::Upstream,
            Self::Stream | Self::StreamServer => Area::Stream,
            Self::StreamUpstream => Area::StreamUpstream,
            Self::Mail | Self::MailServer => Area::Mail,
            Self::Main | Self::Events => Area::Main,
            _ => Area::Http,
        }
    }

    /// Whether a line of the table is for a module of the same protocol as this context.
    fn is_related(self, form: &Form) -> bool {
        let letters: &[char] = match self.area() {
            Area::Http | Area::Upstream => &['H', 'S', 'L', 's', 'l', 'X', 'U'],
            Area::Stream | Area::StreamUpstream => &['T', 'R', 'P'],
            Area::Mail => &['A', 'B'],
            Area::Main => &['M', 'E'],
        };
        form.contexts.contains(letters)
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.line().1)
    }
}

/// A form that a directive may have: a line of the table.
#[derive(Debug)]
pub struct Form {
    contexts: &'static str,
    /// Numbers of arguments that it takes, such as `1`, `2,3` or `1+`.
    pub arguments: &'static str,
    /// Whether it has a block.
    pub has_block: bool,
    value: &'static str,
}

static FORMS: LazyLock<FxHashMap<&str, Vec<Form>>> = LazyLock::new(|| {
    let mut forms: FxHashMap<&str, Vec<Form>> = FxHashMap::default();
    for line in include_str!("tables/directives.txt").lines() {
        let mut words = line.split(' ');
        let mut word = || words.next().unwrap_or_default();
        let name = word();
        if name.starts_with('#') {
            continue;
        }
        forms.entry(name).or_default().push(Form {
            contexts: word(),
            arguments: word(),
            has_block: word() == "{",
            value: word(),
        });
    }
    forms
});

/// The forms of a directive; none for one that is not in the table.
pub fn forms(name: &str) -> &'static [Form] {
    FORMS.get(name).map(Vec::as_slice).unwrap_or_default()
}

/// Whether some context of the same protocol may have a directive.
pub fn is_related(name: &str, context: Context) -> bool {
    forms(name).iter().any(|form| context.is_related(form))
}

/// All directives.
pub fn directives() -> impl Iterator<Item = &'static str> {
    FORMS.keys().copied()
}

/// The directives that a context may have.
pub fn directives_in(context: Context) -> impl Iterator<Item = &'static str> {
    let forms = FORMS.iter();
    let fitting = forms.filter(move |(_, forms)| forms.iter().any(|form| form.is_for(context)));
    fitting.map(|(name, _)| *name)
}

/// The contexts that a directive may stand in.
pub fn contexts_of(name: &str) -> Vec<Context> {
    let listed = |letter: char| {
        forms(name)
            .iter()
            .any(|form| form.contexts.contains(letter))
    };
    let contexts = CONTEXTS
        .into_iter()
        .filter(|(_, letter, _)| listed(*letter));
    contexts.map(|(context, ..)| context).collect()
}

impl Form {
    /// Whether it may stand in a context.
    pub fn is_for(&self, context: Context) -> bool {
        self.contexts.contains([context.line().0, '*'])
    }

    /// Whether it takes so many arguments.
    pub fn takes(&self, count: usize) -> bool {
        let mut numbers = self.arguments.split(',');
        numbers.any(|number| match number.strip_suffix('+') {
            Some(least) => least.parse().is_ok_and(|least: usize| count >= least),
            None => number.parse() == Ok(count),
        })
    }

    /// Whether nginx takes it once in a block.
    pub fn is_single(&self) -> bool {
        self.value != "-" && !self.value.starts_with('~')
    }

    /// The first argument that is none of its kind, and what would be right. One with a variable is left to nginx.
    pub fn wrong_value<'w>(
        &self,
        words: impl Iterator<Item = &'w str>,
    ) -> Option<(&'w str, String)> {
        let mut words = words.take(match self.value.starts_with('~') {
            true => usize::MAX,
            false => 1,
        });
        words.find_map(|word| Some((word, self.expected(word)?)))
    }

    /// What would be right, where a word is not.
    fn expected(&self, value: &str) -> Option<String> {
        let is_size = |units: &[char]| {
            let digits = value.strip_suffix(units).unwrap_or(value);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        let (kind, bounds) = self.value.split_once(':').unwrap_or((self.value, ""));
        let (fits, expected) = match kind {
            "flag" => {
                let is = ["on", "off"]
                    .iter()
                    .any(|word| value.eq_ignore_ascii_case(word));
                (is, "on or off".to_owned())
            }
            "size" => (
                is_size(&['k', 'K', 'm', 'M']),
                "a size such as 8k or 1m".to_owned(),
            ),
            "offset" => (
                is_size(&['k', 'K', 'm', 'M', 'g', 'G']),
                "a size such as 10m or 1g".to_owned(),
            ),
            "number" => number(value, bounds),
            "time" => (time(value).is_some(), "a time such as 30s or 5m".to_owned()),
            "sec" => (
                time(value).is_some() && !value.contains("ms"),
                "a time in seconds or more, such as 30s or 5m".to_owned(),
            ),
            _ => {
                let list = kind.strip_prefix(['=', '~'])?;
                let is = list.split('|').any(|word| value.eq_ignore_ascii_case(word));
                (is, alternatives(list))
            }
        };
        (!fits && !value.contains('$')).then_some(expected)
    }
}

/// Whether a number is within bounds such as `1-9`, and what would be. `ngx_conf_set_num_slot` in src/core/ngx_conf_file.c.
fn number(value: &str, bounds: &str) -> (bool, String) {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let Some((least, most)) = bounds.split_once('-') else {
        return (digits, "a number".to_owned());
    };
    let number = value.parse::<u64>().ok().filter(|_| digits);
    let is_in = number.is_some_and(|number| {
        least.parse().is_ok_and(|least: u64| number >= least)
            && most.parse().map_or(true, |most: u64| number <= most)
    });
    let expected = match most {
        "" => format!("a number from {least} on"),
        most => format!("a number from {least} to {most}"),
    };
    (is_in, expected)
}

/// `a|b|c` as `a, b or c`.
fn alternatives(list: &str) -> String {
    match list.rsplit_once('|') {
        Some((first, last)) => format!("{} or {last}", first.replace('|', ", ")),
        None => list.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_whole() {
        assert!(FORMS.len() > 500, "{}", FORMS.len());
        for (name, forms) in &*FORMS {
            for form in forms {
                let all = CONTEXTS.iter().any(|(context, ..)| form.is_for(*context));
                assert!(all && (0..40).any(|count| form.takes(count)), "{name}");
            }
        }
    }

    #[test]
    fn forms_say_what_they_take() {
        let mut listen = forms("listen").iter();
        let listen = listen.find(|form| form.is_for(Context::Server)).unwrap();
        assert!(!listen.is_for(Context::Http));
        assert!(listen.takes(1) && listen.takes(9) && !listen.takes(0));
        assert!(contexts_of("listen").contains(&Context::Server));
        let flag = forms("absolute_redirect").first();
        let wrong = |value| flag.and_then(|form| form.expected(value));
        assert_eq!((wrong("on"), wrong("$x")), (None, None));
        assert_eq!(wrong("yes").as_deref(), Some("on or off"));
        let expected = |name, words: &'static str| {
            let form = forms(name).iter().find(|form| form.is_for(Context::Http));
            form.and_then(|form| form.wrong_value(words.split(' ')))
        };
        let level = ("12", "a number from 1 to 9".to_owned());
        assert_eq!(expected("gzip_comp_level", "12"), Some(level));
        assert_eq!(expected("gzip_comp_level", "9"), None);
        assert_eq!(expected("ssl_protocols", "TLSv1.2 tlsv1.3"), None);
        let protocol = expected("ssl_protocols", "TLSv1.2 TLSv1.4");
        assert_eq!(protocol.map(|(word, _)| word), Some("TLSv1.4"));
        assert_eq!(
            expected("satisfy", "some"),
            Some(("some", "all or any".to_owned()))
        );
        assert!(forms("no_such_directive").is_empty());
        assert!(directives_in(Context::Upstream).any(|name| name == "keepalive"));
    }
}
