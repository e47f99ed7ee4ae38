//! Call records as rows of tenants: whose they are, in which direction they went, and what each tenant may see.
//!
//! A call between two tenants is a row for each: outgoing for the one, incoming for the other, who does not learn who a caller is that
//! withholds its identity (RFC 3323).
//!
//! Not here: when rows are written (`recorder.rs`).

use std::collections::HashMap;

use sip::Aor;
use sip_proxy_core::{CallEndReason, CallLinkKind, CallOutcome, CallParty, CallRecord, Owner};
use store::call::{self, Call, Party};
use store::{CallDirection, CallLink, CallReason, CallSource, Database, StoreError, account};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::recorder::Group;

/// Calls that go on at most; far more than the core has.
const MAX_BEGUN: usize = 200_000;

/// A record that was told while its call went on.
#[derive(Clone, Copy)]
struct Begun {
    started_at: OffsetDateTime,
    /// The keys of its rows: of the caller's tenant and of the callee's.
    ids: [Uuid; 2],
}

/// Makes rows of what the core tells.
pub(crate) struct CallRows {
    /// Tells the calls of this run from those of others.
    run: u128,
    begun: HashMap<(usize, u64), Begun>,
}

impl CallRows {
    pub(crate) fn new(run: u128) -> Self {
        Self {
            run,
            begun: HashMap::new(),
        }
    }

    /// The rows of some records, in order. Owners that the core does not know are looked up.
    pub(crate) async fn of(
        &mut self,
        groups: &[Group],
        db: &Database,
    ) -> Result<Vec<(Uuid, Call)>, StoreError> {
        let mut owners = HashMap::new();
        for record in groups.iter().flat_map(|group| &group.records) {
            for party in [&record.caller, &record.callee] {
                if let Some(aor) = needs_owner(record, party)
                    && !owners.contains_key(aor)
                {
                    let found = account::find_owner(aor.user(), aor.host(), db).await?;
                    owners.insert(
                        aor.clone(),
                        found.map(|found| Owner {
                            tenant: found.tenant_id.as_u128(),
                            account: found.id.as_u128(),
                        }),
                    );
                }
            }
        }
        let mut rows = Vec::new();
        for group in groups {
            for record in &group.records {
                self.add(group, record, &owners, &mut rows);
            }
        }
        Ok(rows)
    }

    fn add(
        &mut self,
        group: &Group,
        record: &CallRecord,
        owners: &HashMap<Aor, Option<Owner>>,
        rows: &mut Vec<(Uuid, Call)>,
    ) {
        let owner = |party: &CallParty| {
            let found = party.aor.as_ref().and_then(|aor| *owners.get(aor)?);
            party.owner.or(found)
        };
        let owner = [owner(&record.caller), owner(&record.callee)];
        let tenants = owner.map(|owner| owner.map(|owner| owner.tenant));
        let begun = self.begun(group, record);
        for side in 0..2 {
            let Some(tenant) = tenants[side] else {
                continue;
            };
            if side == 1 && tenants[0] == Some(tenant) {
                continue;
            }
            let direction = match (tenants[0], tenants[1]) {
                (Some(caller), Some(callee)) if caller == callee => CallDirection::Internal,
                (Some(_), None) if is_at_home(record) => CallDirection::Internal,
                _ if side == 0 => CallDirection::Outgoing,
                _ => CallDirection::Incoming,
            };
            let party = |at: usize, party: &CallParty| see(party, owner[at], tenant);
            let call = Call {
                id: begun.ids[side],
                call_id: self.call_id(group.shard, record.call),
                source: CallSource::Proxy,
                direction,
                started_at: begun.started_at,
                answered_at: record.answered.map(|at| group.noon.time(at)),
                ended_at: record.end.map(|end| group.noon.time(end.at)),
                outcome: record
                    .end
                    .map_or(store::CallOutcome::Ongoing, |end| outcome(end.outcome)),
                reason: record.end.map(|end| reason(end.reason)),
                status: record.end.and_then(|end| end.status),
                link: record
                    .link
                    .as_ref()
                    .map(|link| (linked(link.kind), link.by.as_str().to_owned())),
                caller: party(0, &record.caller),
                callee: party(1, &record.callee),
                dialled: record.dialled.clone(),
                sip_call_id: record.sip_call_id.clone(),
            };
            rows.push((Uuid::from_u128(tenant), call));
        }
    }

    /// When it began, and its keys. A record that has ended is forgotten.
    fn begun(&mut self, group: &Group, record: &CallRecord) -> Begun {
        let key = (group.shard, record.number);
        let begun = self.begun.remove(&key).unwrap_or_else(|| {
            let started_at = group.noon.time(record.started);
            Begun {
                started_at,
                ids: [call::new_id(started_at), call::new_id(started_at)],
            }
        });
        if record.end.is_none() {
            if self.begun.len() >= MAX_BEGUN {
                // The ends of as many calls were lost: those that go on get another row when they end.
                self.begun.clear();
            }
            self.begun.insert(key, begun);
        }
        begun
    }

