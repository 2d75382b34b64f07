//! Services that may take all memory of the host.

use crate::check::rules::compose::prelude::*;

pub(crate) static RULE: Rule = rule!(compose_no_memory_limit, Warning, run)
    .grouped(
        "services have no memory limit: each may take all memory of the host",
        None,
    )
    .advice();

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    let started = view.started();
    let without = started.filter(|(_, _, service)| !service.has_memory_limit());
    findings.extend(without.map(|(stack, name, _)| {
        let message = format!("service {name} may take all memory of the host");
        let help = "write mem_limit: 256m, or what it needs at most";
        RULE.at(say(view.at(stack, name, &[]), message, "", help))
    }));
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::found_in_services;

    #[test]
    fn each_service_without_a_limit() {
        let found = |service: &str| found_in_services(&RULE, &format!("  app: {service}\n"));
        assert_eq!(
            found("{image: 'app:1'}"),
            ["a.yml:2:3: service app may take all memory of the host"]
        );
        for limited in [
            "{image: 'app:1', mem_limit: 16m}",
            "{image: 'app:1', deploy: {resources: {limits: {memory: 16m}}}}",
            "{image: 'app:1', profiles: [debug]}",
        ] {
            assert_eq!(found(limited), [""; 0], "{limited}");
        }
    }
}
