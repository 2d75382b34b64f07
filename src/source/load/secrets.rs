//! Values of environment files that git does not have: what looks like a secret is not read. A revision that nobody has
//! merged can name any variable as an image, a container or a port, and a plan shows those.

use crate::source::compose::Environment;
use source_text::word_list;

/// Parts of names of variables whose values are secret.
const SECRET: [&str; 22] = word_list(
    "
    AUTH AUTHORIZATION COOKIE CRED CREDENTIAL CREDENTIALS CREDS DSN JWT KEY PASS PASSPHRASE PASSWD
    PASSWORD PRIVATE PW PWD SALT SECRET SESSION TOKEN WEBHOOK
",
);
/// What names end with that have such a part and say no secret: where it is, or how it is called.
const PLACES: [&str; 6] = ["DIR", "FILE", "HOST", "NAME", "PATH", "PORT"];
/// The variables with references to themselves in the place of values that look like secrets: `${DB_PASSWORD}`.
pub(crate) fn withheld(environment: Environment) -> Environment {
    let shown = environment.into_iter().map(|(name, value)| {
        let value = match is_secret(&name, &value) {
            true => format!("${{{name}}}"),
            false => value,
        };
        (name, value)
    });
    shown.collect()
}

fn is_secret(name: &str, value: &str) -> bool {
    !value.is_empty() && (has_secret_name(name) || has_password(value))
}

fn has_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let mut parts = name.split(|c: char| !c.is_ascii_alphanumeric());
    let place = PLACES.iter().any(|end| name.ends_with(&format!("_{end}")));
    // `APIKEY`, `DBPASSWORD`.
    let ends = ["KEY", "PASSWORD", "SECRET", "TOKEN"];
    !place && parts.any(|part| SECRET.contains(&part) || ends.iter().any(|end| part.ends_with(end)))
}

/// Whether a value is a URL with a password in it: `postgres://user:password@host`.
fn has_password(value: &str) -> bool {
    let rest = value.split_once("://").map(|(_, rest)| rest);
    let authority = rest.and_then(|rest| rest.split(['/', '?']).next());
    let user = authority.and_then(|authority| authority.rsplit_once('@'));
    user.is_some_and(|(user, _)| user.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_not_read() {
        for (name, value, secret) in [
            ("DB_PASSWORD", "hunter2", true),
            ("password", "hunter2", true),
            ("OPENAI_APIKEY", "sk", true),
            ("DATABASE_URL", "postgres://u:pw@db/x", true),
            ("NOTE", "two words", false),
            ("SITE_URL", "https://api.example.com/v1", false),
            ("TAG", "1.2.3", false),
            ("TAG", "sha256:0123abcd", false),
            ("API_PORT", "127.0.0.1:8000", false),
            ("TOKEN_PORT", "8000", false),
            ("DATA", "/srv/data", false),
            ("MONKEYS", "3", false),
            ("SECRET", "", false),
        ] {
            let environment = Environment::from_iter([(name.to_owned(), value.to_owned())]);
            let expected = match secret {
                true => format!("${{{name}}}"),
                false => value.to_owned(),
            };
            assert_eq!(withheld(environment).get(name), Some(&expected), "{name}");
        }
    }
}
