//! sipp's scenarios, written as ladders: one line for each message, in order.
//!
//! Each side names its transactions itself (`branch=z9hG4bK…n1`, `n2`, …), because sipp's own branches count messages, which an optional
//! response would shift.

use std::fmt::Write as _;

/// An account, and where it is.
#[derive(Clone, Debug)]
pub(super) struct Party {
    pub(super) user: &'static str,
    pub(super) password: &'static str,
    pub(super) domain: String,
}

impl Party {
    /// As `-auth_uri` wants it: sipp answers challenges for one address.
    fn address(&self, user: &str) -> String {
        format!("{user}@{}", self.domain)
    }
}

/// G.711 at a port where nobody listens.
pub(super) const OFFER: &str = "v=0\no=sipp 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\nm=audio 9000 RTP/AVP 0\na=rtpmap:0 PCMU/8000\n";

/// A request or response without a body.
pub(super) const NOTHING: &str = "";

/// What one side does.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    steps: String,
    /// Header lines that say who we are, in requests of ours.
    parties: String,
    contact: String,
    first_uri: String,
    credentials: String,
    in_dialog: bool,
    is_callee: bool,
    cseq: u32,
    invite_cseq: u32,
    transaction: u32,
    invite_transaction: u32,
    checks: u32,
    pub(super) auth_uri: String,
}

impl Scenario {
    /// The side that calls `callee`.
    pub(super) fn caller(party: &Party, callee: &str) -> Self {
        let Party {
            user,
            password,
            domain,
        } = party;
        Self {
            steps: String::new(),
            parties: format!(
                "From: <sip:{user}@{domain}>;tag=[pid]sipp[call_number]\nTo: <sip:{callee}@{domain}>[peer_tag_param]\n"
            ),
            contact: format!(
                "Contact: <sip:{user}@[local_ip]:[local_port];transport=[transport]>\n"
            ),
            first_uri: format!("sip:{callee}@{domain}"),
            credentials: format!("[authentication username={user} password={password}]\n"),
            in_dialog: false,
            is_callee: false,
            cseq: 0,
            invite_cseq: 0,
            transaction: 0,
            invite_transaction: 0,
            checks: 0,
            auth_uri: party.address(callee),
        }
    }

    /// The side that is called; it begins with the INVITE, in which `header` must look like this if one is named.
    pub(super) fn callee(party: &Party) -> Self {
        let mut scenario = Self::caller(party, "nobody");
        "From: [$local];tag=[pid]t[call_number]\nTo: [$remote]\n".clone_into(&mut scenario.parties);
        scenario.in_dialog = true;
        scenario.is_callee = true;
        let mut remember = String::new();
        for (variable, header, pattern) in [
            ("local", "To:", "<[^>]*>"),
            ("remote", "From:", "<.*"),
            ("target", "Contact:", "sip:[^>]*"),
            ("via", "Via:", "SIP.*"),
            ("number", "CSeq:", "[0-9]+"),
        ] {
            let _ = write!(
                remember,
                r#"<ereg regexp="{}" search_in="hdr" header="{header}" check_it="true" assign_to="{variable}"/>"#,
                escaped(pattern)
            );
        }
        let _ = writeln!(
            scenario.steps,
            r#"<recv request="INVITE" rrs="true"><action>{remember}</action></recv>"#
        );
        scenario
    }

    /// Calls, with the credentials that the server asks for.
    pub(super) fn invite(mut self, headers: &str, body: &str) -> Self {
        self.credentials_asked_for(headers, body);
        let headers = format!("{}{headers}", self.credentials);
        self.invite_again(&headers, body)
    }

    /// Calls, and may be told that it is being tried.
    pub(super) fn calls(self, headers: &str, body: &str) -> Self {
        self.invite(headers, body).maybe(100)
    }

    /// Ends the call, which is confirmed.
    pub(super) fn hangs_up(self) -> Self {
        self.request("BYE", NOTHING, NOTHING).expect(200)
    }

