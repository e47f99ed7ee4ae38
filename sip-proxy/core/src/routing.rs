//! Who is called, and how each of the callee's devices is dialled.
//!
//! The callee's INVITE is built anew from what is known, never copied (RFC 7092): who calls is the proven account, not what From or an
//! asserted identity says (RFC 3325), or nobody where the caller wants it so (RFC 3323), and no header field passes that is not named here. Calls, transfers and redirections go by the same rules.
//!
//! Not here: what happens between the legs (`bridge/`).

use std::sync::Arc;

use sdp::Described;
use sip::{Aor, Destination, Endpoint, Host, HostPort, NameAddr, Request, Transport, Uri};
use ua::Dial;

use crate::binding::Bindings;
use crate::bound::Record;
use crate::effect::{Account, Owner};
use crate::gruu::Gruus;
use crate::numbers::DialPlans;
use crate::record::BindingRef;
use crate::redial::path;

/// Who is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Callee {
    pub(crate) aor: Aor,
    /// Whose account it is, where that was looked up.
    pub(crate) owner: Option<Owner>,
    /// The only device to ring: somebody called its GRUU.
    pub(crate) instance: Option<String>,
}

impl From<Aor> for Callee {
    fn from(aor: Aor) -> Self {
        Self {
            aor,
            owner: None,
            instance: None,
        }
    }
}

/// What Max-Forwards begins with where nobody has said otherwise (RFC 3261, section 8.1.1.6).
pub(crate) const MAX_FORWARDS: u8 = 70;

/// A proven caller and whom they may call.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) caller: Arc<Account>,
    pub(crate) callee: Callee,
    /// The callee's bindings, where they belong to another shard.
    pub(crate) elsewhere: Option<Bindings>,
}

/// Whom a URI of the form of a GRUU (RFC 5627) is for; `None` for any other URI.
///
/// # Errors
///
/// 404 for one that reaches nobody any more.
pub(crate) fn gruu(uri: &Uri, gruus: &Gruus, bindings: &Bindings) -> Result<Option<Callee>, u16> {
    if !uri.has_param("gr") {
        return Ok(None);
    }
    let (aor, instance) = match uri.param("gr") {
        Some(instance) => (Aor::from_uri(uri).ok_or(404_u16)?, instance.to_owned()),
        None => gruus.open(uri, bindings).ok_or(404_u16)?,
    };
    Ok(Some(Callee {
        aor,
        owner: None,
        instance: Some(instance),
    }))
}

/// Who somebody is to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) aor: Aor,
    /// Whose account it is, where that is known.
    pub(crate) owner: Option<Owner>,
    display_name: Option<String>,
    /// Not told to others (RFC 3323).
    is_withheld: bool,
}

impl Identity {
    pub(crate) fn of(account: &Account) -> Self {
        Self {
            aor: account.aor.clone(),
            owner: Some(account.owner),
            display_name: account.display_name.clone(),
            is_withheld: false,
        }
    }

    /// Who has sent this INVITE, as far as he wants it known.
    ///
    /// # Errors
    ///
    /// 400 if his wish cannot be read; 500 if it is critical and more than we can do (RFC 3323, section 5).
    pub(crate) fn of_caller(account: &Account, invite: &Request) -> Result<Self, u16> {
        let mut identity = Self::of(account);
        if let Some(privacy) = invite.privacy().map_err(|_| 400_u16)? {
            // Media goes from phone to phone.
            if privacy.is_critical() && privacy.contains("session") {
                return Err(500);
            }
            identity.is_withheld = privacy.hides_identity();
        }
        Ok(identity)
    }

    pub(crate) fn unnamed(aor: Aor, owner: Option<Owner>) -> Self {
        Self {
            aor,
            owner,
            display_name: None,
            is_withheld: false,
        }
    }

    pub(crate) fn display_name(&self) -> Option<&str> {
        self.display_name.as_deref()
    }

    pub(crate) fn is_withheld(&self) -> bool {
        self.is_withheld
    }

