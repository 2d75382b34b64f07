//! Locations that no expected route tests.

use crate::check::rules::prelude::*;

pub(crate) static RULE: Rule = rule!(route_untested, Warning, picks routes).grouped(
    "locations are tested by no route",
    Some("add a [[route]] to watchme.toml for each: a URL that reaches it, and the expected upstream"),
);

#[cfg(test)]
mod tests {
    use crate::check::routes::tests::found;

    #[test]
    fn locations_that_nobody_tests() {
        let found = found(&[("https://api.example.com/vault/x", "http://localhost:8000/x")]);
        assert_eq!(
            found,
            [
                "route-untested no [[route]] says where https://api.example.com/scheduler/ must lead",
                "route-untested no [[route]] says where https://api.example.com/blue must lead",
                "route-untested no [[route]] says where https://api.example.com ~ ^/(\\w+)/v1/ must lead",
                "route-untested no [[route]] says where https://api.example.com/dynamic/ must lead",
            ]
        );
    }
}
