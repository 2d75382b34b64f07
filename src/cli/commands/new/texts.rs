//! The texts of a new service.

use super::site::NewLocation;

/// What goes into them. Every value was checked: none has a quote, a space or a line break.
pub(super) struct Texts<'a> {
    pub(super) name: &'a str,
    /// The port of the host.
    pub(super) port: u16,
    /// The port in the container.
    pub(super) inside: u16,
    /// The path that the public one stands for; ends with a slash.
    pub(super) internal: &'a str,
    /// The path that answers when it works.
    pub(super) health: &'a str,
    pub(super) image: &'a str,
    pub(super) memory: &'a str,
    pub(super) network: Option<String>,
    /// Whether nginx asks it.
    pub(super) is_published: bool,
}

impl Texts<'_> {
    pub(super) fn compose(&self) -> String {
        let Self {
            name,
            image,
            inside,
            health,
            memory,
            ..
        } = self;
        let mut text = format!(
            "services:
  {name}:
    # A fixed tag, never \"latest\": a pull at the next start must not bring another image.
    image: {image}
    container_name: {name}
    restart: unless-stopped
    environment:
      PORT: \"{inside}\"
"
        );
        if self.is_published {
            text.push_str(&format!(
                "    ports:
      # nginx on this host reaches it here. Without 127.0.0.1 the whole world would.
      - \"127.0.0.1:{}:{inside}\"
",
                self.port
            ));
        }
        text.push_str(&format!(
            "    mem_limit: {memory}
    healthcheck:
      # Whichever of the three the image has.
      test:
        - CMD-SHELL
        - >-
          wget -q -O /dev/null http://127.0.0.1:{inside}{health}
          || curl -fsS -o /dev/null http://127.0.0.1:{inside}{health}
          || python3 -c 'import urllib.request as r; r.urlopen(\"http://127.0.0.1:{inside}{health}\")'
      interval: 10s
      timeout: 5s
      retries: 3
      start_period: 30s
    logging:
      driver: json-file
      options:
        max-size: 10m
        max-file: \"3\"
"
        ));
        if let Some(network) = &self.network {
            text.push_str(&format!(
                "    networks:
      - \"{network}\"

networks:
  \"{network}\":
    # Used here, and defined elsewhere: never \"driver: bridge\".
    external: true
"
            ));
        }
        text
    }

    /// Where nginx passes requests on to.
    pub(super) fn upstream(&self, host: &str) -> String {
        format!("http://{host}:{}{}", self.port, self.internal)
    }

    /// Its location, each line behind `indent`.
    pub(super) fn location(&self, place: &NewLocation, indent: &str, step: &str) -> String {
        let upstream = self.upstream(place.upstream);
        let lines = [
            (
                0,
                format!(
                    "# {}: both paths end in a slash, because nginx replaces one with the other.",
                    self.name
                ),
            ),
            (0, format!("location {} {{", place.path)),
            (1, format!("proxy_pass {upstream};")),
            (1, "proxy_set_header Host $host;".to_owned()),
            (1, "proxy_set_header X-Real-IP $remote_addr;".to_owned()),
            (
                1,
                "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;".to_owned(),
            ),
            (1, "proxy_set_header X-Forwarded-Proto $scheme;".to_owned()),
            (0, "}".to_owned()),
        ];
        let lines = lines.iter();
        let lines = lines.map(|(depth, line)| format!("{indent}{}{line}\n", step.repeat(*depth)));
        lines.collect()
    }

    /// Its route and its gate.
    pub(super) fn route_and_gate(&self, place: &NewLocation) -> String {
        let below = self.health.strip_prefix(self.internal).unwrap_or_default();
        let url = format!("{}{}{below}", place.base, place.path);
        let upstream = format!("http://{}:{}{}", place.upstream, self.port, self.health);
        let verify = match place.unverified {
            true => "verify = false\n",
            false => "",
        };
        format!(
            "[[route]]\nurl = \"{url}\"\nupstream = \"{upstream}\"\n\n[[gate]]\nurl = \"{url}\"\n{verify}"
        )
    }

    /// Its gate, if nginx does not ask it.
    pub(super) fn gate_of_container(&self) -> String {
        format!("[[gate]]\ncontainer = \"{}\"\n", self.name)
    }
}
