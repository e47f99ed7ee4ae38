//! What the proxy asks of the world and what the world tells it.
//!
//! The edge (`sip-proxy`) carries out every [`Event`] and brings answers back as a [`Command`]. An event that asks for
//! something carries a [`Ticket`]; the answer carries the same one.

use sip::{Aor, DigestSecret};
use ua::MessageSummary;

use crate::binding::{Binding, BindingChange};

/// Joins a question to its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub(crate) u64);

/// Whose account a binding belongs to. The proxy only carries it, for whoever keeps bindings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Id of the tenant.
    pub tenant: u128,
    /// Id of the account.
    pub account: u128,
}

/// An account at this proxy, as far as signalling needs it.
#[derive(Clone, Debug)]
pub struct Account {
    /// Who owns it.
    pub owner: Owner,
    /// Its address-of-record.
    pub aor: Aor,
    /// What the user name of its digest credentials must be.
    pub auth_username: String,
    /// What its password hashes to.
    pub secret: DigestSecret,
    /// The name shown to those it calls.
    pub display_name: Option<String>,
}

/// The account could not be looked up; the request is answered 503 and may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookupFailed;

/// Things the edge tells the proxy.
#[derive(Clone, Debug)]
pub enum Command {
    /// The answer to [`Event::LoadAccount`]; `None` if there is no such account.
    AccountLoaded {
        /// The question's ticket.
        ticket: Ticket,
        /// What was found.
        account: Result<Option<Account>, LookupFailed>,
    },
    /// What is remembered of this account no longer counts.
    AccountChanged(Aor),
    /// What is remembered of accounts no longer counts, whoever they are.
    AccountsChanged,
    /// Bindings from before a restart. Each takes its place unless its device has registered meanwhile.
    RestoreBindings(Vec<Binding>),
    /// Ends all bindings of the device with this instance-id.
    RevokeInstance(String),
    /// Ends all bindings of an address-of-record.
    DropBindings(Aor),
    /// What waits for an address-of-record, to be told to its devices; the default is nothing.
    SetMessages {
        /// Whose messages.
        aor: Aor,
        /// How many.
        summary: MessageSummary,
    },
    /// Answered with [`Event::Counts`].
    Count,
}

/// Things the proxy wants done or known.
#[derive(Clone, Debug)]
pub enum Event {
    /// Look up the account of an address-of-record and answer with [`Command::AccountLoaded`].
    LoadAccount {
        /// To be put into the answer.
        ticket: Ticket,
        /// Whose account.
        aor: Aor,
    },
    /// Bindings have changed; to be kept beyond a restart and shown.
    BindingsChanged(Vec<BindingChange>),
    /// How full the tables are.
    Counts(Counts),
}

/// How many entries each table has. All but `bindings` and `watchers` are zero when nothing goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bindings of all addresses-of-record.
    pub bindings: usize,
    /// Calls with two legs or on the way to them.
    pub calls: usize,
    /// Legs.
    pub legs: usize,
    /// Transactions that are not yet terminated.
    pub transactions: usize,
    /// Requests that wait for a look-up.
    pub waiting: usize,
    /// Subscriptions to lines and mailboxes.
    pub watchers: usize,
}
