//! 502: nothing listens where requests are passed on to, or what listens has nobody behind it.

use super::{Cause, What, again, last, logs_of};
use crate::model::{Container, layout};
use crate::reconcile::doctor::facts::Facts;
use crate::reconcile::doctor::live::Passes;
use crate::reconcile::doctor::way::{Reached, Stop, Way};

/// What is wrong with the servers of an upstream.
pub(super) fn of_way(facts: &Facts, way: &Way) -> Vec<Cause> {
    let place = way.url.to_string();
    let mut found = Vec::new();
    for stop in &way.stops {
        match &stop.reached {
            Reached::Refused(_) => found.push(refused(facts, way, stop)),
            Reached::Closed(why) => found.push(closed(facts, &place, stop, why)),
            Reached::NoName => found.push(no_name(facts, way, stop)),
            Reached::Status(status @ (502 | 503), said) => {
                found.push(service_error(facts, way, *status, said.as_deref()));
            }
            Reached::NotAsked | Reached::Timeout(_) | Reached::Status(..) => {}
        }
    }
    found
}

fn refused(facts: &Facts, way: &Way, stop: &Stop) -> Cause {
    let at = way.location.as_deref().unwrap_or("nginx");
    let target = &stop.target;
    let Some(port) = target.local_port() else {
        let text = format!("{target} cannot be reached, and {at} passes requests there");
        let cause = Cause::new(What::BadGateway, way.url.to_string(), text);
        return cause.shown([stop.reached.said()]).fixed(format!(
            "correct proxy_pass in git, if {target} is not where the service is; otherwise find out there why it does not listen"
        ));
    };
    nobody(facts, port, way.url.to_string(), at)
}

/// That nothing listens on a port of this host.
fn nobody(facts: &Facts, port: u16, place: String, at: &str) -> Cause {
    let units = facts.units_for(port);
    let mut cause = Cause::new(
        What::BadGateway,
        place,
        format!("nothing listens on port {port}, where {at} passes requests to"),
    );
    for unit in &units {
        cause = cause.shown(why_not(facts, unit, port));
    }
    // Its own cause, with what helps, is told with it.
    let is_up = |unit: &String| {
        let known = facts.units.iter().find(|one| one.name == *unit);
        let runs = facts.containers_of(unit).all(Container::is_running);
        known.is_some_and(|one| one.well && one.state != "paused") && runs
    };
    if units.is_empty() || units.iter().all(is_up) {
        return wrong_port(facts, cause, port);
    }
    cause
}

/// How the unit is that should listen.
fn why_not(facts: &Facts, unit: &str, port: u16) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(state) = facts.units.iter().find(|one| one.name == unit) {
        lines.push(format!(
            "{unit} should listen on {port}; its state: {}",
            state.state
        ));
    }
    for container in facts.containers_of(unit) {
        if !container.is_running() {
            let code = container.exit_code;
            lines.push(format!(
                "container {}: {} ({code})",
                container.name, container.state
            ));
        }
    }
    lines
}

/// What listens instead, of what is managed.
fn wrong_port(facts: &Facts, cause: Cause, port: u16) -> Cause {
    let mut others = Vec::new();
    for container in facts.containers().filter(|one| facts.is_managed(one)) {
        let tcp = container.published.iter();
        for publish in tcp.filter(|one| one.protocol == "tcp") {
            others.push(format!(
                "container {} publishes port {}",
                container.name, publish.port
            ));
        }
    }
    for listener in facts.listeners.iter().filter(|one| one.protocol == "tcp") {
        let unit = listener.unit.as_deref();
        let is_managed = unit.is_some_and(|unit| facts.desired.units.contains_key(unit));
        if let Some(unit) = unit.filter(|_| is_managed) {
            others.push(format!("{unit} listens on port {}", listener.port));
        }
    }
    others.sort();
    others.dedup();
    others.truncate(8);
    cause.shown(others).fixed(format!(
        "correct the port in proxy_pass, or have the service publish {port}, in git; watchme-apply ports shows who uses which; then: watchme-apply"
    ))
}

/// What listens for a container accepts connections that the container then refuses.
fn closed(facts: &Facts, place: &str, stop: &Stop, why: &str) -> Cause {
    let target = &stop.target;
    let port = target.local_port();
    let mut of_port = facts.containers().filter(|container| {
        let mut published = container.published.iter();
        published.any(|one| Some(one.port) == port)
    });
    let text = match of_port.next() {
        Some(container) => {
            let text = format!(
                "{target} is published by container {}, but nothing in the container listens on that port",
                container.name
            );
            let engine = facts.engine().command();
            let name = &container.name;
            let mut cause = Cause::new(What::BadGateway, place, text)
                .shown([format!("{target} closes the connection: {why}")]);
            if let Some(log) = facts.logs.get(&container.id) {
                cause = cause.shown(last(log.lines()));
            }
            return cause
                .fixed(format!("sudo {engine} port {name}; {}", logs_of(facts, container)))
                .fixed("correct the container port, after the colon, in ports: of its compose file, or have the program listen on 0.0.0.0 and not on 127.0.0.1 inside the container; then: watchme-apply");
        }
        None => format!("{target} closes the connection without an answer"),
    };
    Cause::new(What::BadGateway, place, text)
        .shown([why.to_owned()])
        .fixed("check that it speaks HTTP there: correct proxy_pass in git, or read the log of the service")
}

