//! What the services of units that start may take together, against what the machine has.

use std::collections::BTreeSet;

use crate::check::rules::compose::prelude::*;

pub(crate) static RULE: Rule = rule!(compose_memory_over_budget, Warning, run);

fn run(context: &Context, findings: &mut Findings) {
    findings.extend(budget(context.projects()));
}

fn budget(view: &View) -> Option<Finding> {
    let desired = &view.subject.revision.desired;
    let policy = &view.subject.revision.parsed.policy;
    let written = policy.budget.memory.as_ref()?;
    let memory = ***written;
    let swap = policy.budget.swap.as_deref();
    let all = swap.map(|swap| memory.saturating_add(*swap));
    let mut seen = BTreeSet::new();
    let mut counted: Vec<(u64, &str)> = Vec::new();
    for (stack, name, service) in view.started() {
        let unit = stack.unit.as_ref().and_then(|unit| desired.units.get(unit));
        if unit.is_some_and(|unit| unit.start) && seen.insert((&stack.project, name)) {
            counted.push((Service::memory(service), name));
        }
    }
    let sum = counted
        .iter()
        .fold(0_u64, |sum, (size, _)| sum.saturating_add(*size));
    if sum <= memory {
        return None;
    }
    counted.sort_by(|one, other| other.cmp(one));
    let largest: Vec<String> = counted
        .iter()
        .take(3)
        .map(|(size, name)| format!("{name} {}", mebibytes(*size)))
        .collect();
    let (over, limit) = match all {
        Some(all) if sum > all => (true, format!("memory and swap of {}", mebibytes(all))),
        // Without swap, memory is all that there is.
        Some(_) => (false, format!("memory of {}", mebibytes(memory))),
        None => (true, format!("memory of {}", mebibytes(memory))),
    };
    let span = written.span();
    let message = format!(
        "the limits of {} containers add up to {}, more than the {limit}",
        counted.len(),
        mebibytes(sum)
    );
    let help = format!("lower the largest ({}), or start fewer", largest.join(", "));
    let place = policy.file.complain(span, message, "", Some(help));
    let finding = RULE.at(place);
    Some(finding.weighing_where(over, Severity::Error))
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

#[cfg(test)]
mod tests {
    use crate::check::compose::tests::UNIT;
    use crate::check::tests::checked;

    #[test]
    fn memory_is_added_up() {
        let sum = |budget: &str, service: &str| {
            let policy = format!("checkout = \"/srv/c\"\n[budget]\n{budget}");
            let compose =
                format!("services: {{a: {{image: 'x:1', mem_limit: 600m}}, b: {service}}}");
            let unit = UNIT.replace("NAME", "a");
            let files = [
                ("watchme.toml".to_owned(), policy),
                ("systemd/a.service".to_owned(), unit),
                ("a.yml".to_owned(), compose),
            ];
            let found = checked(&files);
            let over = found
                .iter()
                .find(|finding| finding.rule.name == "compose-memory-over-budget");
            over.map(|finding| (finding.is_error(), finding.message().to_owned()))
        };
        let both = "{image: 'x:1', mem_limit: 600m}";
        let message = |limit: &str| {
            format!("the limits of 2 containers add up to 1200 MiB, more than the {limit}")
        };
        assert_eq!(
            sum("memory = \"1G\"\nswap = \"1G\"", both),
            Some((false, message("memory of 1024 MiB")))
        );
        assert_eq!(
            sum("memory = \"1G\"\nswap = \"100M\"", both),
            Some((true, message("memory and swap of 1124 MiB")))
        );
        assert_eq!(sum("memory = \"2G\"", both), None);
        assert_eq!(
            sum(
                "memory = \"1G\"",
                "{image: 'x:1', mem_limit: 600m, profiles: [x]}"
            ),
            None
        );
        assert_eq!(
            sum(
                "memory = \"1G\"",
                "{image: 'x:1', deploy: {replicas: 0}, mem_limit: 600m}"
            ),
            None
        );
    }
}
