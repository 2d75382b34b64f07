//! Which server takes a request.

use std::net::IpAddr;

use super::config::Server;
use super::outcome::{Request, Step};
use super::sockets::{Group, Port};
use super::work::Work;
use super::{Router, regex};

/// The server that a group gives a request to.
pub(super) struct Chosen<'g> {
    pub(super) index: usize,
    pub(super) why: String,
    pub(super) certain: bool,
    pub(super) named: bool,
    pub(super) captures: Option<regex::Captures>,
    pub(super) group: &'g Group,
}

impl<'a> Router<'a> {
    /// The server that takes a request. `Err`: what is not known of it.
    pub(super) fn agreed<'g>(
        &'g self,
        port: &'g Port,
        request: &Request,
        work: &Work,
    ) -> Option<Result<Chosen<'g>, String>> {
        let arriving = port.arriving(request.arrives);
        let mut chosen = arriving.map(|group| self.choose(group, request, work));
        let first = match chosen.next()? {
            Ok(first) => first,
            Err(why) => return Some(Err(why)),
        };
        let key = (request.arrives, request.host.clone());
        let known = port.agreed.borrow().get(&key).copied();
        let is_same = |other: Result<Chosen, String>| Ok(other?.index == first.index);
        let agree = match known {
            Some(known) => Ok(known),
            None => chosen.map(is_same).try_fold(true, |all, is| match is {
                Ok(true) => Ok(all),
                Ok(false) => Err(None),
                Err(why) => Err(Some(why)),
            }),
        };
        let agree = match agree {
            Ok(agree) => agree,
            Err(None) => false,
            Err(Some(why)) => return Some(Err(why)),
        };
        port.agreed.borrow_mut().insert(key, agree);
        Some(match agree {
            true => Ok(first),
            false => Err(
                "the address of the host by which the request comes: other servers listen at others"
                    .to_owned(),
            ),
        })
    }

    fn choose<'g>(
        &'g self,
        group: &'g Group,
        request: &Request,
        work: &Work,
    ) -> Result<Chosen<'g>, String> {
        let named = group
            .named(&self.config.servers, &request.host, work)
            .map_err(|index| {
                let server = self.config.servers.get(index);
                let names = server
                    .map(|server| server.names().join(" "))
                    .unwrap_or_default();
                format!("whether {} is one of the names {names}", request.host)
            })?;
        let (default, is_certain) = group.default;
        let fallback = match is_certain {
            true => "no name fits, and it is the default server",
            false => "no name fits, and it is the first one that nginx reads",
        };
        let why = named.as_ref().map(|named| named.why.clone());
        Ok(Chosen {
            index: named.as_ref().map_or(default, |named| named.server),
            why: why.unwrap_or_else(|| fallback.to_owned()),
            certain: named.is_some() || is_certain,
            named: named.is_some(),
            captures: named.and_then(|named| named.captures.clone()),
            group,
        })
    }

    /// Clients with IPv6 come to other sockets, which may have other servers.
    pub(super) fn note_other_family(
        &self,
        (port, work): (&Port, &Work),
        request: &Request,
        index: usize,
        notes: &mut Vec<String>,
    ) {
        let v6 = port
            .of(IpAddr::from([0u16; 8]))
            .filter(|_| request.arrives.is_none());
        let Some(v6) = v6 else {
            return;
        };
        if let Ok(other) = self.choose(v6, request, work)
            && other.index != index
            && let Some(server) = self.config.servers.get(other.index)
        {
            let site = self.site_of(server.place).unwrap_or_default();
            notes.push(format!(
                "by IPv6 another server of {site} answers: {}",
                other.why
            ));
        }
    }

    pub(super) fn server_step(
        &self,
        server: &Server<'a>,
        choice: &Chosen<'_>,
        explains: bool,
    ) -> Step<'a> {
        let all = match explains {
            true => choice.group.servers.as_slice(),
            false => &[],
        };
        let others = all.iter().filter(|index| **index != choice.index);
        let others = others.filter_map(|index| self.config.servers.get(*index));
        let lost = others.map(|other| {
            let names = other.names();
            let why = match names.is_empty() {
                true => "has no name".to_owned(),
                false => format!("has the names {}", names.join(" ")),
            };
            (other.place, why)
        });
        Step {
            place: Some(server.place),
            text: format!("takes the request: {}", choice.why),
            lost: lost.collect(),
        }
    }
}
