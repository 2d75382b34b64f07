//! Before what leaves stops: the gates hold for a while, and its last requests end, which nginx's
//! workers from before the reload still answer.

use std::time::Duration;

use crate::effect::{Drain, Effect};
use crate::model::{Desired, Kind, ResourceId};
use crate::plan::draft::{Draft, Stage, change};

/// How long nginx waits for an upstream when nothing else is said;
/// <https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout>.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Before an old unit stops, its last requests end: those that old workers have begun.
pub(super) fn plan(draft: &mut Draft<'_>) {
    soak(draft);
    if !draft.any_action(|action| matches!(action, Effect::ReloadNginx)) {
        return;
    }
    let timeout = timeout(draft);
    for unit in draft.stopping(Stage::Retire) {
        let old = draft.recorded.unit(&unit).into_iter();
        let stacks = old.flat_map(|unit| &unit.stacks);
        let drain = Drain {
            unit: unit.clone(),
            ports: stacks.flat_map(|stack| stack.ports.clone()).collect(),
            timeout,
        };
        let seconds = timeout.as_secs();
        let why = format!("waits up to {seconds} s for its last requests before it stops");
        let id = ResourceId::new(Kind::Unit, unit);
        draft.derived(Stage::Drain, change(id, Effect::Drain(drain), why));
    }
}

/// What leaves stays beside its replacement until the gates held for as long as watchme.toml says.
fn soak(draft: &mut Draft<'_>) {
    let time = draft.desired.soak;
    let retiring = draft.stopping(Stage::Retire);
    let Some(first) = retiring.first().filter(|_| !time.is_zero()) else {
        return;
    };
    let why = format!(
        "{} runs that long beside its replacement",
        retiring.join(", ")
    );
    let id = ResourceId::new(Kind::Unit, first);
    draft.derived(Stage::Soak, change(id, Effect::Soak(time), why));
}

/// What watchme.toml says, else the longest time that the sites so far wait for an upstream.
fn timeout(draft: &Draft<'_>) -> Duration {
    let longest = |applied: &Desired| {
        let sites = applied.sites.values().filter(|site| site.enabled);
        sites
            .map(|site| site.read_timeout.unwrap_or(READ_TIMEOUT))
            .max()
    };
    let said = draft.desired.drain_timeout;
    said.or_else(|| longest(draft.recorded.desired()?))
        .unwrap_or(READ_TIMEOUT)
}