    /// What others may call him, if they may know it.
    pub(crate) fn shown(&self) -> Option<Aor> {
        (!self.is_withheld).then(|| self.aor.clone())
    }

    /// As From tells it (RFC 3323, section 4.1.1.3).
    fn from(&self) -> NameAddr {
        if !self.is_withheld {
            return self.name_addr();
        }
        let host = HostPort::new(Host::Name("anonymous.invalid".to_owned()), None);
        NameAddr::new(Uri::sip(Some("anonymous"), host)).with_display_name("Anonymous")
    }

    fn name_addr(&self) -> NameAddr {
        let address = NameAddr::new(self.aor.to_uri());
        match &self.display_name {
            Some(name) => address.with_display_name(name),
            None => address,
        }
    }
}

/// Who is called for whom.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Whom the callee sees as caller.
    pub(crate) caller: Identity,
    /// Who is called.
    pub(crate) callee: Callee,
    /// Who has transferred the caller there.
    pub(crate) referrer: Option<Aor>,
    /// What Max-Forwards says.
    pub(crate) forwards: u8,
    /// How many branches may be made at once, where the caller has a limit (RFC 5393).
    pub(crate) breadth: Option<u32>,
}

impl Plan {
    /// The call that an INVITE asks for.
    ///
    /// # Errors
    ///
    /// As [`Identity::of_caller`].
    pub(crate) fn of_invite(admitted: &Admitted, invite: &Request) -> Result<Self, u16> {
        let forwards = invite.max_forwards().ok().flatten();
        Ok(Self {
            caller: Identity::of_caller(&admitted.caller, invite)?,
            callee: admitted.callee.clone(),
            referrer: None,
            forwards: forwards.unwrap_or(MAX_FORWARDS).saturating_sub(1),
            breadth: invite.max_breadth().ok().flatten(),
        })
    }
}

/// Whom a URI means that `caller` dials, is referred to or redirects to, or the status that refuses it: the one place for rules on who may
/// be called.
pub(crate) fn target_of(
    uri: &Uri,
    caller: &Aor,
    numbers: &DialPlans,
    endpoint: &Endpoint,
) -> Result<Aor, u16> {
    let target = named(uri, caller, endpoint)?;
    let numbers = numbers.of(caller.host());
    let Some(number) = numbers.normalise(target.user()) else {
        return Ok(target);
    };
    if !numbers.permits(&number) {
        return Err(403);
    }
    if number == target.user() || target.host() != caller.host() {
        return Ok(target);
    }
    Aor::parse(&format!("sip:{number}@{}", target.host())).ok_or(404)
}

/// Whom a URI names, whoever that is. A number without a domain of ours, dialled at the proxy's own address or as `tel:`, is one of the
/// caller's own domain.
fn named(uri: &Uri, caller: &Aor, endpoint: &Endpoint) -> Result<Aor, u16> {
    if let Some(number) = uri.telephone_number() {
        let digits: String = number.chars().filter(|c| !"-.()".contains(*c)).collect();
        return Aor::parse(&format!("sip:{digits}@{}", caller.host())).ok_or(404);
    }
    if !uri.is_sip() {
        return Err(416);
    }
    let target = Aor::from_uri(uri).ok_or(404_u16)?;
    let is_ours = Transport::ALL
        .iter()
        .filter_map(|transport| endpoint.advertised(*transport))
        .any(|ours| Some(&ours.host) == uri.host());
    if is_ours {
        return Aor::parse(&format!("sip:{}@{}", target.user(), caller.host())).ok_or(404);
    }
    Ok(target)
}

/// An INVITE for a device.
#[derive(Debug)]
pub(crate) struct Rung {
    pub(crate) dial: Dial,
    /// Which device: its instance-id, or empty.
    pub(crate) instance: Box<str>,
}

