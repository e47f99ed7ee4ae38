//! Requests of the peer inside a dialog (RFC 3261, section 12.2.2).

use sip::{Flow, Method, Request, ServerTransaction};

use super::body::reasons_in;
use super::state::{Call, Phase, Turn};
use super::table::Purpose;
use super::{CallError, CallEvent, EndReason};
use crate::CALL_METHODS;

/// Bodies of INFO that are told: the two ways in which phones send digits outside of the media.
const INFO_BODIES: [(&str, &str); 2] = [("application", "dtmf-relay"), ("application", "dtmf")];

/// Longest INFO body that is told, in bytes; both kinds are a line or two.
const MAX_INFO_BYTES: usize = 1_024;

/// INFO bodies that may wait to be sent.
const MAX_INFOS: usize = 64;

/// The body of an INFO that is to be sent. Not for logs.
pub(super) struct InfoBody {
    content_type: Box<str>,
    body: bytes::Bytes,
}

impl std::fmt::Debug for InfoBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InfoBody(***)")
    }
}

impl Call {
    /// A request of this dialog, not ACK or CANCEL.
    pub(super) fn handle_request(
        &mut self,
        transaction: ServerTransaction,
        request: Request,
        flow: Flow,
        turn: &mut Turn<'_>,
    ) {
        let Some(dialog) = self.dialog_of(&request) else {
            return turn.respond(transaction, request.response(481, None));
        };
        if let Err(error) = dialog.accept(&request) {
            return turn.respond(transaction, request.response(error.reply_status(), None));
        }
        self.follow(flow);
        if request.method == Method::BYE {
            self.handle_bye(transaction, &request, turn);
        } else if request.method == Method::INVITE || request.method == Method::UPDATE {
            self.handle_peer_change(transaction, request, turn);
        } else if request.method == Method::PRACK {
            self.handle_prack(transaction, request, turn);
        } else if request.method == Method::REFER {
            self.handle_refer(transaction, request, turn);
        } else if request.method == Method::NOTIFY {
            self.handle_notify(transaction, &request, turn);
        } else if request.method == Method::INFO {
            self.handle_info(transaction, &request, turn);
        } else if request.method == Method::OPTIONS {
            let response = self.response(&request, 200);
            turn.respond(transaction, response);
        } else {
            let mut response = request.response(405, None);
            response.push_header("Allow", CALL_METHODS);
            turn.respond(transaction, response);
        }
    }

    fn handle_bye(&mut self, transaction: ServerTransaction, bye: &Request, turn: &mut Turn<'_>) {
        turn.respond(transaction, bye.response(200, None));
        if !self.told_end {
            self.said = reasons_in(bye);
        }
        match &self.phase {
            // The caller hangs up its early dialog: as good as a CANCEL (section 15.1.2).
            Phase::Ringing(_) => {
                let _ = self.reject(487, EndReason::Cancelled, turn);
            }
            // Our own BYE crossed theirs; its response is still to come.
            Phase::Leaving => {}
            // A BYE needs a dialog that we have confirmed (section 15.1.2): the INVITE goes on.
            Phase::Calling(_) => {}
            Phase::Established | Phase::Over => {
                self.finish(EndReason::RemoteHangUp, turn);
            }
        }
    }

    /// The owner sends digits: after those that are on their way, so that none overtakes another.
    pub(super) fn send_info(
        &mut self,
        content_type: &str,
        body: bytes::Bytes,
        turn: &mut Turn<'_>,
    ) -> Result<(), CallError> {
        let is_possible = matches!(self.phase, Phase::Established) && self.dialog.is_some();
        if !is_possible || self.infos.len() == MAX_INFOS {
            return Err(CallError::WrongState);
        }
        self.infos.push_back(InfoBody {
            content_type: content_type.into(),
            body,
        });
        if self.infos.len() > 1 {
            return Ok(());
        }
        self.send_next_info(turn)
    }

    /// What the peer, or nobody, said to the INFO that was on its way.
    pub(super) fn handle_info_answer(&mut self, status: u16, turn: &mut Turn<'_>) {
        if let Some(info) = self.infos.pop_front()
            && status >= 300
        {
            let refused = CallEvent::InfoRefused {
                call: self.key,
                content_type: info.content_type.into(),
                body: info.body,
                status,
            };
            self.tell(refused, turn);
        }
        if !self.infos.is_empty() && self.send_next_info(turn).is_err() {
            // The call is ending.
            self.infos.clear();
        }
    }

    fn send_next_info(&mut self, turn: &mut Turn<'_>) -> Result<(), CallError> {
        if !matches!(self.phase, Phase::Established) {
            return Err(CallError::WrongState);
        }
        let next = self.infos.front().ok_or(CallError::WrongState)?;
        let dialog = self.dialog.as_mut().ok_or(CallError::WrongState)?;
        let mut info = dialog.request(Method::INFO);
        info.set_body(&next.content_type, next.body.clone());
        self.login.prepare(&mut info);
        self.send(info, Purpose::Info, turn)
            .map(|_| ())
            .ok_or(CallError::WrongState)
    }

    fn handle_info(&mut self, transaction: ServerTransaction, info: &Request, turn: &mut Turn<'_>) {
        let content_type = info.content_type().ok().flatten();
        let known = content_type.filter(|content_type| {
            INFO_BODIES
                .iter()
                .any(|(kind, subtype)| content_type.is(kind, subtype))
        });
        match known {
            _ if info.body().is_empty() => turn.respond(transaction, info.response(200, None)),
            Some(content_type) if info.body().len() <= MAX_INFO_BYTES => {
                turn.respond(transaction, info.response(200, None));
                let content_type = format!("{}/{}", content_type.kind, content_type.subtype);
                let body = info.body().clone();
                self.tell(
                    CallEvent::Info {
                        call: self.key,
                        content_type,
                        body,
                    },
                    turn,
                );
            }
            Some(_) => turn.respond(transaction, info.response(413, None)),
            None => {
                let mut response = info.response(415, None);
                let kinds = INFO_BODIES.map(|(kind, subtype)| format!("{kind}/{subtype}"));
                response.push_header("Accept", kinds.join(", "));
                turn.respond(transaction, response);
            }
        }
    }
}