/// A name in `proxy_pass` that this host does not know.
fn no_name(facts: &Facts, way: &Way, stop: &Stop) -> Cause {
    let name = &stop.target.host;
    let at = way.location.as_deref().unwrap_or("nginx");
    let cause = Cause::new(
        What::NameUnresolved,
        name.clone(),
        format!("{name} does not resolve on this host, and {at} passes requests there"),
    );
    let is_named = |container: &&Container| {
        let service = container.compose.as_ref().map(|(_, service)| service);
        container.name == *name || service == Some(name)
    };
    match facts.containers().find(is_named) {
        Some(container) => {
            let published = container.published.iter().next();
            let to = published.map_or_else(
                || "127.0.0.1:PORT, and publish that port in its compose file".to_owned(),
                |one| format!("127.0.0.1:{}", one.port),
            );
            cause
                .shown(["names of containers resolve on their networks only, and nginx runs on the host".to_owned()])
                .fixed(format!("write http://{to} in proxy_pass, in git; then: watchme-apply"))
        }
        None => cause.fixed(format!(
            "getent hosts {name}; correct the name in git, or the DNS of this host"
        )),
    }
}

/// A service that answers with an error of its own.
pub(super) fn service_error(facts: &Facts, way: &Way, status: u16, said: Option<&str>) -> Cause {
    let from_service = way
        .stops
        .iter()
        .find(|stop| matches!(stop.reached, Reached::Status(..)));
    let who = from_service.map_or_else(|| "nginx".to_owned(), |stop| stop.target.to_string());
    let text = format!("{who} answers {status} itself");
    let mut cause = Cause::new(What::ServiceError, way.url.to_string(), text);
    cause = cause.shown(said.map(str::to_owned));
    let port = from_service.and_then(|stop| stop.target.local_port());
    for unit in port.map(|port| facts.units_for(port)).unwrap_or_default() {
        for container in facts.containers_of(&unit) {
            cause = cause.fixed(logs_of(facts, container));
        }
        cause = cause.fixed(format!("sudo journalctl -u {unit} -n 50"));
    }
    if cause.fix.is_empty() {
        cause = cause.fixed("sudo tail -n 50 /var/log/nginx/error.log");
    }
    cause
}

/// nginx itself does not answer.
pub(super) fn no_nginx(facts: &Facts, way: &Way) -> Option<Cause> {
    if let Some(cause) = nginx_down(facts) {
        return Some(cause);
    }
    let place = way.url.to_string();
    let port = way.url.port();
    let cause = match &way.server {
        None => Cause::new(
            What::NotFound,
            place,
            format!("no server of nginx listens on port {port}"),
        )
        .fixed(format!(
            "add listen {port}; to a site, or correct the URL: http means port 80, https 443"
        )),
        Some(server) => Cause::new(
            What::BadGateway,
            place,
            format!("nginx does not answer on port {port}, although {server} listens there"),
        )
        .shown([way.nginx.said()])
        .fixed("sudo nginx -t && sudo systemctl reload nginx; sudo watchme-apply drift"),
    };
    Some(cause)
}

fn nginx_down(facts: &Facts) -> Option<Cause> {
    let nginx = facts
        .nginx
        .as_ref()
        .filter(|nginx| nginx.master.is_none())?;
    if facts.desired.sites.is_empty() && !nginx.installed {
        return None;
    }
    if !nginx.installed {
        let cause = Cause::new(What::NginxDown, "nginx", "nginx is not installed");
        return Some(cause.fixed("sudo apt-get install nginx"));
    }
    let mut cause = Cause::new(What::NginxDown, "nginx", "nginx does not run");
    if let Some(lines) = facts.journals.get(layout::NGINX_UNIT) {
        let told = lines.iter().filter(|line| line.contains("[emerg]"));
        let told: Vec<String> = told.cloned().collect();
        cause = cause.shown(if told.is_empty() {
            last(lines)
        } else {
            last(&told)
        });
    }
    Some(cause.fixed("sudo nginx -t && sudo systemctl start nginx"))
}

/// Daemons that do not answer.
pub(super) fn daemons(facts: &Facts) -> Vec<Cause> {
    let others = facts
        .silent
        .iter()
        .filter(|(name, _)| name.as_str() != "nginx");
    let others = others.map(|(name, why)| {
        let text = format!("{name} does not answer");
        let fix = match name.as_str() {
            "Docker" => "sudo systemctl start docker; sudo journalctl -u docker -n 50",
            "firewall" => "sudo watchme-apply drift",
            _ => "sudo systemctl status; sudo journalctl -b -p err -n 50",
        };
        Cause::new(What::DaemonDown, name.clone(), text)
            .shown([why.clone()])
            .fixed(fix)
    });
    nginx_down(facts).into_iter().chain(others).collect()
}

/// Places of the whole host where requests are passed on to and nothing listens.
pub(super) fn of_upstreams(facts: &Facts, passes: &[Passes]) -> Vec<Cause> {
    let dead = passes
        .iter()
        .filter(|one| facts.listens(one.port).is_none());
    let dead = dead.map(|one| {
        let place = format!("port {}", one.port);
        let mut cause = nobody(facts, one.port, place, &one.place);
        let stopped = facts.units_for(one.port);
        let stopped = stopped.iter().flat_map(|unit| facts.containers_of(unit));
        for container in stopped.filter(|container| !container.is_running()) {
            cause = cause.fixed(again(facts, container));
        }
        cause
    });
    dead.collect()
}