/// One INVITE for each device of the callee that can be reached: those of the highest q first, those of one q together, as many at once
/// as the caller allows.
pub(crate) fn groups(
    plan: &Plan,
    offer: Option<&Described>,
    bindings: &Bindings,
    endpoint: &Endpoint,
) -> Vec<Vec<Rung>> {
    let bound = bindings.of(&plan.callee.aor);
    let mut ranked = rung(&plan.callee, &bound);
    // Stable: the older binding of two with the same q comes first.
    ranked.sort_by_key(|binding| std::cmp::Reverse(binding.q_thousandths()));
    let at_once = plan
        .breadth
        .map_or(usize::MAX, |breadth| breadth as usize)
        .max(1);
    ranked
        .chunk_by(|one, next| one.q_thousandths() == next.q_thousandths())
        .flat_map(|group| group.chunks(at_once))
        .map(|group| {
            let share = plan.breadth.map(|breadth| {
                let branches = u32::try_from(group.len()).unwrap_or(u32::MAX);
                (breadth / branches).max(1)
            });
            let dials = group.iter();
            dials
                .filter_map(|binding| {
                    let dial = dial(plan, share, *binding, offer, endpoint)?;
                    let instance = binding.instance().into();
                    Some(Rung { dial, instance })
                })
                .collect()
        })
        .collect()
}

/// Whether there is anybody to ring.
pub(crate) fn rings(callee: &Callee, bindings: &Bindings) -> bool {
    let Some(wanted) = callee.instance.as_deref() else {
        return bindings.slot_of(&callee.aor).is_some();
    };
    let bound = bindings.of(&callee.aor);
    bound.iter().any(|binding| binding.instance() == wanted)
}

/// Which of the callee's bindings to ring: of a device with several flows the one that was refreshed last (RFC 5626, section 6).
pub(crate) fn rung<'a>(callee: &Callee, bound: &'a Record) -> Vec<BindingRef<'a>> {
    let mut rung: Vec<BindingRef<'a>> = Vec::new();
    let wanted = callee.instance.as_deref();
    for binding in bound
        .iter()
        .filter(|binding| wanted.is_none_or(|wanted| wanted == binding.instance()))
    {
        let is_same = |other: &BindingRef<'_>| {
            !binding.instance().is_empty() && other.instance() == binding.instance()
        };
        match rung.iter().position(is_same) {
            Some(at) if rung[at].updated() <= binding.updated() => rung[at] = binding,
            Some(_) => {}
            None => rung.push(binding),
        }
    }
    rung
}

fn dial(
    plan: &Plan,
    breadth: Option<u32>,
    binding: BindingRef<'_>,
    offer: Option<&Described>,
    endpoint: &Endpoint,
) -> Option<Dial> {
    let mut request_uri: Uri = binding.uri().parse().ok()?;
    request_uri.clear_headers();
    let destination = binding.reached_by()?;
    let mut headers = vec![("Max-Forwards", plan.forwards.to_string())];
    if let Some(breadth) = breadth {
        headers.push(("Max-Breadth", breadth.to_string()));
    }
    if let Some(referrer) = &plan.referrer {
        let value = NameAddr::new(referrer.to_uri()).to_string();
        headers.push(("Referred-By", value));
    }
    let from = plan.caller.from();
    if !plan.caller.is_withheld {
        headers.push(("P-Asserted-Identity", from.to_string()));
    }
    Some(Dial {
        request_uri,
        from,
        to: NameAddr::new(plan.callee.aor.to_uri()),
        contact: contact(&destination, endpoint)?,
        route: path(binding)?,
        destination,
        offer: offer.cloned(),
        credentials: None,
        headers,
    })
}

/// Where the device reaches the proxy during the call.
pub(crate) fn contact(destination: &Destination, endpoint: &Endpoint) -> Option<Uri> {
    let transport = destination.transport();
    let mut uri = Uri::sip(None, endpoint.advertised(transport)?.clone());
    if transport != Transport::Udp {
        uri.set_param("transport", &transport.to_string().to_lowercase());
    }
    Some(uri)
}
