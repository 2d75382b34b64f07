//! What watchme.toml says of a desired state as a whole.

use super::Loader;

impl Loader<'_, '_> {
    /// Takes it over, once the resources are read.
    pub(super) fn take_policy(&mut self) {
        let policy = &self.out.parsed.policy;
        let desired = &mut self.out.desired;
        desired.absent = policy.absent.iter().map(|path| (**path).clone()).collect();
        desired.bootstrap_certificates = policy.bootstrap_certificates;
        desired.drain_timeout = policy.drain_timeout.as_deref().copied();
        desired.soak = *policy.soak;
        desired.gates = policy.gates().map(|(gate, _)| gate).collect();
        desired.memory = policy.budget.memory.as_ref().map(|size| ***size);
        let stacks = policy.stacks.iter().filter(|(_, stack)| !stack.start);
        desired.unstarted = stacks.map(|(name, _)| name.to_string()).collect();
        desired.notify = policy.notifiers().collect();
        desired.engine = policy.engine.socket.as_deref().cloned();
    }
}
