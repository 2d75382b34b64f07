//! Expected routes that go to another upstream.

use crate::check::rules::prelude::*;

pub(crate) static RULE: Rule = rule!(route_elsewhere, Error, picks routes);

#[cfg(test)]
mod tests {
    use crate::check::routes::tests::one;

    #[test]
    fn the_accident_of_a_lost_prefix() {
        let url = "https://api.example.com/scheduler/status/whisper";
        let upstream = "http://localhost:8015/api/scheduler/status/whisper";
        assert_eq!(
            one(url, upstream),
            "route-elsewhere https://api.example.com/scheduler/status/whisper goes to \
             http://localhost:8015/status/whisper, by location /scheduler/ in sites-available/api:5 -> write proxy_pass \
             http://localhost:8015/api/scheduler/; in location /scheduler/, sites-available/api:5"
        );
    }
}
