//! Where a phone behind an edge proxy is reached inside a dialog when its Contact is a GRUU (RFC 5627).
//!
//! Such a Contact says: ask the proxy of the domain where I am. That is us, who send the request in the first place. So the contact that
//! the phone has bound takes the GRUU's place when the message comes in; the request then goes by the route set to the edge, which would
//! otherwise send it back to us. A phone without a proxy in between keeps its GRUU: requests come to it on its flow whatever they say. So
//! does one whose edge has put a parameter of its own beside it (`alias` and the like): that edge knows the way by it.
//!
//! Invariant: nobody is told what somebody else has bound. The GRUU must be of the account that the message claims, and the binding of the
//! host that it comes from.
//!
//! Not here: calls to a GRUU (`routing.rs`). A phone that registers from elsewhere during a call says so by a request that refreshes the
//! target; until then it is reached where it was.

use sip::{Aor, Contact, EndpointEvent, Fields, Flow, Method};

use crate::proxy::Proxy;
use crate::routing::{gruu, rung};

impl Proxy {
    /// Puts the contact that is bound in the place of its GRUU, if the event says where a peer wants requests sent.
    pub(crate) fn settle_remote_target(&self, event: &mut EndpointEvent) {
        match event {
            EndpointEvent::Request { request, flow, .. } if refreshes_target(&request.method) => {
                let claimed = request.from_aor();
                self.settle_contact(request, claimed, flow);
            }
            EndpointEvent::Response { response, flow, .. } if response.status.code() < 300 => {
                let claimed = response.to_aor();
                self.settle_contact(response, claimed, flow);
            }
            _ => {}
        }
    }

    fn settle_contact(&self, message: &mut Fields, claimed: Option<Aor>, flow: &Flow) {
        let looks_like_one = message
            .header("Contact")
            .is_some_and(|contact| contact.contains(";gr"));
        if looks_like_one && let Some(contact) = self.settled(message, claimed, flow) {
            message.set_header("Contact", contact.to_string());
        }
    }

    fn settled(&self, message: &Fields, claimed: Option<Aor>, flow: &Flow) -> Option<Contact> {
        message.header("Record-Route")?;
        let contacts = message.contacts().ok()?;
        let [contact] = contacts.list() else {
            return None;
        };
        let mut contact = contact.clone();
        if contact.uri().params()?.iter().count() != 1 {
            return None;
        }
        let callee = gruu(contact.uri(), &self.gruus, &self.bindings).ok()??;
        if claimed? != callee.aor {
            return None;
        }
        let bound = self.bindings.of(&callee.aor);
        let edge = rung(&callee, &bound).into_iter().find(|binding| {
            let home = binding.reached_by().map(|home| home.peer().ip());
            !binding.path().is_empty() && home == Some(flow.peer.ip())
        })?;
        contact.address.uri = edge.uri().parse().ok()?;
        contact.address.uri.clear_headers();
        Some(contact)
    }
}

fn refreshes_target(method: &Method) -> bool {
    [
        Method::INVITE,
        Method::UPDATE,
        Method::SUBSCRIBE,
        Method::REFER,
    ]
    .contains(method)
}
