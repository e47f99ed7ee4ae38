//! The calls of each line: the legs between the proxy and an account's devices, as the account sees them.

use std::collections::HashMap;
use std::sync::Arc;

use sip::{Aor, KeyMap, NameAddr};
use ua::{
    CallKey, CallView, Calls, DialogEntry, DialogInfo, Direction, EntryState, Identity, Origin,
    Participant, Scope, Stage, StageChange,
};

/// All lines that have a leg, or are watched and had one.
#[derive(Debug, Default)]
pub(super) struct Lines {
    by_aor: HashMap<Arc<Aor>, Line>,
    legs: KeyMap<CallKey, Leg>,
}

#[derive(Debug, Default)]
struct Line {
    legs: Vec<CallKey>,
    /// The leg that ended last: some phones wait for the word that it did.
    ended: Option<Box<str>>,
}

#[derive(Debug)]
struct Leg {
    aor: Arc<Aor>,
    /// What names it to watchers: our tag, which says nothing of other lines.
    id: Box<str>,
    stage: Stage,
}

impl Lines {
    /// Takes a stage in; whose line it is.
    pub(super) fn note(&mut self, change: StageChange, calls: &Calls) -> Option<Arc<Aor>> {
        let StageChange { call, stage } = change;
        if stage == Stage::Terminated {
            let leg = self.legs.remove(&call)?;
            if let Some(line) = self.by_aor.get_mut(&leg.aor) {
                // The calls that began first mostly end first.
                if let Some(at) = line.legs.iter().position(|own| *own == call) {
                    line.legs.remove(at);
                }
                line.ended = Some(leg.id);
            }
            return Some(leg.aor);
        }
        if let Some(leg) = self.legs.get_mut(&call) {
            leg.stage = stage;
            return Some(leg.aor.clone());
        }
        let view = calls.view(call)?;
        let aor = Arc::new(Aor::of_address(view.remote)?);
        self.by_aor.entry(aor.clone()).or_default().legs.push(call);
        let leg = Leg {
            aor: aor.clone(),
            id: view.local_tag.into(),
            stage,
        };
        self.legs.insert(call, leg);
        Some(aor)
    }

    /// Nobody watches the line: what ended is not kept.
    pub(super) fn forget_ended(&mut self, aor: &Aor) {
        if let Some(line) = self.by_aor.get_mut(aor) {
            line.ended = None;
            if line.legs.is_empty() {
                self.by_aor.remove(aor);
            }
        }
    }

    /// All calls of the line, as its `version`th document.
    pub(super) fn document(&self, aor: &Aor, version: u32, calls: &Calls) -> DialogInfo {
        let line = self.by_aor.get(aor);
        let living = line.into_iter().flat_map(|line| &line.legs);
        let ended = line.and_then(|line| line.ended.as_deref());
        let ended = ended.map(|id| DialogEntry::new(id, EntryState::Terminated));
        DialogInfo {
            version,
            scope: Scope::Full,
            entity: aor.to_string(),
            dialogs: living
                .filter_map(|call| {
                    let leg = self.legs.get(call)?;
                    Some(entry(leg, &calls.view(*call)?))
                })
                .chain(ended)
                .collect(),
        }
    }
}

/// A leg as its device sees it: what is ours is the other side's to the device.
fn entry(leg: &Leg, view: &CallView<'_>) -> DialogEntry {
    let state = match leg.stage {
        Stage::Trying => EntryState::Trying,
        Stage::Early => EntryState::Early,
        Stage::Confirmed => EntryState::Confirmed,
        Stage::Terminated => EntryState::Terminated,
    };
    let direction = match view.origin {
        Origin::Peer => Direction::Initiator,
        Origin::Us => Direction::Recipient,
    };
    DialogEntry {
        call_id: Some(view.call_id.to_owned()),
        local_tag: view.remote_tag.map(str::to_owned),
        remote_tag: Some(view.local_tag.to_owned()),
        direction: Some(direction),
        local: Some(Participant {
            identity: Some(Identity {
                uri: leg.aor.to_string(),
                display: None,
            }),
            target: None,
        }),
        remote: view.local.parse().ok().map(participant),
        ..DialogEntry::new(&*leg.id, state)
    }
}

fn participant(address: NameAddr) -> Participant {
    Participant {
        identity: Some(Identity {
            uri: address.uri.to_string(),
            display: address.display_name,
        }),
        target: None,
    }
}