    fn call_id(&self, shard: usize, call: u64) -> Uuid {
        let shard = u128::try_from(shard).unwrap_or_default();
        let id = self.run ^ (shard << 64) ^ u128::from(call);
        uuid::Builder::from_custom_bytes(id.to_be_bytes()).into_uuid()
    }
}

/// The address of a party whose owner is to be looked up. Who dialled a number that does not exist needs nobody looked up.
fn needs_owner<'a>(record: &CallRecord, party: &'a CallParty) -> Option<&'a Aor> {
    let is_unknown = record
        .end
        .is_some_and(|end| end.reason == CallEndReason::UnknownNumber && end.status == Some(404));
    let is_rung = record.answered.is_some() || !is_unknown || record.link.is_some();
    party
        .aor
        .as_ref()
        .filter(|_| party.owner.is_none() && is_rung)
}

/// Whether the caller has dialled within the own domain, and no number of the outside world.
fn is_at_home(record: &CallRecord) -> bool {
    let (Some(caller), Some(callee)) = (&record.caller.aor, &record.callee.aor) else {
        return false;
    };
    caller.host() == callee.host() && !callee.user().starts_with('+')
}

/// A party as `tenant` may see it.
fn see(party: &CallParty, owner: Option<Owner>, tenant: u128) -> Party {
    let own = owner.filter(|owner| owner.tenant == tenant);
    if party.is_withheld && own.is_none() {
        return Party::default();
    }
    let device = party.instance.as_deref().and_then(device_id);
    Party {
        account_id: own.map(|owner| Uuid::from_u128(owner.account)),
        device_id: device.filter(|_| own.is_some()),
        address: party.aor.as_ref().map(|aor| aor.as_str().to_owned()),
        name: party.display_name.clone(),
        number: party.aor.as_ref().map(|aor| aor.user().to_owned()),
    }
}

/// The device of an instance-id; see [`api::instance_id`].
fn device_id(instance: &str) -> Option<Uuid> {
    instance.strip_prefix("urn:uuid:")?.parse().ok()
}

fn linked(kind: CallLinkKind) -> CallLink {
    match kind {
        CallLinkKind::Transferred => CallLink::Transferred,
        CallLinkKind::Forwarded => CallLink::Forwarded,
        CallLinkKind::PickedUp => CallLink::PickedUp,
    }
}

fn outcome(outcome: CallOutcome) -> store::CallOutcome {
    match outcome {
        CallOutcome::Answered => store::CallOutcome::Answered,
        CallOutcome::Missed => store::CallOutcome::Missed,
        CallOutcome::Busy => store::CallOutcome::Busy,
        CallOutcome::Declined => store::CallOutcome::Declined,
        CallOutcome::Cancelled => store::CallOutcome::Cancelled,
        CallOutcome::Failed => store::CallOutcome::Failed,
        CallOutcome::Unregistered => store::CallOutcome::Unregistered,
        CallOutcome::Refused => store::CallOutcome::Refused,
        CallOutcome::Forwarded => store::CallOutcome::Forwarded,
    }
}

fn reason(reason: CallEndReason) -> CallReason {
    match reason {
        CallEndReason::CallerHungUp => CallReason::CallerHungUp,
        CallEndReason::CalleeHungUp => CallReason::CalleeHungUp,
        CallEndReason::Transferred => CallReason::Transferred,
        CallEndReason::PickedUp => CallReason::PickedUp,
        CallEndReason::Lost => CallReason::Lost,
        CallEndReason::NoAnswer => CallReason::NoAnswer,
        CallEndReason::Unavailable => CallReason::Unavailable,
        CallEndReason::Busy => CallReason::Busy,
        CallEndReason::Declined => CallReason::Declined,
        CallEndReason::CallerGaveUp => CallReason::CallerGaveUp,
        CallEndReason::AnsweredElsewhere => CallReason::AnsweredElsewhere,
        CallEndReason::Forwarded => CallReason::Forwarded,
        CallEndReason::NotRegistered => CallReason::NotRegistered,
        CallEndReason::Unreachable => CallReason::Unreachable,
        CallEndReason::UnknownNumber => CallReason::UnknownNumber,
        CallEndReason::NotPermitted => CallReason::NotPermitted,
        CallEndReason::TooManyCalls => CallReason::TooManyCalls,
        CallEndReason::NoCommonMedia => CallReason::NoCommonMedia,
        CallEndReason::Overloaded => CallReason::Overloaded,
        CallEndReason::Failed => CallReason::Failed,
    }
}
