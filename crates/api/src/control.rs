//! How the portal reaches the proxy: registrations to show, bindings to end, what was said in calls.
//!
//! In one process the proxy implements the trait itself; run apart, a client of the proxy's
//! authenticated interface does. The calls wait until the proxy has acted, so that a revocation has
//! taken effect when it returns.

use std::{future::Future, pin::Pin};

use time::OffsetDateTime;
use tokio::sync::{broadcast, mpsc};
use uuid::Uuid;

use crate::{CallLadder, ProviderTestEvent, RegistrationTrial};

/// What a call of [`ProxyControl`] answers.
pub type ControlAnswer<'a, T> = Pin<Box<dyn Future<Output = Result<T, ControlError>> + Send + 'a>>;

/// Why the proxy did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// The proxy has stopped or cannot be reached.
    #[error("the proxy does not answer")]
    Unreachable,
}

/// One binding of an address-of-record at the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Address-of-record, `sip:user@domain`.
    pub aor: String,
    /// Instance-id of the contact without angle brackets, `urn:uuid:…`; see [`crate::instance_id`].
    pub instance: Option<String>,
    /// When the binding ends unless it is refreshed.
    pub expires_at: OffsetDateTime,
}

/// The bindings of one address-of-record have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationChange {
    /// Address-of-record.
    pub aor: String,
    /// All its bindings now; empty when the last one ended. A mere refresh is not announced.
    pub registrations: Vec<Registration>,
}

/// The portal's view of the proxy.
pub trait ProxyControl: Send + Sync + 'static {
    /// All bindings at this moment. Subscribe first, then ask, to miss nothing.
    fn registrations(&self) -> ControlAnswer<'_, Vec<Registration>>;

    /// Changes from now on. A receiver that lags asks for [`Self::registrations`] again.
    fn subscribe(&self) -> broadcast::Receiver<RegistrationChange>;

    /// Ends all bindings of the device with this instance-id, at once.
    ///
    /// The portal makes the device's credentials invalid before it calls this, so that the proxy
    /// refuses the next REGISTER.
    fn revoke_device<'a>(&'a self, instance: &'a str) -> ControlAnswer<'a, ()>;

    /// Ends all bindings of an address-of-record, for example because the account is gone.
    fn drop_bindings<'a>(&'a self, aor: &'a str) -> ControlAnswer<'a, ()>;

    /// Forgets what is cached of the account: its password or its existence has changed.
    fn account_changed<'a>(&'a self, aor: &'a str) -> ControlAnswer<'a, ()>;

    /// Tenants of which calls have been written, from now on. A receiver that lags has missed some.
    fn subscribe_calls(&self) -> broadcast::Receiver<Uuid>;

    /// Registers somewhere for a moment and tells each step as it happens, at last how it ended. It ends early if the receiver is dropped;
    /// one that is closed without an end is of a proxy that has stopped.
    fn try_registration(&self, trial: RegistrationTrial) -> mpsc::Receiver<ProviderTestEvent>;

    /// What was said so far in the tenant's last call one of whose legs has this Call-ID, without secrets; `None` if nothing of it is
    /// kept.
    fn call_ladder<'a>(
        &'a self,
        tenant: Uuid,
        call_id: &'a str,
    ) -> ControlAnswer<'a, Option<CallLadder>>;
}
