//! What the proxy asks of the world and what the world tells it.
//!
//! The edge (`sip-proxy`) carries out every [`Event`] and brings answers back as a [`Command`]. An event that asks for
//! something carries a [`Ticket`]; the answer carries the same one.

use std::net::IpAddr;
use std::sync::Arc;

use sip::{Aor, DigestSecret};
use ua::MessageSummary;

use crate::bound::Binding;
use crate::call_record::CallRecord;
use crate::guessing::Ban;
use crate::row::Row;
use crate::trace::{CallTrace, TracedCall};

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

/// Rows could not be kept; whoever waits for them is answered 503 and may try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreFailed;

/// Where the devices of an address-of-record are, as one shard tells it another.
#[derive(Clone, Default)]
pub struct Located(pub(crate) Vec<Box<[u8]>>);

impl std::fmt::Debug for Located {
    /// Contacts and push tokens stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Located").field(&self.0.len()).finish()
    }
}

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
    /// Accounts that nobody has asked for. Each is remembered if there is room or something is remembered of it already; of an account
    /// that changed while these were read, this must not be told after [`AccountChanged`](Self::AccountChanged).
    AccountsRead(Vec<Account>),
    /// What is remembered of this account no longer counts.
    AccountChanged(Aor),
    /// What is remembered of accounts no longer counts, whoever they are.
    AccountsChanged,
    /// What another shard has asked with [`Event::Locate`]; answered with [`Event::Located`].
    Locate {
        /// Which shard, to be put into the answer.
        asker: usize,
        /// Its ticket, to be put into the answer.
        ticket: Ticket,
        /// Whose contacts.
        aor: Aor,
    },
    /// The answer to [`Event::Locate`].
    Located {
        /// The question's ticket.
        ticket: Ticket,
        /// What was found.
        found: Located,
    },
    /// The answer to [`Event::Store`].
    Stored {
        /// The question's ticket.
        ticket: Ticket,
        /// Whether all rows are kept now, or none.
        result: Result<(), StoreFailed>,
    },
    /// Have everything stored that has changed, and tell all call records; answered with [`Event::Flushed`].
    Flush,
    /// What [`Row::bindings`] said before a restart. Each takes its place unless its address-of-record has registered meanwhile.
    RestoreBindings(Vec<Vec<u8>>),
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
    /// Ends the ban of [`Event::SourceBanned`].
    Pardon(IpAddr),
    /// Answered with [`Event::BansListed`].
    ListBans,
    /// Answered with [`Event::BindingsListed`].
    ListBindings {
        /// To be put into the answer.
        asker: u64,
        /// Zero, or what the last answer said.
        from: u32,
    },
    /// Answered with [`Event::CallsListed`].
    ListCalls {
        /// To be put into the answer.
        asker: u64,
        /// Whose calls.
        tenant: u128,
        /// At most so many.
        count: usize,
    },
    /// Answered with [`Event::CallFound`].
    FindCall {
        /// To be put into the answer.
        asker: u64,
        /// Whose call.
        tenant: u128,
        /// The Call-ID of one of its legs.
        call_id: String,
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
    /// Ask another shard with [`Command::Locate`] and answer with [`Command::Located`].
    Locate {
        /// Which one.
        shard: usize,
        /// To be put into the answer.
        ticket: Ticket,
        /// Whose contacts.
        aor: Aor,
    },
    /// The answer to [`Command::Locate`], for the shard that has asked.
    Located {
        /// Which one.
        asker: usize,
        /// Its ticket.
        ticket: Ticket,
        /// What was found.
        found: Located,
    },
    /// Keep these rows beyond a restart, all or none of them, and answer with [`Command::Stored`]. There is only one at a time.
    Store {
        /// To be put into the answer.
        ticket: Ticket,
        /// One for each address-of-record, in any order.
        rows: Vec<Row>,
    },
    /// Everything is stored that had changed before [`Command::Flush`].
    Flushed,
    /// Bindings of these have begun or ended; a mere refresh is not told. More follow when all copies are let go.
    BindingsChanged(Arc<[BindingsOf]>),
    /// A part of all bindings.
    BindingsListed {
        /// From the question.
        asker: u64,
        /// The part.
        bindings: Vec<Binding>,
        /// Where to go on asking; `None` after the last part.
        next: Option<u32>,
    },
    /// Somebody guesses passwords and is ignored for a while.
    SourceBanned {
        /// From where.
        source: IpAddr,
    },
    /// All sources that are ignored now.
    BansListed(Vec<Ban>),
    /// An account was refused a call because it has as many as it may have; told once an hour.
    CallsLimited {
        /// Whose.
        aor: Aor,
    },
    /// The last calls of which messages are kept, the latest first.
    CallsListed {
        /// From the question.
        asker: u64,
        /// None of another tenant.
        calls: Vec<TracedCall>,
    },
    /// What is kept of a call.
    CallFound {
        /// From the question.
        asker: u64,
        /// `None` if nothing is.
        trace: Option<Box<CallTrace>>,
    },
    /// Calls that go on and calls that are over, in the order in which that happened. A record that was told before takes the place of
    /// what was told.
    CallRecords {
        /// At most a thousand.
        records: Vec<CallRecord>,
        /// How many more there were that are lost, because nobody took them.
        dropped: u64,
    },
    /// How full the tables are.
    Counts(Counts),
}

/// All bindings of one address-of-record.
#[derive(Clone, Debug)]
pub struct BindingsOf {
    /// Whose.
    pub aor: Aor,
    /// All that it has now.
    pub bindings: Vec<Binding>,
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
    /// Requests that wait for a look-up or for the store.
    pub waiting: usize,
    /// Subscriptions to lines and mailboxes.
    pub watchers: usize,
    /// Calls whose messages are being noted.
    pub traces: usize,
    /// Records of calls that have not ended.
    pub records: usize,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.bindings += other.bindings;
        self.calls += other.calls;
        self.legs += other.legs;
        self.transactions += other.transactions;
        self.waiting += other.waiting;
        self.watchers += other.watchers;
        self.traces += other.traces;
        self.records += other.records;
    }
}
