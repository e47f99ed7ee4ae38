//! Which call an INVITE with Replaces means (RFC 3891), and what names a call of ours to others.
//!
//! Not here: whether the caller may (the owners), and the end of the replaced call (`mod.rs`).

use sip::{DialogId, Replaces, Request};

use super::state::Phase;
use super::{CallKey, Calls};

impl Calls {
    /// What names the dialog of a call to its peer's peers: for
    /// [`ReferTo::replacing`](sip::ReferTo::replacing) in an attended transfer, or in one while an
    /// outgoing call still rings. `None` while there is no dialog, and for a call that rings here,
    /// which nobody may replace (section 3).
    #[must_use]
    pub fn replaces_value(&self, call: CallKey) -> Option<Replaces> {
        let call = self.calls.get(&call)?;
        if call.told_end {
            return None;
        }
        let id = match &call.phase {
            Phase::Established => call.dialog.as_ref()?.id(),
            Phase::Calling(calling) => calling.early.first()?.dialog.id(),
            Phase::Ringing(_) | Phase::Leaving | Phase::Over => return None,
        };
        Some(Replaces {
            call_id: id.call_id.to_owned(),
            // Seen from the peer, who shall find it.
            to_tag: id.remote_tag.to_owned(),
            from_tag: id.local_tag.to_owned(),
            early_only: false,
        })
    }

    /// The live call whose dialog `replaces` names, seen from us.
    #[must_use]
    pub fn find_replaced(&self, replaces: &Replaces) -> Option<CallKey> {
        let with_tag = |remote_tag: &str| {
            self.find(DialogId {
                call_id: &replaces.call_id,
                local_tag: &replaces.to_tag,
                remote_tag,
            })
        };
        // `0` is also how a peer without tag is named.
        with_tag(&replaces.from_tag)
            .or_else(|| (replaces.from_tag == "0").then(|| with_tag("")).flatten())
    }

    /// The call that a new INVITE is to replace. The error is the status to refuse it with
    /// (section 3).
    pub(super) fn replaced_by(&self, invite: &Request) -> Result<Option<CallKey>, u16> {
        let Some(replaces) = invite.replaces().map_err(|_| 400_u16)? else {
            return Ok(None);
        };
        if invite.header("Join").is_some() {
            return Err(400);
        }
        let key = self.find_replaced(&replaces).ok_or(481_u16)?;
        let call = self.calls.get(&key).ok_or(481_u16)?;
        match call.phase {
            Phase::Ringing(_) => Err(481),
            _ if call.told_end => Err(603),
            Phase::Established if replaces.early_only => Err(486),
            Phase::Calling(_) | Phase::Established => Ok(Some(key)),
            Phase::Leaving | Phase::Over => Err(603),
        }
    }
}
