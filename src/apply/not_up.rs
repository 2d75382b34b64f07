//! Why a unit is not up, with what it and its containers wrote.

use super::up::STOPPED;
use super::{Run, StepError};
use crate::effect::{Effect, Plan};
use crate::model::{Container, Health, Stack};

/// How many lines of a container are shown.
const LINES: usize = 10;

impl Run<'_> {
    /// Says why a unit is not up, with what it wrote since the run began, and the containers of these projects of it.
    pub(super) async fn not_up(&self, unit: &str, stacks: &[Stack], why: String) -> StepError {
        let since = self.time.into();
        let (mut why, mut journal, mut cause) = (why, Vec::new(), None);
        if let Ok(systemd) = self.host.systemd().await {
            // One that was stopped for what it is bound to has nothing to tell itself.
            let causes = match why == STOPPED {
                true => systemd.causes(unit, since).await,
                false => None,
            };
            match causes {
                Some(causes) => {
                    why = format!("it stopped; it needs {}", causes.why);
                    journal = causes.journal;
                    cause = Some(causes.unit);
                }
                None => journal = systemd.journal(unit, since).await,
            }
        }
        journal.extend(self.container_lines(stacks, is_ill).await);
        let ignored = self.ignored.get(unit).into_iter().flatten();
        let why = ignored.fold(why, |why, failure| format!("{why}; {failure} before"));
        let unit = unit.to_owned();
        StepError::NotUp {
            unit,
            why,
            journal,
            cause,
        }
    }

    /// Says what the containers of a plan's new copies wrote last: the copies go when the run is undone.
    pub(crate) async fn tell_of_copies(&mut self, plan: &Plan) {
        for change in &plan.changes {
            if let Effect::Start(step) = &change.effect
                && step.port.is_some()
                && self.is_new(step)
            {
                for line in self.container_lines(&step.stacks, |_| true).await {
                    self.progress.say(&line);
                }
            }
        }
    }

    /// The last lines of containers of compose projects that are `meant`, each with the name of its container.
    async fn container_lines(
        &self,
        stacks: &[Stack],
        meant: impl Fn(&Container) -> bool,
    ) -> Vec<String> {
        let mut lines = Vec::new();
        let containers = self.containers(stacks).await.unwrap_or_default();
        for container in containers.iter().filter(|container| meant(container)) {
            let Ok(docker) = self.host.docker().await else {
                break;
            };
            let written = docker.last_lines(&container.id, LINES).await;
            let written = written.unwrap_or_default().into_iter();
            lines.extend(written.map(|line| format!("{}: {line}", container.name)));
            if let Some(probe) = &container.probe {
                let name = &container.name;
                lines.push(format!("{name}: its last health check ended with {probe}"));
            }
        }
        lines
    }
}

/// Whether a container is why its unit is not up.
fn is_ill(container: &Container) -> bool {
    container.health == Health::Unhealthy
        || container.restarts > 0
        || container.state == "exited" && container.exit_code != 0
}
