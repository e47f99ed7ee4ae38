//! The agent of `is`, kept from logging: at its most talkative it prints passwords.

use std::ops::Deref;

use is::IceAgent;
use tracing::dispatcher::{Dispatch, with_default};

/// What only reads is reached directly; nothing there logs.
pub(super) struct QuietAgent(IceAgent);

impl QuietAgent {
    pub(super) fn new(make: impl FnOnce() -> IceAgent) -> Self {
        Self(with_default(&Dispatch::none(), make))
    }

    /// Does something with the agent of which nobody reads in a log.
    pub(super) fn with<T>(&mut self, work: impl FnOnce(&mut IceAgent) -> T) -> T {
        with_default(&Dispatch::none(), || work(&mut self.0))
    }
}

impl Deref for QuietAgent {
    type Target = IceAgent;

    fn deref(&self) -> &IceAgent {
        &self.0
    }
}
