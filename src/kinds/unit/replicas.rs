//! More containers of a service than its compose file asks for: somebody has scaled it by hand.

use crate::model::{Container, Unit};

/// What is said of each such service of a stack. A unit that a person wrote may scale its services itself.
pub(super) fn extra(unit: &Unit, own: &[&Container]) -> Vec<String> {
    let stacks = unit.stacks.iter().filter(|_| unit.stack.is_some());
    let services = stacks.flat_map(|stack| stack.services.iter().map(move |name| (stack, name)));
    let extra = services.filter_map(|(stack, service)| {
        let is_of = |one: &&&Container| one.is_running() && one.is_of(&stack.project, service);
        let wanted = stack.replicas_of(service);
        let running = own.iter().filter(is_of).count() as u64;
        (running > wanted).then(|| {
            format!("its service {service} has {running} containers that run, and its compose file asks for {wanted}")
        })
    });
    extra.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stack;

    #[test]
    fn what_the_file_asks_for_is_not_too_many() {
        let container = |service: &str, state: &str| Container {
            compose: Some(("p".to_owned(), service.to_owned())),
            state: state.to_owned(),
            ..Container::default()
        };
        let stack = Stack {
            project: "p".to_owned(),
            services: ["one", "two"].map(str::to_owned).into(),
            replicas: [("two".to_owned(), 2)].into(),
            ..Stack::default()
        };
        let unit = Unit {
            stack: Some("p".to_owned()),
            stacks: vec![stack],
            ..Unit::default()
        };
        let (one, two) = (container("one", "running"), container("two", "running"));
        let ended = container("one", "exited");
        assert_eq!(extra(&unit, &[&one, &ended, &two, &two]), [""; 0]);
        assert_eq!(
            extra(&unit, &[&one, &one, &two, &two, &two]),
            [
                "its service one has 2 containers that run, and its compose file asks for 1",
                "its service two has 3 containers that run, and its compose file asks for 2"
            ]
        );
    }
}
