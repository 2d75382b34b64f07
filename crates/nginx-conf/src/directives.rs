//! What nginx takes of directives: names, places, numbers of arguments, and kinds of values.
//!
//! `ngx_conf_handler` in src/core/ngx_conf_file.c. Modules that the table does not have bring further directives.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use crate::time;

/// Where a directive is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// The top of nginx.conf.
    Main,
    /// `events`.
    Events,
}

/// All of them, in the order in which they are listed to people.
const CONTEXTS: [Context; 9] = [
    Context::Http,
    Context::Server,
    Context::Location,
    Context::IfInServer,
    Context::IfInLocation,
    Context::LimitExcept,
    Context::Upstream,
    Context::Events,
    Context::Main,
];

impl Context {
    /// Its letter in the table.
    fn letter(self) -> char {
        match self {
            Self::Http => 'H',
            Self::Server => 'S',
            Self::Location => 'L',
            Self::IfInServer => 's',
            Self::IfInLocation => 'l',
            Self::LimitExcept => 'X',
            Self::Upstream => 'U',
            Self::Main => 'M',
            Self::Events => 'E',
        }
    }

    /// The context in the block of a directive that is here; `None` where there are no directives in it, or nothing is
    /// known of them.
    pub fn inside(self, name: &str) -> Option<Self> {
        match (name, self) {
            ("server", Self::Http) => Some(Self::Server),
            ("upstream", Self::Http) => Some(Self::Upstream),
            ("location", _) => Some(Self::Location),
            ("limit_except", _) => Some(Self::LimitExcept),
            ("if", Self::Server) => Some(Self::IfInServer),
            ("if", _) => Some(Self::IfInLocation),
            _ => None,
        }
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Server => "server",
            Self::Location => "location",
            Self::IfInServer => "if in server",
            Self::IfInLocation => "if in location",
            Self::LimitExcept => "limit_except",
            Self::Upstream => "upstream",
            Self::Main => "the top of nginx.conf",
            Self::Events => "events",
        })
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

static FORMS: LazyLock<HashMap<&str, Vec<Form>>> = LazyLock::new(|| {
    let mut forms: HashMap<&str, Vec<Form>> = HashMap::new();
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

/// The directives that a context may have.
pub fn directives_in(context: Context) -> impl Iterator<Item = &'static str> {
    let forms = FORMS.iter();
    let fitting = forms.filter(move |(_, forms)| forms.iter().any(|form| form.is_for(context)));
    fitting.map(|(name, _)| *name)
}

/// The contexts that a directive may stand in.
pub fn contexts_of(name: &str) -> Vec<Context> {
    let listed = |context: &Context| {
        let mut forms = forms(name).iter();
        forms.any(|form| form.contexts.contains(context.letter()))
    };
    CONTEXTS.into_iter().filter(listed).collect()
}

impl Form {
    /// Whether it may stand in a context.
    pub fn is_for(&self, context: Context) -> bool {
        self.contexts.contains([context.letter(), '*'])
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
        self.value != "-"
    }

    /// What would be right, where a value is none of its kind. One with a variable is left to nginx.
    pub fn wrong_value(&self, value: &str) -> Option<&'static str> {
        let is_size = |units: &[char]| {
            let digits = value.strip_suffix(units).unwrap_or(value);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        let (fits, expected) = match self.value {
            "flag" => {
                let is = ["on", "off"]
                    .iter()
                    .any(|word| value.eq_ignore_ascii_case(word));
                (is, "on or off")
            }
            "size" => (is_size(&['k', 'K', 'm', 'M']), "a size such as 8k or 1m"),
            "offset" => (
                is_size(&['k', 'K', 'm', 'M', 'g', 'G']),
                "a size such as 10m or 1g",
            ),
            "number" => (is_size(&[]), "a number"),
            "time" => (time(value).is_some(), "a time such as 30s or 5m"),
            _ => (true, ""),
        };
        (!fits && !value.contains('$')).then_some(expected)
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
                let all = CONTEXTS.iter().any(|context| form.is_for(*context));
                assert!(all && (0..40).any(|count| form.takes(count)), "{name}");
            }
        }
    }

    #[test]
    fn forms_say_what_they_take() {
        let [listen] = forms("listen") else {
            panic!("listen has one form");
        };
        assert!(listen.is_for(Context::Server) && !listen.is_for(Context::Http));
        assert!(listen.takes(1) && listen.takes(9) && !listen.takes(0));
        assert_eq!(contexts_of("listen"), [Context::Server]);
        let flag = forms("absolute_redirect").first();
        let wrong = |value| flag.and_then(|form| form.wrong_value(value));
        assert_eq!((wrong("on"), wrong("$x")), (None, None));
        assert_eq!(wrong("yes"), Some("on or off"));
        assert!(forms("no_such_directive").is_empty());
        assert!(directives_in(Context::Upstream).any(|name| name == "keepalive"));
    }
}