    /// The other side ends the call, which is confirmed.
    pub(super) fn hung_up_on(self) -> Self {
        self.asked("BYE").reply("200 OK", NOTHING, NOTHING)
    }

    /// Gives the call up while it rings.
    pub(super) fn gives_up(self) -> Self {
        self.expect(180).cancel().expect(200).expect(487).refused()
    }

    /// Hears how its transfer goes, which is confirmed.
    pub(super) fn notified(self, body: &str) -> Self {
        self.asked_with("NOTIFY", "body", body)
            .reply("200 OK", NOTHING, NOTHING)
    }

    fn credentials_asked_for(&mut self, headers: &str, body: &str) {
        *self = self
            .clone()
            .invite_again(headers, body)
            .maybe(100)
            .receive(r#"<recv response="407" auth="true"/>"#)
            .refused();
    }

    /// Calls without being asked, or within the call.
    pub(super) fn invite_again(mut self, headers: &str, body: &str) -> Self {
        self = self.request("INVITE", headers, body);
        self.invite_cseq = self.cseq;
        self.invite_transaction = self.transaction;
        self
    }

    /// A request of a new transaction.
    pub(super) fn request(mut self, method: &str, headers: &str, body: &str) -> Self {
        self.cseq += 1;
        self.transaction += 1;
        let (cseq, transaction) = (self.cseq, self.transaction);
        self.write_request(method, cseq, transaction, headers, body)
    }

    /// Gives the call up that is not answered yet.
    pub(super) fn cancel(self) -> Self {
        let (cseq, transaction) = (self.invite_cseq, self.invite_transaction);
        self.write_request("CANCEL", cseq, transaction, NOTHING, NOTHING)
    }

    /// Acknowledges a success.
    pub(super) fn ack(mut self, body: &str) -> Self {
        self.transaction += 1;
        let (cseq, transaction) = (self.invite_cseq, self.transaction);
        self.write_request("ACK", cseq, transaction, NOTHING, body)
    }

    /// Acknowledges a failure.
    pub(super) fn refused(self) -> Self {
        let (cseq, transaction) = (self.invite_cseq, self.invite_transaction);
        self.write_request("ACK", cseq, transaction, NOTHING, NOTHING)
    }

    /// The response that comes next; what may come before it was said by [`maybe`](Self::maybe).
    pub(super) fn expect(mut self, status: u16) -> Self {
        self.in_dialog |= (101..300).contains(&status);
        let rrs = if self.is_callee { "" } else { r#" rrs="true""# };
        self.receive(&format!(r#"<recv response="{status}"{rrs}/>"#))
    }

    /// The response that comes next, in which a header looks like this.
    pub(super) fn expect_with(mut self, status: u16, header: &str, pattern: &str) -> Self {
        self.in_dialog |= (101..300).contains(&status);
        let check = self.check(header, pattern);
        let rrs = if self.is_callee { "" } else { r#" rrs="true""# };
        self.receive(&format!(
            r#"<recv response="{status}"{rrs}><action>{check}</action></recv>"#
        ))
    }

    /// A provisional response that must be acknowledged (RFC 3262), and its PRACK, which may carry an answer or an offer.
    pub(super) fn expect_reliably(mut self, status: u16, body: &str) -> Self {
        self = self.expect_with(status, "RSeq", "[0-9]+");
        let rack = format!(
            "RAck: [$check{}] {} INVITE\n",
            self.checks, self.invite_cseq
        );
        self.request("PRACK", &rack, body)
    }

    /// A response that may come.
    pub(super) fn maybe(self, status: u16) -> Self {
        self.receive(&format!(r#"<recv response="{status}" optional="true"/>"#))
    }

    /// The request that comes next.
    pub(super) fn asked(self, method: &str) -> Self {
        self.receive(&format!(r#"<recv request="{method}"/>"#))
    }

    /// The request that comes next, in which a header looks like this.
    pub(super) fn asked_with(mut self, method: &str, header: &str, pattern: &str) -> Self {
        let check = self.check(header, pattern);
        self.receive(&format!(
            r#"<recv request="{method}"><action>{check}</action></recv>"#
        ))
    }

    /// Answers the last request.
    pub(super) fn reply(self, status: &str, headers: &str, body: &str) -> Self {
        let contact = self.contact.clone();
        self.send(&format!(
            "SIP/2.0 {status}\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n{contact}{headers}{}",
            with_body(body)
        ))
    }

    /// Answers the INVITE that the callee's side begins with.
    pub(super) fn answer(self, status: &str, headers: &str, body: &str) -> Self {
        self.answer_as("t", status, headers, body)
    }

    /// Answers that INVITE as another device that it was forked to.
    pub(super) fn answer_as(self, tag: &str, status: &str, headers: &str, body: &str) -> Self {
        let contact = self.contact.clone();
        self.send(&format!(
            "SIP/2.0 {status}\nVia: [$via]\nFrom: [$remote]\nTo: [$local];tag=[pid]{tag}[call_number]\nCall-ID: [call_id]\n\
             CSeq: [$number] INVITE\n{contact}{headers}{}",
            with_body(body)
        ))
    }

    /// The whole file.
    pub(super) fn xml(&self) -> String {
        let mut used: Vec<_> = (1..=self.checks).map(|n| format!("check{n}")).collect();
        if self.is_callee {
            used.extend(["local", "remote", "target", "via", "number"].map(str::to_owned));
        }
        let reference = match used.as_slice() {
            [] => String::new(),
            used => format!(r#"<Reference variables="{}"/>"#, used.join(",")),
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<scenario name=\"ladder\">\n{}{reference}\n</scenario>\n",
            self.steps
        )
    }

    fn check(&mut self, header: &str, pattern: &str) -> String {
        self.checks += 1;
        let place = match header {
            "body" => r#"search_in="body""#.to_owned(),
            name => format!(r#"search_in="hdr" header="{name}:""#),
        };
        format!(
            r#"<ereg regexp="{}" {place} check_it="true" assign_to="check{}"/>"#,
            escaped(pattern),
            self.checks
        )
    }

    /// What belongs to the first INVITE goes where that went; what is sent within the call follows the dialog.
    fn write_request(
        self,
        method: &str,
        cseq: u32,
        transaction: u32,
        headers: &str,
        body: &str,
    ) -> Self {
        let of_first_invite = transaction == self.invite_transaction || !self.in_dialog;
        let (uri, routes) = if self.is_callee {
            ("[$target]", "")
        } else if of_first_invite {
            (self.first_uri.as_str(), "")
        } else {
            ("[next_url]", "[routes]\n")
        };
        let (contact, parties) = match method {
            "ACK" => ("", self.parties.clone()),
            // The INVITE that brings credentials has seen a tag already, which is none of its business.
            "CANCEL" => ("", self.parties.replace("[peer_tag_param]", "")),
            _ if of_first_invite => (
                self.contact.as_str(),
                self.parties.replace("[peer_tag_param]", ""),
            ),
            _ => (self.contact.as_str(), self.parties.clone()),
        };
        let text = format!(
            "{method} {uri} SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK[pid]c[call_number]n{transaction};rport\n\
             Max-Forwards: 70\n{routes}{parties}Call-ID: [call_id]\nCSeq: {cseq} {method}\n{contact}{headers}{}",
            with_body(body)
        );
        self.send(&text)
    }

    fn send(mut self, text: &str) -> Self {
        let _ = writeln!(self.steps, "<send><![CDATA[\n{text}\n]]></send>");
        self
    }

    fn receive(mut self, step: &str) -> Self {
        self.steps.push_str(step);
        self.steps.push('\n');
        self
    }
}

fn with_body(body: &str) -> String {
    match body {
        NOTHING => "Content-Length: 0\n".to_owned(),
        body => format!("Content-Type: application/sdp\nContent-Length: [len]\n\n{body}"),
    }
}

/// Text inside an attribute.
fn escaped(pattern: &str) -> String {
    pattern.replace('&', "&amp;").replace('<', "&lt;")
}
